//! What one process gives up, the others do not serve, whatever was under way.

use std::time::{Duration, Instant};

use warren_cache::{ClusterState, Invalidations, Loaded, STALENESS_MAX, Scope, Tag};
use warren_testkit::servers::RedisServer;

use super::process::*;
use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_one_process_is_seen_in_the_others() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let (truth, untouched) = (Truth::of(0), Truth::of(0));
    for number in 1..=20 {
        other.get(1, &truth).await;
        other.get(2, &untouched).await;
        one.change(1, &truth, number).await;
        assert_eq!(one.get(1, &truth).await, number, "who changed it sees it at once");
        let took = other.until_seen(1, &truth, number).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(untouched.reads(), 1, "nothing else was given up");
    assert_eq!(one.cluster().told, 20);
    until("all is heard", || async { other.cluster().heard == 20 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_told_by_one_process_overtakes_the_load_of_another() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let (truth, gate) = (Truth::of(1), Gate::shut());
    let loading = {
        let (numbers, truth, gate) = (one.numbers.clone(), truth.clone(), gate.clone());
        tokio::spawn(async move { numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await })
    };
    gate.reached().await;
    other.change(1, &truth, 2).await;
    until("the change is heard", || async { one.cluster().heard == 1 }).await;
    gate.open(1);
    assert_eq!(value(loading.await.unwrap()), 1, "who asked before the change may see what was before");
    for process in [&one, &other, &Process::joining(&server).await] {
        assert_eq!(process.get(1, &truth).await, 2);
    }
    assert_eq!(one.tally().overtaken, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_refuses_a_value_that_was_overtaken_even_if_its_process_has_not_heard() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let (truth, gate) = (Truth::of(1), Gate::shut());
    for _ in 0..10 {
        let before = truth.read().unwrap();
        let loading = {
            let (numbers, truth, gate) = (one.numbers.clone(), truth.clone(), gate.clone());
            tokio::spawn(async move { numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await })
        };
        gate.reached().await;
        // Both at once: the fill may come to Redis before the news comes to its process.
        truth.set(before + 1);
        gate.open(1);
        other.numbers.invalidate(Scope::Installation, &1).await;
        value(loading.await.unwrap());
        assert_eq!(other.get(1, &truth).await, before + 1);
        one.until_seen(1, &truth, before + 1).await;
        other.change(1, &truth, before + 2).await;
        one.until_seen(1, &truth, before + 2).await;
        one.numbers.invalidate(Scope::Installation, &1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_cut_off_for_a_moment_hears_what_was_missed_and_keeps_the_rest() {
    let server = RedisServer::start().unwrap();
    let one = Process::joining(&server).await;
    let (other, network) = Process::behind(&server).await;
    let (truth, untouched) = (Truth::of(1), Truth::of(1));
    other.get(1, &truth).await;
    other.get(2, &untouched).await;
    network.cut();
    one.change(1, &truth, 2).await;
    network.mend();
    let took = other.until_seen(1, &truth, 2).await;
    assert!(took < STALENESS_MAX, "{took:?}");
    until("all is heard", || async { other.cluster().heard == 1 }).await;
    other.get(2, &untouched).await;
    assert_eq!((untouched.reads(), other.cluster().renewals), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_missed_more_than_the_log_holds_gives_everything_up() {
    let server = RedisServer::start().unwrap();
    let one = Process::joining(&server).await;
    let (other, network) = Process::behind(&server).await;
    let (truth, untouched) = (Truth::of(1), Truth::of(1));
    other.get(1, &truth).await;
    other.get(2, &untouched).await;
    network.cut();
    one.change(1, &truth, 2).await;
    one.change(3, &truth, 2).await;
    server.ask(&["XTRIM", "warren:log", "MAXLEN", "1"]).unwrap();
    network.mend();
    other.until_seen(1, &truth, 2).await;
    until("the rest is given up", || async {
        other.get(2, &untouched).await;
        other.tally().invalidated >= 2
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_tell_sees_its_own_changes_and_the_others_become_cautious() {
    let server = RedisServer::start().unwrap();
    let (one, network) = Process::behind(&server).await;
    let other = Process::joining(&server).await;
    let truth = Truth::of(1);
    for process in [&one, &other] {
        process.get(1, &truth).await;
    }
    network.cut();
    let begun = Instant::now();
    one.change(1, &truth, 2).await;
    assert_eq!(one.get(1, &truth).await, 2);
    assert_eq!(one.cluster().owed, 1);
    other.until_seen(1, &truth, 2).await;
    assert!(begun.elapsed() < STALENESS_MAX, "{:?}", begun.elapsed());
    other.until(ClusterState::OthersSilent(1)).await;
    assert_eq!(other.tally().shared_hits + other.tally().local_loads, 2, "Redis was not asked again");

    network.mend();
    for process in [&one, &other] {
        process.until(ClusterState::Certain).await;
        assert_eq!(process.get(1, &truth).await, 2);
    }
    assert_eq!((one.cluster().owed, one.cluster().told), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_can_be_owed_gives_everything_up_everywhere() {
    let server = RedisServer::start().unwrap();
    let (one, network) = Process::behind(&server).await;
    let other = Process::joining(&server).await;
    let truth = Truth::of(1);
    other.get(1, &truth).await;
    network.cut();
    one.until(ClusterState::Apart).await;
    truth.set(2);
    for batch in 0..=warren_cache::OWED_MARKS_MAX as u128 / 1000 {
        let tags = (0..1000).map(|number| Tag::Account(account(batch * 1000 + number)));
        one.caches.invalidate(tags.fold(Invalidations::new(), Invalidations::tag)).await;
    }
    assert_eq!(one.cluster().owed, warren_cache::OWED_MARKS_MAX);
    network.mend();
    until("all began anew", || async { one.cluster().owed == 0 && other.cluster().renewals == 2 }).await;
    assert_eq!(other.get(1, &truth).await, 2);
    other.until(ClusterState::Certain).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_given_up_everywhere() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(1);
    for process in [&one, &other] {
        process.get(1, &truth).await;
    }
    truth.set(2);
    one.caches.invalidate(Invalidations::everything()).await;
    assert_eq!(one.get(1, &truth).await, 2);
    other.until_seen(1, &truth, 2).await;
}

#[test]
fn a_process_that_dies_before_it_tells_leaves_the_others_cautious_until_it_is_forgotten() {
    let server = RedisServer::start().unwrap();
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (doomed, lasting) = (runtime(), runtime());
    let one = doomed.block_on(Process::joining(&server));
    let other = lasting.block_on(Process::joining(&server));
    let truth = Truth::of(1);
    lasting.block_on(other.get(1, &truth));
    doomed.shutdown_background();
    let begun = Instant::now();
    truth.set(2);
    lasting.block_on(async {
        other.until_seen(1, &truth, 2).await;
        assert!(begun.elapsed() < STALENESS_MAX, "{:?}", begun.elapsed());
        other.until(ClusterState::OthersSilent(1)).await;
        // As if it had been silent for a minute.
        let nodes = server.ask(&["ZRANGEBYSCORE", "warren:nodes", "-inf", "(inf", "LIMIT", "0", "1"]).unwrap();
        server.ask(&["ZADD", "warren:nodes", "1", &nodes]).unwrap();
        other.until(ClusterState::Certain).await;
        assert_eq!(other.cluster().renewals, 2, "what it may have changed is given up");
    });
    drop(one);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_farewell_is_not_missed_and_tells_what_it_owes_before() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(1);
    other.get(1, &truth).await;
    let mut batch = Invalidations::new();
    batch.add_entry(&one.numbers, Scope::Installation, &1);
    truth.set(2);
    // Its caller does not wait until the others are told.
    let _ = tokio::time::timeout(Duration::ZERO, one.caches.invalidate(batch)).await;
    one.caches.close().await;
    assert_eq!((one.cluster().owed, one.cluster().state), (0, ClusterState::Closed));
    other.until_seen(1, &truth, 2).await;
    assert_eq!(server.ask(&["ZCARD", "warren:nodes"]).unwrap(), "2", "the other one and the epoch");
    assert_eq!(other.cluster().state, ClusterState::Certain);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cautious_process_joins_no_load_that_is_older_than_what_it_would_serve() {
    let server = RedisServer::start().unwrap();
    let one = Process::starting(&config_of(&server.url_with("wrong")), SHARED);
    let (truth, gate) = (Truth::of(1), Gate::shut());
    let loading = {
        let (numbers, truth, gate) = (one.numbers.clone(), truth.clone(), gate.clone());
        tokio::spawn(async move { numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await })
    };
    gate.reached().await;
    // Another process changes it; this one cannot hear.
    truth.set(2);
    tokio::time::sleep(warren_cache::CAUTIOUS_FRESHNESS).await;
    assert_eq!(one.get(1, &truth).await, 2);
    gate.open(1);
    assert_eq!(value(loading.await.unwrap()), 1);
    let fresh = || async { Ok(Loaded::found(0)) };
    assert_eq!(value(one.numbers.get(Scope::Installation, &2, fresh).await), 0);
}
