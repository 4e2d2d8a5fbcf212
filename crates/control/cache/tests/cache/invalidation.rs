//! What was given up is not served, whatever is under way.

use warren_cache::{Invalidations, Loaded, Scope, Tag, Topic};

use crate::support::*;

const DEVICES: Topic = Topic::new("devices");

#[tokio::test(start_paused = true)]
async fn an_entry_goes_with_each_of_its_tags_and_with_no_other() {
    let (caches, numbers) = numbers(NUMBERS);
    let scope = organisation(1);
    let truth = Truth::of(0);
    let tagged = || {
        let truth = truth.clone();
        async move {
            let loaded = truth.read().map(Loaded::found)?;
            Ok(loaded.tag(Tag::Account(account(7))).tag(Tag::Topic(organisation(1), DEVICES)))
        }
    };
    let mut entry = Invalidations::new();
    entry.add_entry(&numbers, scope, &1);
    let mut all_of_it = Invalidations::new();
    all_of_it.add_cache(&numbers);
    let mut of_the_scope = Invalidations::new();
    of_the_scope.add_scope(scope);
    for (number, batch) in (1..).zip([
        Invalidations::new().tag(Tag::Account(account(7))),
        Invalidations::new().tag(Tag::Topic(scope, DEVICES)),
        Invalidations::new().tag(Tag::Organisation(organisation_id(1))),
        entry,
        all_of_it,
        of_the_scope,
        Invalidations::everything(),
    ]) {
        value(numbers.get(scope, &1, tagged).await);
        let mut others = Invalidations::new();
        others.add_entry(&numbers, scope, &2);
        others.add_entry(&numbers, organisation(2), &1);
        others.add_tag(Tag::Account(account(8)));
        others.add_tag(Tag::Topic(organisation(2), DEVICES));
        others.add_tag(Tag::Organisation(organisation_id(2)));
        others.add_scope(Scope::Installation);
        truth.set(number);
        caches.invalidate(others).await;
        assert_eq!(value(numbers.get(scope, &1, tagged).await), number - 1, "nothing of it was given up");
        caches.invalidate(batch.clone()).await;
        assert_eq!(value(numbers.get(scope, &1, tagged).await), number, "{batch:?}");
    }
    assert_eq!(tally(&caches).invalidated, 7);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_began_before_an_invalidation_is_given_to_those_before_and_to_nobody_after() {
    let (caches, numbers) = numbers(NUMBERS);
    let (truth, gate) = (Truth::of(1), Gate::shut());
    let load = |numbers: Numbers, truth: Truth, gate: Gate| async move {
        numbers.get(Scope::Installation, &1, || truth.load_through(&gate)).await
    };
    let before = tokio::spawn(load(numbers.clone(), truth.clone(), gate.clone()));
    gate.reached().await;

    truth.set(2);
    numbers.invalidate(Scope::Installation, &1).await;
    let after: Vec<_> = (0..10).map(|_| tokio::spawn(load(numbers.clone(), truth.clone(), gate.clone()))).collect();
    settle().await;
    gate.open(1);
    assert_eq!(value(before.await.unwrap()), 1);

    gate.reached().await;
    gate.open(1);
    for after in after {
        assert_eq!(value(after.await.unwrap()), 2);
    }
    assert_eq!(truth.reads(), 2, "those after shared a load");
    assert_eq!(value(numbers.get(Scope::Installation, &1, || truth.load()).await), 2);
    assert_eq!(tally(&caches).overtaken, 1);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_the_load_only_learns_of_counts_from_its_beginning() {
    let (caches, numbers) = numbers(NUMBERS);
    let (truth, gate) = (Truth::of(1), Gate::shut());
    let tagged = |numbers: Numbers, truth: Truth, gate: Gate| async move {
        let loading = truth.load_through(&gate);
        numbers.get(Scope::Installation, &1, || async move { Ok(loading.await?.tag(Tag::Account(account(7)))) }).await
    };
    let before = tokio::spawn(tagged(numbers.clone(), truth.clone(), gate.clone()));
    gate.reached().await;
    truth.set(2);
    caches.invalidate_tag(Tag::Account(account(7))).await;
    gate.open(2);
    assert_eq!(value(before.await.unwrap()), 1);
    assert_eq!(value(tagged(numbers, truth, gate).await), 2);
}

#[tokio::test(start_paused = true)]
async fn with_each_change_told_nobody_sees_what_is_older_than_their_question() {
    let (caches, numbers) = numbers(NUMBERS);
    let truth = Truth::of(0);
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (numbers, truth) = (numbers.clone(), truth.clone());
        readers.spawn(async move {
            for _ in 0..200 {
                // What is committed and told by now.
                let told = truth.read().unwrap();
                let seen = value(
                    numbers
                        .get(Scope::Installation, &1, || {
                            let truth = truth.clone();
                            async move {
                                let read = truth.read().map(Loaded::found);
                                tokio::task::yield_now().await;
                                read
                            }
                        })
                        .await,
                );
                assert!(seen >= told, "{seen} though {told} was told");
                tokio::task::yield_now().await;
            }
        });
    }
    for number in 1..=200 {
        // Told in the same step in which it changes, so that the readers' first look is at what is told.
        let mut batch = Invalidations::new();
        batch.add_entry(&numbers, Scope::Installation, &1);
        truth.set(number);
        caches.invalidate(batch).await;
        tokio::task::yield_now().await;
    }
    while let Some(reader) = readers.join_next().await {
        reader.unwrap();
    }
}
