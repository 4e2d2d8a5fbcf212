//! That there is no such thing is kept too, where that is wanted.

use std::time::Duration;

use warren_cache::{Loaded, Scope};

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn absence_is_kept_for_its_own_time_and_given_up_like_a_value() {
    let (caches, numbers) = numbers(NUMBERS.absent_for(Duration::from_secs(5)));
    let truth = Truth::of(1);
    let absent = || {
        let truth = truth.clone();
        async move { truth.read().map(|_| Loaded::absent()) }
    };
    assert!(numbers.get(Scope::Installation, &1, absent).await.unwrap().is_none());
    assert!(numbers.get(Scope::Installation, &1, absent).await.unwrap().is_none());
    assert_eq!(truth.reads(), 1);
    assert_eq!((tally(&caches).hits, tally(&caches).absent_hits), (1, 1));

    numbers.invalidate(Scope::Installation, &1).await;
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 1, "it was made");

    assert!(numbers.get(Scope::Installation, &2, absent).await.unwrap().is_none());
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(value(numbers.get(Scope::Installation, &2, || truth.load()).await), 1);
}

#[tokio::test(start_paused = true)]
async fn absence_is_not_kept_unless_that_is_said() {
    let (_, numbers) = numbers(NUMBERS);
    let absent = || async { Ok(Loaded::absent()) };
    assert!(numbers.get(Scope::Installation, &1, absent).await.unwrap().is_none());
    assert_eq!(value(numbers.get(Scope::Installation, &1, || Truth::of(1).load()).await), 1);
}
