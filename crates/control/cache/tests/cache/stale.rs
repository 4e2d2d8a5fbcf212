//! Values past their time: served while they are loaded anew, or when they cannot be.

use std::time::Duration;

use warren_cache::{Definition, Loaded, REFRESHES_MAX, RETRY_AFTER, Scope};

use crate::support::*;

const SPAN: Duration = Duration::from_secs(30);
const WHILE_LOADING: Definition<u64> = NUMBERS.stale_while_loading(SPAN);
const ON_ERROR: Definition<u64> = NUMBERS.stale_on_error(SPAN);
const JUST_BEFORE: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_value_past_its_time_is_loaded_again() {
    let (_, numbers) = numbers(NUMBERS);
    let truth = Truth::of(1);
    let get = || numbers.get(Scope::Installation, &1, || truth.load());
    assert_eq!(value(get().await), 1);
    truth.set(2);
    tokio::time::advance(FRESH_FOR - JUST_BEFORE).await;
    assert_eq!(value(get().await), 1);
    tokio::time::advance(JUST_BEFORE).await;
    assert_eq!(value(get().await), 2);
}

#[tokio::test(start_paused = true)]
async fn chance_takes_up_to_a_tenth_off() {
    let caches = caches_with(Bytes(0xff));
    let numbers: Numbers = caches.cache(NUMBERS).unwrap();
    let truth = Truth::of(1);
    value(numbers.get(Scope::Installation, &1, || truth.load()).await);
    tokio::time::advance(FRESH_FOR.mul_f64(0.9) - JUST_BEFORE).await;
    value(numbers.get(Scope::Installation, &1, || truth.load()).await);
    assert_eq!(truth.reads(), 1);
    tokio::time::advance(2 * JUST_BEFORE).await;
    value(numbers.get(Scope::Installation, &1, || truth.load()).await);
    assert_eq!(truth.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_loader_may_shorten_the_time() {
    let (_, numbers) = numbers(WHILE_LOADING.stale_on_error(SPAN));
    let truth = Truth::of(1);
    let ends_soon = || {
        let truth = truth.clone();
        async move { Ok(Loaded::found(truth.read()?).fresh_for_at_most(Duration::from_secs(5))) }
    };
    assert_eq!(value(numbers.get(Scope::Installation, &1, ends_soon).await), 1);
    truth.set(2);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(value(numbers.get(Scope::Installation, &1, ends_soon).await), 2, "not even stale");
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_served_at_once_and_loaded_anew_once() {
    let (caches, numbers) = numbers(WHILE_LOADING);
    let (truth, gate) = (Truth::of(1), Gate::shut());
    value(numbers.get(Scope::Installation, &1, || truth.load()).await);
    truth.set(2);
    tokio::time::advance(FRESH_FOR).await;
    for _ in 0..10 {
        assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await), 1);
    }
    gate.reached().await;
    gate.open(1);
    settle().await;
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 2);
    assert_eq!(truth.reads(), 2);
    assert_eq!(tally(&caches).stale_served, 10);

    tokio::time::advance(FRESH_FOR + SPAN).await;
    truth.set(3);
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 3, "too old to be served");
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_that_was_given_up_is_not_served() {
    let (_, numbers) = numbers(WHILE_LOADING.stale_on_error(SPAN));
    let truth = Truth::of(1);
    value(numbers.get(Scope::Installation, &1, || truth.load()).await);
    tokio::time::advance(FRESH_FOR).await;
    truth.set(2);
    numbers.invalidate(Scope::Installation, &1).await;
    truth.fail("gone");
    assert_eq!(numbers.get(Scope::Installation, &1, || truth.load()).await.unwrap_err(), Unavailable("gone"));
    truth.mend();
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 2);
}

#[tokio::test(start_paused = true)]
async fn loads_behind_stale_values_are_bounded() {
    let (caches, numbers) = numbers(WHILE_LOADING);
    let (truth, gate) = (Truth::of(1), Gate::shut());
    let keys = 0..u32::try_from(REFRESHES_MAX).unwrap() + 10;
    for key in keys.clone() {
        value(numbers.get(Scope::Installation, &key, || truth.load()).await);
    }
    tokio::time::advance(FRESH_FOR).await;
    for key in keys {
        assert_eq!(value(numbers.get(Scope::Installation, &key, || truth.load_through(&gate)).await), 1);
    }
    assert_eq!(caches.status().caches[0].loading, REFRESHES_MAX);
    gate.open(REFRESHES_MAX);
    settle().await;
    assert_eq!(caches.status().caches[0].loading, 0);
}

#[tokio::test(start_paused = true)]
async fn when_loading_fails_the_last_value_is_served_with_an_attempt_now_and_then() {
    let (caches, numbers) = numbers(ON_ERROR);
    let truth = Truth::of(1);
    let get = || numbers.get(Scope::Installation, &1, || truth.load());
    value(get().await);
    truth.fail("gone");
    tokio::time::advance(FRESH_FOR).await;
    for _ in 0..10 {
        assert_eq!(value(get().await), 1);
    }
    assert_eq!(truth.reads(), 2, "one attempt");
    assert_eq!(tally(&caches).stale_on_error, 10);
    tokio::time::advance(RETRY_AFTER).await;
    assert_eq!(value(get().await), 1);
    assert_eq!(truth.reads(), 3);
    tokio::time::advance(SPAN - RETRY_AFTER).await;
    assert_eq!(get().await.unwrap_err(), Unavailable("gone"), "too old even for that");
    truth.mend();
    truth.set(2);
    assert_eq!(value(get().await), 2);
}
