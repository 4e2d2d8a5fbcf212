//! Transactions leave nothing behind, whatever happens in between.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use rstest::rstest;
use rstest_reuse::apply;
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{
    Config, Conflict, Databases, Engine, StorageError, SystemModels, TransactionOptions, WorkContext,
};

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

#[apply(on_every_database)]
#[tokio::test]
async fn an_error_undoes_everything_and_comes_back_as_it_was(engine: Engine) {
    let world = world(engine).await;
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

#[apply(on_every_database)]
#[tokio::test]
async fn a_refused_statement_ends_its_transaction_even_when_the_refusal_is_passed_over(engine: Engine) {
    let world = world(engine).await;
    world.organisation("acme").await;
    let system = world.databases.system_models();
    let outcome = system
        .transaction(async |tx| {
            tx.organisations().insert(&operate(), &organisation("before")).await?;
            let taken = tx.organisations().insert(&operate(), &organisation("acme")).await;
            assert!(matches!(taken, Err(StorageError::Conflict(_))));
            let after = tx.organisations().insert(&operate(), &organisation("after")).await;
            assert!(matches!(after, Err(StorageError::Conflict(Conflict::SlugTaken))), "{after:?}");
            Ok::<_, StorageError>(())
        })
        .await;
    assert!(matches!(outcome, Err(StorageError::Conflict(Conflict::SlugTaken))), "{outcome:?}");
    assert_eq!(system.organisations().count().await.unwrap(), 1);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_refusal_in_a_nested_transaction_undoes_that_one_alone(engine: Engine) {
    let world = world(engine).await;
    world.organisation("acme").await;
    let system = world.databases.system_models();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = |by: usize| {
        let seen = Arc::clone(&seen);
        move || _ = seen.fetch_add(by, Ordering::SeqCst)
    };
    system
        .transaction(async |tx| {
            tx.organisations().insert(&operate(), &organisation("outer")).await?;
            let refused: Result<(), StorageError> = tx
                .nested(async |tx| {
                    tx.after_commit(count(100));
                    tx.organisations().insert(&operate(), &organisation("undone")).await?;
                    // One that succeeds goes with the one around it.
                    tx.nested(async |tx| tx.organisations().insert(&operate(), &organisation("inner")).await).await?;
                    tx.organisations().insert(&operate(), &organisation("acme")).await
                })
                .await;
            assert!(matches!(refused, Err(StorageError::Conflict(Conflict::SlugTaken))), "{refused:?}");
            tx.nested(async |tx| {
                tx.after_commit(count(1));
                tx.organisations().insert(&operate(), &organisation("kept")).await
            })
            .await?;
            tx.organisations().insert(&operate(), &organisation("last")).await
        })
        .await
        .unwrap();
    assert_eq!(slugs(system).await, ["acme", "kept", "last", "outer"]);
    assert_eq!(seen.load(Ordering::SeqCst), 1, "an effect of what was undone happened");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_nested_transaction_that_nobody_waits_for_is_undone(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    system
        .transaction(async |tx| {
            tx.organisations().insert(&operate(), &organisation("outer")).await?;
            let left = tx.nested(async |tx| {
                tx.organisations().insert(&operate(), &organisation("left")).await?;
                std::future::pending::<Result<(), StorageError>>().await
            });
            assert!(tokio::time::timeout(Duration::from_millis(100), left).await.is_err());
            tx.organisations().insert(&operate(), &organisation("last")).await
        })
        .await
        .unwrap();
    assert_eq!(slugs(system).await, ["last", "outer"]);
}

#[apply(on_every_database)]
#[tokio::test]
async fn work_that_takes_too_long_is_undone_and_says_so(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let options = TransactionOptions { time_limit: Duration::from_millis(200), ..TransactionOptions::default() };
    let late: Result<(), StorageError> = system
        .with_transaction(&WorkContext::BACKGROUND, options, async |tx| {
            tx.organisations().insert(&operate(), &organisation("late")).await?;
            std::future::pending().await
        })
        .await;
    assert!(matches!(late, Err(StorageError::TimedOut { .. })), "{late:?}");
    world.organisation("next").await;
    assert_eq!(slugs(system).await, ["next"]);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_reading_transaction_sees_one_moment_and_writes_nothing(engine: Engine) {
    let world = world(engine).await;
    world.organisation("acme").await;
    let system = world.databases.system_models();
    system
        .with_transaction(&WorkContext::BACKGROUND, TransactionOptions::read_only(), async |tx| {
            assert_eq!(tx.organisations().count().await?, 1);
            system.transaction(async |tx| tx.organisations().insert(&operate(), &organisation("new")).await).await?;
            assert_eq!(tx.organisations().count().await?, 1, "it saw what was committed after it began");
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    let refused = system
        .with_transaction(&WorkContext::BACKGROUND, TransactionOptions::read_only(), async |tx| {
            tx.organisations().insert(&operate(), &organisation("other")).await
        })
        .await;
    assert!(matches!(refused, Err(StorageError::ReadOnly { .. })), "{refused:?}");
    assert_eq!(slugs(system).await, ["acme", "new"]);
}

async fn slugs(system: &SystemModels) -> Vec<String> {
    let page = system.organisations().page(&warren_model::page::PageRequest::first_of_most()).await.unwrap();
    let mut slugs: Vec<_> = page.items.iter().map(|organisation| organisation.slug.to_string()).collect();
    slugs.sort_unstable();
    slugs
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_panic_undoes_everything_and_the_next_goes_on(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let panicking = std::panic::AssertUnwindSafe(system.transaction(async |tx| -> Result<(), StorageError> {
        tx.organisations().insert(&operate(), &organisation("acme")).await?;
        panic!("on purpose");
    }));
    assert!(panicking.catch_unwind().await.is_err());
    assert_eq!(system.organisations().count().await.unwrap(), 0);
    world.organisation("acme").await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn effects_happen_after_the_commit_and_only_then(engine: Engine) {
    let world = world(engine).await;
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

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_dropped_at_any_point_leave_nothing_open(engine: Engine) {
    let world = world(engine).await;
    let system = world.databases.system_models();
    let mut acknowledged = 0_u64;
    let begun = std::time::Instant::now();
    for n in 0..20 {
        world.account(&format!("a{n}@example.org")).await;
    }
    let typical = begun.elapsed() / 20;
    // From before BEGIN to well after COMMIT, in steps finer than any of them takes.
    for round in 0..400_u32 {
        let organisation = organisation(&format!("o{round}"));
        let work = system.transaction(async |tx| {
            tx.organisations().insert(&operate(), &organisation).await?;
            tx.organisations().by_id(organisation.id).await?;
            tx.organisations().update(&operate(), &organisation, 1).await
        });
        let limit = typical * round / 50;
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

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_what_was_committed_while_a_writer_is_at_work(engine: Engine) {
    let world = world(engine).await;
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
    let world = world(Engine::Sqlite).await;
    let system = world.databases.system_models().clone();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (started, go) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let first = tokio::spawn({
        let (system, started, go) = (system.clone(), Arc::clone(&started), Arc::clone(&go));
        async move {
            let held = system.transaction(async |_| {
                started.notify_one();
                go.notified().await;
                Ok::<_, StorageError>(())
            });
            held.await.unwrap();
        }
    });
    started.notified().await;
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
    go.notify_one();
    join_all(waiting).await;
    first.await.unwrap();
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_waits_too_long_for_a_turn_hears_that_storage_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { acquire_timeout: Duration::from_millis(50), ..Config::new(folder.path().to_owned()) };
    let databases = Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
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
    let world = world(Engine::Sqlite).await;
    let (acme, tenant) = world.organisation("acme").await;
    let other = world.databases.clone();
    drop(tenant);
    world.databases.close().await;
    assert!(matches!(other.tenant_models(acme.id).await, Err(StorageError::Busy)));
    let late = other.system_models().transaction(async |_| Ok::<_, StorageError>(())).await;
    assert!(matches!(late, Err(StorageError::Busy)), "{late:?}");
    assert!(matches!(other.system_models().organisations().count().await, Err(StorageError::Busy)));
    let left: Vec<_> =
        std::fs::read_dir(world.ground.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "the write-ahead log was not emptied: {left:?}");
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_runs_in_turn_sees_all_that_ran_in_turn_before_it(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let (begun, go) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let first = tokio::spawn({
        let (tenant, begun, go) = (tenant.clone(), Arc::clone(&begun), Arc::clone(&go));
        async move {
            let insert = tenant.in_turn(async |tx| {
                begun.notify_one();
                go.notified().await;
                let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
                tx.networks().insert(&networks_of(tx.organisation()), &office, b"sealed").await
            });
            insert.await.unwrap();
        }
    });
    begun.notified().await;
    // It only reads, and could seem to have run before the first one; in turn it cannot.
    let second = tokio::spawn({
        let tenant = tenant.clone();
        async move { tenant.in_turn(async |tx| tx.networks().count().await).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished(), "it did not wait for its turn");
    go.notify_one();
    first.await.unwrap();
    assert_eq!(second.await.unwrap(), 1);
}
