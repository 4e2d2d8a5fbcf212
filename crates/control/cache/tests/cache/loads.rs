//! A key is loaded once at a time, for everybody, and by nobody in particular.

use std::time::Duration;

use tokio::task::JoinSet;
use warren_cache::{JOINED_WITHIN, Scope};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_thousand_who_want_one_key_cause_one_load() {
    let (caches, numbers) = numbers(NUMBERS);
    let (truth, gate) = (Truth::of(7), Gate::shut());
    let mut callers = JoinSet::new();
    for _ in 0..1000 {
        let (numbers, truth, gate) = (numbers.clone(), truth.clone(), gate.clone());
        callers.spawn(async move { numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await });
    }
    gate.reached().await;
    settle().await;
    assert_eq!(caches.status().caches[0].loading, 1);
    gate.open(1000);
    while let Some(answer) = callers.join_next().await {
        assert_eq!(value(answer.unwrap()), 7);
    }
    assert_eq!(truth.reads(), 1);
    let tally = tally(&caches);
    assert_eq!((tally.loads, tally.misses, tally.coalesced, tally.hits), (1, 1000, 999, 0));
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 7);
    assert_eq!(truth.reads(), 1);
    assert_eq!(caches.status().caches[0].tally.hits, 1);
    assert_eq!(caches.status().caches[0].loading, 0);
}

#[tokio::test(start_paused = true)]
async fn keys_and_scopes_have_entries_of_their_own() {
    let (_, numbers) = numbers(NUMBERS);
    let places = [Scope::Installation, organisation(1), organisation(2)].map(|scope| [(scope, 1), (scope, 2)]);
    for (number, (scope, key)) in (0..).zip(places.into_iter().flatten()) {
        let truth = Truth::of(number);
        assert_eq!(value(numbers.get(scope, &key, || truth.load()).await), number);
    }
    let nobody = Truth::default();
    for (number, (scope, key)) in (0..).zip(places.into_iter().flatten()) {
        assert_eq!(value(numbers.get(scope, &key, || nobody.load()).await), number);
    }
    assert_eq!(nobody.reads(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_takes_nothing_from_those_who_wait() {
    let (_, numbers) = numbers(NUMBERS);
    let (truth, gate) = (Truth::of(7), Gate::shut());
    let load = |numbers: Numbers, truth: Truth, gate: Gate| async move {
        numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await
    };
    let leader = tokio::spawn(load(numbers.clone(), truth.clone(), gate.clone()));
    gate.reached().await;
    let waiter = tokio::spawn(load(numbers.clone(), truth.clone(), gate.clone()));
    settle().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    gate.open(1);
    assert_eq!(value(waiter.await.unwrap()), 7);
    assert_eq!(truth.reads(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_shared_and_not_kept() {
    let (caches, numbers) = numbers(NUMBERS);
    let (truth, gate) = (Truth::of(7), Gate::shut());
    truth.fail("gone");
    let mut callers = JoinSet::new();
    for _ in 0..10 {
        let (numbers, truth, gate) = (numbers.clone(), truth.clone(), gate.clone());
        callers.spawn(async move { numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await });
    }
    gate.reached().await;
    settle().await;
    gate.open(10);
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.unwrap().unwrap_err(), Unavailable("gone"));
    }
    assert_eq!(truth.reads(), 1);
    truth.mend();
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 7);
    let tally = tally(&caches);
    assert_eq!((tally.loads, tally.load_failures), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_reaches_all_who_wait_and_the_next_who_comes_loads() {
    let (caches, numbers) = numbers(NUMBERS);
    let gate = Gate::shut();
    let panicking = |numbers: Numbers, gate: Gate| async move {
        let load = || async move {
            Truth::default().load_through(&gate).await.unwrap();
            panic!("on purpose")
        };
        numbers.get(Scope::Installation, &1, load).await
    };
    let leader = tokio::spawn(panicking(numbers.clone(), gate.clone()));
    gate.reached().await;
    let waiter = tokio::spawn(panicking(numbers.clone(), gate.clone()));
    settle().await;
    gate.open(1);
    assert!(leader.await.unwrap_err().is_panic());
    assert!(waiter.await.unwrap_err().is_panic());
    assert_eq!(value(numbers.get(Scope::Installation, &1, || Truth::of(7).load()).await), 7);
    let tally = tally(&caches);
    assert_eq!((tally.loads, tally.load_failures), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_holds_up_those_who_come_soon_and_nobody_after() {
    let (_, numbers) = numbers(NUMBERS);
    let (truth, never) = (Truth::of(7), Gate::shut());
    let hanging = {
        let (numbers, truth, never) = (numbers.clone(), truth.clone(), never.clone());
        tokio::spawn(async move { numbers.get(Scope::Installation, &1, || truth.load_through(&never)).await })
    };
    never.reached().await;
    let soon = tokio::time::timeout(JOINED_WITHIN / 2, numbers.get(Scope::Installation, &1, || truth.load())).await;
    assert!(soon.is_err(), "it waits for the load under way");
    tokio::time::advance(JOINED_WITHIN).await;
    truth.set(8);
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 8);
    never.open(1);
    assert_eq!(value(hanging.await.unwrap()), 7);
    tokio::time::advance(Duration::from_millis(1)).await;
}
