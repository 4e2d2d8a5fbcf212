//! What one process loaded, the others find.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use warren_cache::{Cache, Definition, LEASE_FOR, Loaded, Scope, VALUE_BYTES_MAX};
use warren_testkit::servers::{RedisServer, RedisSettings, RedisWire};

use super::process::*;
use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_want_one_key_in_two_processes_cause_one_load() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let (truth, gate) = (Truth::of(7), Gate::shut());
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let (process, truth, gate) = (if number % 2 == 0 { &one } else { &other }, truth.clone(), gate.clone());
        let numbers = process.numbers.clone();
        callers.spawn(async move { numbers.get(organisation(1), &1, || truth.load_through(&gate)).await });
    }
    gate.reached().await;
    until("the other process waits", || async { one.tally().awaited + other.tally().awaited == 1 }).await;
    gate.open(2);
    while let Some(answer) = callers.join_next().await {
        assert_eq!(value(answer.unwrap()), 7);
    }
    assert_eq!(truth.reads(), 1);
    assert_eq!(one.tally().loads + other.tally().loads, 1);
    assert_eq!(one.tally().shared_hits + other.tally().shared_hits, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_gives_is_as_old_as_when_it_was_read() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (process(&server, SHARED_BRIEFLY).await, process(&server, SHARED_BRIEFLY).await);
    let truth = Truth::of(1);
    let begun = Instant::now();
    one.get(1, &truth).await;
    tokio::time::sleep(BRIEFLY / 2).await;
    other.get(1, &truth).await;
    assert_eq!((truth.reads(), other.tally().shared_hits), (1, 1));
    until("it is loaded again", || async {
        other.get(1, &truth).await;
        truth.reads() == 2
    })
    .await;
    assert!((BRIEFLY.mul_f64(0.9)..BRIEFLY.mul_f64(1.4)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

const BRIEFLY: Duration = Duration::from_secs(1);
const SHARED_BRIEFLY: Definition<u64> = Definition::shared("numbers", 1, BRIEFLY);

async fn process(server: &RedisServer, definition: Definition<u64>) -> Process {
    Process::certain(&config_of(&server.url()), definition).await
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_and_tags_travel_with_the_value() {
    let server = RedisServer::start().unwrap();
    let definition = || SHARED.absent_for(FRESH_FOR);
    let (one, other) = (process(&server, definition()).await, process(&server, definition()).await);
    let truth = Truth::of(1);
    let absent = || {
        let truth = truth.clone();
        async move { truth.read().map(|_| Loaded::absent().tag(warren_cache::Tag::Account(account(7)))) }
    };
    for process in [&one, &other] {
        assert!(process.numbers.get(organisation(1), &1, absent).await.unwrap().is_none());
    }
    assert_eq!((truth.reads(), other.tally().shared_hits), (1, 1));
    one.caches.invalidate_tag(warren_cache::Tag::Account(account(7))).await;
    until("the other has heard", || async { other.cluster().heard == 1 }).await;
    assert!(other.numbers.get(organisation(1), &1, absent).await.unwrap().is_none());
    assert_eq!(truth.reads(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_caches_that_are_shared_leave_the_process_and_keys_tell_nothing() {
    let server = RedisServer::start().unwrap();
    let process = process(&server, NUMBERS).await;
    let shared: Cache<warren_model::Email, u64, Unavailable> =
        process.caches.cache(Definition::shared("by_email", 1, FRESH_FOR)).unwrap();
    process.get(1, &Truth::of(1)).await;
    assert_eq!(server.ask(&["KEYS", "warren:value:*"]).unwrap(), "");
    let email = "somebody@example.org".parse().unwrap();
    value(shared.get(organisation(5), &email, || Truth::of(1).load()).await);
    until("it is kept", || async { !server.ask(&["KEYS", "warren:value:*"]).unwrap().is_empty() }).await;
    let keys = server.ask(&["KEYS", "*"]).unwrap();
    assert!(keys.contains("warren:value:by_email:1:00000000-0000-0000-0000-000000000005:"), "{keys}");
    assert!(!keys.contains("somebody"), "{keys}");
    assert!(keys.lines().all(|key| key.starts_with("warren:")), "{keys}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_installations_on_one_redis_share_nothing() {
    let server = RedisServer::start().unwrap();
    server.ask(&["ACL", "SETUSER", "warren", "~other:*"]).unwrap();
    let one = Process::joining(&server).await;
    let mut config = config_of(&server.url());
    config.prefix = "other".to_owned();
    let other = Process::certain(&config, SHARED).await;
    assert_eq!(one.get(1, &Truth::of(1)).await, 1);
    assert_eq!(other.get(1, &Truth::of(2)).await, 2);
    one.caches.invalidate(warren_cache::Invalidations::everything()).await;
    assert_eq!(other.get(1, &Truth::of(3)).await, 2);
}

#[derive(Debug, Serialize, Deserialize)]
struct Renamed {
    number: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_does_not_read_what_another_one_wrote_differently() {
    let server = RedisServer::start().unwrap();
    let old = process(&server, of_version(1)).await;
    old.get(1, &Truth::of(1)).await;
    let caches = build(&config_of(&server.url()));
    let new: Cache<u32, Renamed, Unavailable> = caches.cache(of_version(2)).unwrap();
    until("it has joined", || async { caches.status().cluster.unwrap().state == warren_cache::ClusterState::Certain })
        .await;
    let answer = new.get(Scope::Installation, &1, || async { Ok(Loaded::found(Renamed { number: 2 })) }).await;
    assert_eq!(answer.unwrap().unwrap().number, 2);
    let tally = caches.status().caches[0].tally;
    assert_eq!((tally.shared_hits, tally.unreadable, tally.loads), (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_loaded_and_replaced() {
    let server = RedisServer::start().unwrap();
    let log = Log::begin();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(7);
    for key in 1..=3 {
        one.get(key, &truth).await;
    }
    let values = || server.ask(&["KEYS", "warren:value:*"]).unwrap();
    until("they are kept", || async { values().lines().count() == 3 }).await;
    for key in values().lines() {
        server.ask(&["HSET", key, "body", "{\"of\": \"somebody else\"}"]).unwrap();
    }
    for key in 1..=3 {
        assert_eq!(other.get(key, &truth).await, 7);
    }
    assert_eq!((other.tally().unreadable, other.tally().loads), (3, 3));
    assert_eq!(log.count("cannot be read"), 1, "{}", log.text());
    let bodies = || values().lines().map(|key| server.ask(&["HGET", key, "body"]).unwrap()).collect::<Vec<_>>();
    until("they are replaced", || async { bodies() == ["7", "7", "7"] }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_too_large_stays_in_memory() {
    let server = RedisServer::start().unwrap();
    let caches = build(&config_of(&server.url()));
    let texts: Cache<u32, String, Unavailable> =
        caches.cache(Definition::shared("texts", 1, FRESH_FOR).memory_percent(100).weigh(String::capacity)).unwrap();
    until("it has joined", || async { caches.status().cluster.unwrap().state == warren_cache::ClusterState::Certain })
        .await;
    for (key, size, oversized) in [(1, VALUE_BYTES_MAX - 2, 0), (2, VALUE_BYTES_MAX - 1, 1)] {
        let load = || async move { Ok(Loaded::found("x".repeat(size))) };
        assert_eq!(texts.get(Scope::Installation, &key, load).await.unwrap().unwrap().len(), size);
        until("the lease is over", || async { server.ask(&["KEYS", "warren:lease:*"]).unwrap().is_empty() }).await;
        assert_eq!(caches.status().caches[0].tally.oversized, oversized);
        assert_eq!(server.ask(&["KEYS", "warren:value:*"]).unwrap().lines().count(), 1);
    }
}

#[test]
fn a_process_that_dies_while_it_loads_costs_the_others_its_lease_at_most() {
    let server = RedisServer::start().unwrap();
    let (truth, gate) = (Truth::of(7), Gate::shut());
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (doomed, lasting) = (runtime(), runtime());
    doomed.block_on(async {
        let process = Process::joining(&server).await;
        let (truth, gate) = (truth.clone(), gate.clone());
        tokio::spawn(async move { process.numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await });
    });
    doomed.block_on(gate.reached());
    let process = lasting.block_on(Process::joining(&server));
    doomed.shutdown_background();
    let begun = Instant::now();
    assert_eq!(lasting.block_on(process.get(1, &truth)), 7);
    assert!(begun.elapsed() < LEASE_FOR + Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(truth.reads(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_lets_another_process_try() {
    let server = RedisServer::start().unwrap();
    let (one, other) = (Process::joining(&server).await, Process::joining(&server).await);
    let truth = Truth::of(7);
    truth.fail("gone");
    one.numbers.get(Scope::Installation, &1, || truth.load()).await.unwrap_err();
    truth.mend();
    let begun = Instant::now();
    assert_eq!(other.get(1, &truth).await, 7);
    assert!(begun.elapsed() < LEASE_FOR / 2, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_needs_the_right_authority() {
    let settings = RedisSettings { wire: RedisWire::Tls, ..RedisSettings::default() };
    let server = RedisServer::start_with(&settings).unwrap();
    let mut config = config_of(&server.url());
    let stranger = Process::starting(&config, SHARED);
    stranger.until(warren_cache::ClusterState::Apart).await;
    let trouble = stranger.cluster().last_trouble.unwrap();
    assert!(trouble.contains("certificate"), "{trouble}");
    assert_eq!(stranger.get(1, &Truth::of(1)).await, 1);

    config.ca_file = server.ca_file().map(Into::into);
    let (one, other) = (Process::certain(&config, SHARED).await, Process::certain(&config, SHARED).await);
    assert_eq!(one.get(1, &Truth::of(2)).await, 2);
    until("it is kept", || async { !server.ask(&["KEYS", "warren:value:*"]).unwrap().is_empty() }).await;
    assert_eq!(other.get(1, &Truth::of(3)).await, 2);

    config.url = server.url().replace("rediss", "redis").parse().unwrap();
    let refused = refusal(&config);
    assert!(refused.contains("rediss://"), "{refused}");
    config.url = server.url().parse().unwrap();
    config.ca_file = Some("/no/such/file".into());
    let refused = refusal(&config);
    assert!(refused.contains("/no/such/file"), "{refused}");
}

fn refusal(config: &warren_cache::RedisConfig) -> String {
    let random = std::sync::Arc::new(warren_runtime::SystemRandom);
    let dependencies = warren_runtime::dependency::Dependencies::new(random.clone());
    let config = warren_cache::Config { memory_bytes_max: MEGABYTE, redis: Some(config.clone()) };
    warren_cache::build(&config, random, &dependencies, &Default::default()).unwrap_err().to_string()
}
