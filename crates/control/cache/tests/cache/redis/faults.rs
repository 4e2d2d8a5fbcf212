//! A Redis that works, and has lost something.

use warren_cache::{ClusterState, Invalidations};
use warren_testkit::servers::RedisServer;

use super::process::*;
use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_lost_all_or_one_of_its_own_keys_begins_anew() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(0);
    let losses: [&[&str]; 4] =
        [&["FLUSHALL"], &["DEL", "warren:state"], &["DEL", "warren:marks"], &["DEL", "warren:nodes"]];
    for (number, loss) in (1..).zip(losses) {
        for process in [&one, &other] {
            process.until(ClusterState::Certain).await;
            process.get(1, &truth).await;
        }
        let renewals = [&one, &other].map(|process| process.cluster().renewals);
        server.ask(loss).unwrap();
        one.change(1, &truth, number).await;
        assert_eq!(one.get(1, &truth).await, number, "{loss:?}");
        other.until_seen(1, &truth, number).await;
        for (process, before) in [&one, &other].into_iter().zip(renewals) {
            until("it begins anew", || async { process.cluster().renewals > before }).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_lost_is_noticed_with_the_next_change() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(1);
    other.get(1, &truth).await;
    server.ask(&["DEL", "warren:log"]).unwrap();
    one.change(1, &truth, 2).await;
    other.until_seen(1, &truth, 2).await;
    // One that is lost with a change that the other has not heard.
    let (third, network) = Process::behind(&server).await;
    third.get(1, &truth).await;
    network.cut();
    one.change(1, &truth, 3).await;
    server.ask(&["DEL", "warren:log"]).unwrap();
    network.mend();
    third.until_seen(1, &truth, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_redis_evicts_answers_are_right() {
    let server = RedisServer::start().unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]).unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let used = server.ask(&["INFO", "memory"]).unwrap();
    let used: u64 = used.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse().unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", &(used + 100_000).to_string()]).unwrap();
    let (truths, mut number) = ((0..50).map(|_| Truth::of(0)).collect::<Vec<_>>(), 0);
    for round in 0..40 {
        for (key, truth) in (0..).zip(&truths) {
            one.get(key + round * 50, truth).await;
        }
        let (key, truth) = (round % 50, &truths[(round % 50) as usize]);
        other.get(key, truth).await;
        number += 1;
        one.change(key, truth, number).await;
        assert_eq!(one.get(key, truth).await, number);
        other.until_seen(key, truth, number).await;
    }
    let evicted = server.ask(&["INFO", "stats"]).unwrap();
    assert!(!evicted.contains("evicted_keys:0"), "{evicted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_of_redis_that_is_set_back_makes_for_a_short_caution_only() {
    let server = RedisServer::start().unwrap();
    let process = Process::joining(&server).await;
    // What it wrote before its clock was set back by a day is from the future now.
    let later =
        (std::time::UNIX_EPOCH.elapsed().unwrap() + std::time::Duration::from_secs(86_400)).as_millis().to_string();
    server.ask(&["HSET", "warren:state", "renewed", &later]).unwrap();
    server.ask(&["ZADD", "warren:nodes", &later, "somebody"]).unwrap();
    until("what is from the future is brought to now", || async {
        server.ask(&["ZSCORE", "warren:nodes", "somebody"]).unwrap() < later
    })
    .await;
    // Somebody has never existed, and falls silent; nothing is forgotten before its time.
    process.until(ClusterState::OthersSilent(1)).await;
    server.ask(&["ZREM", "warren:nodes", "somebody"]).unwrap();
    process.until(ClusterState::Certain).await;
    assert_eq!(process.cluster().renewals, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_that_are_too_many_for_redis_cost_loads_and_no_answer() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(1);
    one.get(1, &truth).await;
    one.change(1, &truth, 2).await;
    let mut account_number = 0;
    for _ in 0..(140_000 / 1000) {
        let mut batch = Invalidations::new();
        for _ in 0..1000 {
            account_number += 1;
            batch.add_tag(warren_cache::Tag::Account(account(account_number)));
        }
        one.caches.invalidate(batch).await;
    }
    until("all is told", || async { one.cluster().owed == 0 }).await;
    let marks: usize = server.ask(&["ZCARD", "warren:marks"]).unwrap().parse().unwrap();
    assert!(marks <= 131_073, "{marks}");
    let floor: u64 = server.ask(&["HGET", "warren:state", "floor"]).unwrap().parse().unwrap();
    assert!(floor > 0);
    other.until_seen(1, &truth, 2).await;
}
