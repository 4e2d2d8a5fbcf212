//! Transactions leave nothing behind, whatever happens in between.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use warren_runtime::SystemClock;
use warren_storage::{Config, Databases, StorageError};

use crate::world::*;

#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Mine,
    Storage(String),
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::Storage(error.to_string())
    }
}

#[tokio::test]
async fn an_error_undoes_everything_and_comes_back_as_it_was() {
    let world = world().await;
    let system = world.databases.system_models();
    let outcome: Result<(), Refusal> = system
        .transaction(async |tx| {
            tx.organisations().insert(&operate(), &organisation("acme")).await?;
            Err(Refusal::Mine)
        })
        .await;
    assert_eq!(outcome, Err(Refusal::Mine));
    assert_eq!(system.organisations().count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_refused_statement_does_not_hinder_those_after_it() {
    let world = world().await;
    world.organisation("acme").await;
    let system = world.databases.system_models();
    system
        .transaction(async |tx| {
            let taken = tx.organisations().insert(&operate(), &organisation("acme")).await;
            assert!(matches!(taken, Err(StorageError::Conflict(_))));
            tx.organisations().insert(&operate(), &organisation("other")).await
        })
        .await
        .unwrap();
    assert_eq!(system.organisations().count().await.unwrap(), 2);
}

#[tokio::test]
async fn a_panic_undoes_everything_and_the_next_goes_on() {
    let world = world().await;
    let system = world.databases.system_models();
    let panicking = std::panic::AssertUnwindSafe(system.transaction(async |tx| -> Result<(), StorageError> {
        tx.organisations().insert(&operate(), &organisation("acme")).await?;
        panic!("on purpose");
    }));
    assert!(panicking.catch_unwind().await.is_err());
    assert_eq!(system.organisations().count().await.unwrap(), 0);
    world.organisation("acme").await;
}

#[tokio::test]
async fn effects_happen_after_the_commit_and_only_then() {
    let world = world().await;
    let system = world.databases.system_models();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = |by: usize| {
        let seen = Arc::clone(&seen);
        move || _ = seen.fetch_add(by, Ordering::SeqCst)
    };
    let undone: Result<(), _> = system
        .transaction(async |tx| {
            tx.after_commit(count(100));
            Err(StorageError::Stale)
        })
        .await;
    assert!(undone.is_err());
    let during = system
        .transaction(async |tx| {
            tx.after_commit(count(1));
            tx.after_commit(count(10));
            Ok::<_, StorageError>(seen.load(Ordering::SeqCst))
        })
        .await;
    assert_eq!(during.unwrap(), 0);
    assert_eq!(seen.load(Ordering::SeqCst), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_dropped_at_any_point_leave_nothing_open() {
    let world = world().await;
    let system = world.databases.system_models();
    let mut acknowledged = 0_u64;
    // From before BEGIN to after COMMIT, in steps finer than any of them takes.
    for round in 0..400_u64 {
        let organisation = organisation(&format!("o{round}"));
        let work = system.transaction(async |tx| {
            tx.organisations().insert(&operate(), &organisation).await?;
            tx.organisations().by_id(organisation.id).await?;
            tx.organisations().update(&operate(), &organisation, 1).await
        });
        let limit = Duration::from_micros(round * 10);
        if let Ok(done) = tokio::time::timeout(limit, work).await {
            done.unwrap();
            acknowledged += 1;
        }
    }
    let whole = organisation("last");
    system.transaction(async |tx| tx.organisations().insert(&operate(), &whole).await).await.unwrap();
    let kept = system.organisations().page(&warren_model::page::PageRequest::first_of_most()).await.unwrap();
    assert!(kept.items.iter().all(|kept| kept.revision == 2 || kept.id == whole.id), "half a transaction was kept");
    let count = system.organisations().count().await.unwrap();
    assert!(count > acknowledged, "{count} were kept of {acknowledged} acknowledged");
    assert!(acknowledged > 0 && acknowledged < 400, "{acknowledged} of 400: the limits no longer straddle the work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_what_was_committed_while_a_writer_is_at_work() {
    let world = world().await;
    let system = world.databases.system_models();
    system
        .transaction(async |tx| {
            tx.organisations().insert(&operate(), &organisation("acme")).await?;
            assert_eq!(tx.organisations().count().await?, 1);
            assert_eq!(system.organisations().count().await?, 0);
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    assert_eq!(system.organisations().count().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_take_turns_in_the_order_of_asking() {
    let world = world().await;
    let system = world.databases.system_models().clone();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (start, started) = tokio::sync::oneshot::channel::<()>();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let first = tokio::spawn({
        let system = system.clone();
        async move {
            let held = system.transaction(async |_| {
                start.send(()).unwrap();
                gone.await.unwrap();
                Ok::<_, StorageError>(())
            });
            held.await.unwrap();
        }
    });
    started.await.unwrap();
    let mut waiting = Vec::new();
    for n in 0..20 {
        let (system, order) = (system.clone(), Arc::clone(&order));
        waiting.push(tokio::spawn(async move {
            let turn = system.transaction(async |_| {
                order.lock().unwrap().push(n);
                Ok::<_, StorageError>(())
            });
            turn.await.unwrap();
        }));
        // Each has asked before the next one does.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    go.send(()).unwrap();
    join_all(waiting).await;
    first.await.unwrap();
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_hears_that_storage_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { acquire_timeout: Duration::from_millis(50), ..Config::new(folder.path().to_owned()) };
    let databases = Databases::open(config, Arc::new(SystemClock)).await.unwrap();
    let system = databases.system_models();
    let outcome: Result<(), StorageError> = system
        .transaction(async |_| {
            let second: Result<(), StorageError> = system.transaction(async |_| Ok(())).await;
            second
        })
        .await;
    assert!(matches!(outcome, Err(StorageError::Busy)), "{outcome:?}");
    system.transaction(async |_| Ok::<_, StorageError>(())).await.unwrap();
}

#[tokio::test]
async fn a_closed_storage_says_that_it_is_busy() {
    let world = world().await;
    let (acme, tenant) = world.organisation("acme").await;
    let other = world.databases.clone();
    drop(tenant);
    world.databases.close().await;
    assert!(matches!(other.tenant_models(acme.id).await, Err(StorageError::Busy)));
    let late = other.system_models().transaction(async |_| Ok::<_, StorageError>(())).await;
    assert!(matches!(late, Err(StorageError::Busy)), "{late:?}");
    assert!(matches!(other.system_models().organisations().count().await, Err(StorageError::Busy)));
    let left: Vec<_> =
        std::fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the write-ahead log was not emptied: {left:?}");
}
