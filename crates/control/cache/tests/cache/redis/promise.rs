//! The promise as a whole: whatever happens to Redis and to the network, nobody is shown what is older than it says.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use warren_cache::{STALENESS_MAX, Scope};
use warren_testkit::servers::RedisServer;

use super::process::*;
use crate::support::*;

const KEYS: u32 = 4;

/// One key: what it was when, and what each process knows to have told.
#[derive(Debug, Clone)]
struct History {
    truth: Truth,
    committed: Arc<Mutex<Vec<(Instant, u64)>>>,
}

impl History {
    fn new() -> Self {
        Self { truth: Truth::of(0), committed: Arc::new(Mutex::new(vec![(Instant::now(), 0)])) }
    }
    /// The least that may be seen by who asks at `at`.
    fn least(&self, at: Instant) -> u64 {
        let before = at - STALENESS_MAX;
        let committed = self.committed.lock().unwrap();
        committed.iter().rev().find(|(when, _)| *when <= before).map_or(0, |(_, value)| *value)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_shown_what_is_older_than_promised_whatever_fails() {
    let server = RedisServer::start().unwrap();
    let (one, first_network) = Process::behind(&server).await;
    let (other, second_network) = Process::behind(&server).await;
    let histories: Vec<_> = (0..KEYS).map(|_| History::new()).collect();
    let end = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    for (number, process) in (0..).zip([&one, &other]) {
        tasks.spawn(read_and_write(number, process.clone(), histories.clone(), Arc::clone(&end)));
        for _ in 0..3 {
            tasks.spawn(read(process.clone(), histories.clone(), Arc::clone(&end)));
        }
    }
    // Some longer than the promise, so that only caution keeps it, and some shorter, in which nothing has run out.
    for length in [STALENESS_MAX + Duration::from_secs(2), Duration::from_millis(1200)] {
        let some_time = || tokio::time::sleep(length);
        let well = || tokio::time::sleep(Duration::from_millis(1200));
        server.pause().unwrap();
        some_time().await;
        server.resume().unwrap();
        well().await;
        first_network.cut();
        some_time().await;
        first_network.mend();
        second_network.cut();
        well().await;
        second_network.mend();
        server.ask(&["FLUSHALL"]).unwrap();
        well().await;
        server.ask(&["SAVE"]).unwrap();
        well().await;
        server.kill().unwrap();
        some_time().await;
        server.restart().unwrap();
        tokio::time::sleep(STALENESS_MAX).await;
    }
    end.store(true, Ordering::SeqCst);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for process in [&one, &other] {
        let tally = process.tally();
        assert!(tally.hits > 0 && tally.shared_hits > 0 && tally.local_loads > 0, "{tally:?}");
    }
}

/// Each process writes keys of its own, and must see its own writes at once.
async fn read_and_write(number: u32, process: Process, histories: Vec<History>, end: Arc<AtomicBool>) {
    let mut value_now = 0;
    while !end.load(Ordering::SeqCst) {
        for key in (0..KEYS).filter(|key| key % 2 == number) {
            let history = &histories[key as usize];
            value_now += 1;
            history.truth.set(value_now);
            history.committed.lock().unwrap().push((Instant::now(), value_now));
            process.numbers.invalidate(Scope::Installation, &key).await;
            assert_eq!(process.get(key, &history.truth).await, value_now, "its own change of {key}");
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

async fn read(process: Process, histories: Vec<History>, end: Arc<AtomicBool>) {
    while !end.load(Ordering::SeqCst) {
        for (key, history) in (0..).zip(&histories) {
            let least = history.least(Instant::now());
            let seen = process.get(key, &history.truth).await;
            assert!(seen >= least, "key {key}: {seen} is shown, {least} was committed {STALENESS_MAX:?} ago");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
