//! Caches keep to their memory, and refuse to be set up wrongly.

use warren_cache::{Cache, CacheError, Definition, INVALIDATIONS_MAX, Invalidations, Loaded, Scope, TAGS_MAX, Tag};

use crate::support::*;

#[tokio::test]
async fn a_cache_keeps_to_its_part_of_the_memory() {
    let caches = caches();
    let texts: Cache<u32, String, Unavailable> =
        caches.cache(Definition::in_memory("texts", FRESH_FOR).memory_percent(10).weigh(String::capacity)).unwrap();
    for key in 0..1000 {
        texts.get(Scope::Installation, &key, || async { Ok(Loaded::found("x".repeat(1000))) }).await.unwrap();
    }
    let status = &caches.status().caches[0];
    assert_eq!(status.weight_bytes_max, MEGABYTE / 10);
    assert!(status.weight_bytes <= status.weight_bytes_max, "{status:?}");
    assert!((50..=105).contains(&status.entries), "{status:?}");
    assert!(status.tally.evictions >= 800, "{status:?}");
}

#[tokio::test]
async fn two_caches_of_one_name_and_more_memory_than_there_is_are_refused() {
    let caches = caches();
    let _first: Numbers = caches.cache(NUMBERS.memory_percent(60)).unwrap();
    let again = caches.cache::<u32, u64, Unavailable>(NUMBERS).unwrap_err();
    assert!(matches!(again, CacheError::NameTaken { name: "numbers" }), "{again}");
    let more = Definition::<u64>::in_memory("more", FRESH_FOR).memory_percent(41);
    let too_much = caches.cache::<u32, u64, Unavailable>(more).unwrap_err();
    assert!(too_much.to_string().contains("101 %"), "{too_much}");
}

#[tokio::test]
async fn a_value_with_too_many_tags_is_given_and_not_kept() {
    let (_, numbers) = numbers(NUMBERS);
    let truth = Truth::of(1);
    for (tags, reads) in [(TAGS_MAX, 1), (TAGS_MAX, 1), (TAGS_MAX + 1, 2), (TAGS_MAX + 1, 3)] {
        let load = || {
            let truth = truth.clone();
            async move {
                let loaded = Loaded::found(truth.read()?);
                Ok((0..tags as u128).fold(loaded, |loaded, number| loaded.tag(Tag::Account(account(number)))))
            }
        };
        assert_eq!(value(numbers.get(Scope::Installation, &u32::try_from(tags).unwrap(), load).await), 1);
        assert_eq!(truth.reads(), reads);
    }
}

#[tokio::test]
async fn a_batch_that_names_too_much_gives_everything_up() {
    let (caches, numbers) = numbers(NUMBERS);
    let truth = Truth::of(1);
    value(numbers.get(Scope::Installation, &1, || truth.load()).await);
    let mut batch = Invalidations::new();
    for number in 0..=INVALIDATIONS_MAX as u128 {
        batch.add_tag(Tag::Account(account(number)));
    }
    truth.set(2);
    caches.invalidate(batch).await;
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 2);
}

#[tokio::test]
async fn what_the_loader_does_not_want_kept_is_not() {
    let (_, numbers) = numbers(NUMBERS);
    let truth = Truth::of(1);
    for reads in 1..=2 {
        let load = truth.load();
        value(numbers.get(Scope::Installation, &1, || async { Ok(load.await?.not_kept()) }).await);
        assert_eq!(truth.reads(), reads);
    }
}
