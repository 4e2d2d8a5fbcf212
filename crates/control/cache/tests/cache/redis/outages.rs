//! Redis gone, hanging or refusing: slower, never wrong, and told once.

use std::time::{Duration, Instant};

use warren_cache::{CALL_WITHIN, CAUTIOUS_FRESHNESS, ClusterState, STALENESS_MAX};
use warren_testkit::servers::RedisServer;

use super::process::*;
use crate::support::*;

const GONE: &str = "Redis cannot be used";
const BACK: &str = "Redis can be used again";

/// Reads and changes for a while, in two processes that may not hear each other.
async fn work_through(one: &Process, other: &Process, truth: &Truth) {
    for number in 100..110 {
        one.change(1, truth, number).await;
        assert_eq!(one.get(1, truth).await, number, "its own changes");
        for key in 10..20 {
            one.get(key, truth).await;
        }
    }
    let took = other.until_seen(1, truth, 109).await;
    assert!(took < STALENESS_MAX, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_password_answers_are_right_and_the_trouble_is_told_once() {
    let server = RedisServer::start().unwrap();
    let log = Log::begin();
    let config = config_of(&server.url_with("wrong"));
    let (one, other) = (Process::starting(&config, SHARED), Process::starting(&config, SHARED));
    let truth = Truth::of(1);
    for process in [&one, &other] {
        process.until(ClusterState::Apart).await;
        assert_eq!(process.get(1, &truth).await, 1);
    }
    work_through(&one, &other, &truth).await;
    let trouble = one.cluster().last_trouble.unwrap();
    assert!(trouble.contains("refuses the user or the password"), "{trouble}");
    assert_eq!(log.count(GONE), 2, "once for each process: {}", log.text());
    assert!(!log.text().contains("wrong@") && !log.text().contains(":wrong"), "{}", log.text());

    // The operator mends it on the server.
    server.ask(&["ACL", "SETUSER", "warren", ">wrong"]).unwrap();
    for process in [&one, &other] {
        process.until(ClusterState::Certain).await;
    }
    assert_eq!(log.count(BACK), 2, "{}", log.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rights_the_trouble_says_which_page_to_read() {
    let server = RedisServer::start().unwrap();
    server.ask(&["ACL", "SETUSER", "warren", "-@scripting"]).unwrap();
    let process = Process::starting(&config_of(&server.url()), SHARED);
    process.until(ClusterState::Apart).await;
    let trouble = process.cluster().last_trouble.unwrap();
    assert!(trouble.contains("rights that the manual lists"), "{trouble}");
    assert_eq!(process.get(1, &Truth::of(1)).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_killed_is_done_without_and_what_it_saved_does_not_count() {
    let server = RedisServer::start().unwrap();
    let log = Log::begin();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(1);
    for process in [&one, &other] {
        process.get(1, &truth).await;
    }
    until("it is kept", || async { !server.ask(&["KEYS", "warren:value:*"]).unwrap().is_empty() }).await;
    let told_after = Truth::of(1);
    one.get(2, &told_after).await;
    until("it is kept", || async { server.ask(&["KEYS", "warren:value:*"]).unwrap().lines().count() == 2 }).await;
    server.ask(&["SAVE"]).unwrap();
    one.change(2, &told_after, 2).await;
    server.kill().unwrap();
    work_through(&one, &other, &truth).await;
    for process in [&one, &other] {
        process.until(ClusterState::Apart).await;
    }
    assert_eq!(log.count(GONE), 2, "{}", log.text());
    let trouble = one.cluster().last_trouble.unwrap();
    assert!(trouble.contains("cannot be reached"), "{trouble}");

    server.restart().unwrap();
    assert!(!server.ask(&["KEYS", "warren:value:*"]).unwrap().is_empty(), "the old value is there again");
    for process in [&one, &other] {
        process.until(ClusterState::Certain).await;
        assert_eq!(process.get(1, &truth).await, 109);
    }
    let newcomer = Process::joining(&server).await;
    assert_eq!(newcomer.get(1, &truth).await, 109);
    assert_eq!(newcomer.tally().shared_hits, 1, "what was loaded since is shared");
    assert_eq!(newcomer.get(2, &told_after).await, 2, "what was given up after it was saved");
    assert_eq!(log.count(BACK), 2, "{}", log.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_costs_little_and_what_it_does_late_does_not_count() {
    let server = RedisServer::start().unwrap();
    let log = Log::begin();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(1);
    for process in [&one, &other] {
        process.get(1, &truth).await;
    }
    server.pause().unwrap();
    let begun = Instant::now();
    for key in 1000..1010 {
        one.get(key, &truth).await;
    }
    let took = begun.elapsed();
    assert!(took < 10 * CALL_WITHIN + Duration::from_secs(1), "a miss costs a call's time at most: {took:?}");
    work_through(&one, &other, &truth).await;
    for process in [&one, &other] {
        process.until(ClusterState::Apart).await;
    }
    assert_eq!(log.count(GONE), 2, "{}", log.text());
    server.resume().unwrap();
    for process in [&one, &other] {
        process.until(ClusterState::Certain).await;
        assert_eq!(process.get(1, &truth).await, 109);
    }
    assert_eq!(Process::joining(&server).await.get(1, &truth).await, 109);
    assert_eq!(log.count(BACK), 2, "{}", log.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_is_done_without_until_it_has_some() {
    let server = RedisServer::start().unwrap();
    let log = Log::begin();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(1);
    for process in [&one, &other] {
        process.get(1, &truth).await;
    }
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    work_through(&one, &other, &truth).await;
    for process in [&one, &other] {
        process.until(ClusterState::Apart).await;
        let trouble = process.cluster().last_trouble.unwrap();
        assert!(trouble.contains("no memory left"), "{trouble}");
    }
    assert_eq!(log.count(GONE), 2, "{}", log.text());
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    for process in [&one, &other] {
        process.until(ClusterState::Certain).await;
        assert_eq!(process.get(1, &truth).await, 109);
    }
    assert_eq!(log.count(BACK), 2, "{}", log.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_memory_serves_what_was_just_read_and_no_more() {
    let server = RedisServer::start().unwrap();
    let process = Process::joining(&server).await;
    server.kill().unwrap();
    process.until(ClusterState::Apart).await;
    let truth = Truth::of(1);
    let begun = Instant::now();
    for _ in 0..100 {
        process.get(1, &truth).await;
    }
    if begun.elapsed() < CAUTIOUS_FRESHNESS {
        assert_eq!(truth.reads(), 1);
    }
    truth.set(2);
    let took = process.until_seen(1, &truth, 2).await;
    assert!(took <= CAUTIOUS_FRESHNESS + Duration::from_millis(500), "{took:?}");
}
