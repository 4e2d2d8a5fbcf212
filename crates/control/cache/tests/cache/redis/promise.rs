//! The promise as a whole: whatever happens to Redis and to the network, nobody is shown what is older than it says.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use warren_cache::{STALENESS_MAX, Scope};
use warren_testkit::servers::RedisServer;

use super::process::*;
use crate::support::*;

const KEYS: u32 = 4;
const LENGTH: Duration = Duration::from_secs(36);

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
    let end = Instant::now() + LENGTH;
    let mut tasks = tokio::task::JoinSet::new();
    for (number, process) in (0..).zip([&one, &other]) {
        tasks.spawn(read_and_write(number, process.clone(), histories.clone(), end));
        for _ in 0..3 {
            tasks.spawn(read(process.clone(), histories.clone(), end));
        }
    }
    let pause = || tokio::time::sleep(Duration::from_millis(1500));
    while Instant::now() < end {
        server.pause().unwrap();
        pause().await;
        server.resume().unwrap();
        pause().await;
        first_network.cut();
        pause().await;
        second_network.cut();
        first_network.mend();
        pause().await;
        second_network.mend();
        server.ask(&["FLUSHALL"]).unwrap();
        pause().await;
        server.ask(&["SAVE"]).unwrap();
        pause().await;
        server.kill().unwrap();
        pause().await;
        server.restart().unwrap();
        pause().await;
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    for process in [&one, &other] {
        let tally = process.tally();
        assert!(tally.hits > 0 && tally.shared_hits > 0 && tally.local_loads > 0, "{tally:?}");
    }
}

/// Each process writes keys of its own, and must see its own writes at once.
async fn read_and_write(number: u32, process: Process, histories: Vec<History>, end: Instant) {
    let mut value_now = 0;
    while Instant::now() < end {
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

async fn read(process: Process, histories: Vec<History>, end: Instant) {
    while Instant::now() < end {
        for (key, history) in (0..).zip(&histories) {
            let least = history.least(Instant::now());
            let seen = process.get(key, &history.truth).await;
            assert!(seen >= least, "key {key}: {seen} is shown, {least} was committed {STALENESS_MAX:?} ago");
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
