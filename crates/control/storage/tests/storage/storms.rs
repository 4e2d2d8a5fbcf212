//! Many at once, cancelled at any point, on servers that are killed: what was promised is kept.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rstest::rstest;
use rstest_reuse::apply;
use warren_model::{
    AuditId, Random,
    ambient::random_bytes,
    audit::{Action, Actor},
    page::PageRequest,
};
use warren_runtime::SystemRandom;
use warren_storage::{
    AuditFilter, Config, Databases, Engine, StorageError, SystemModels, TenantModels, TransactionOptions, WorkContext,
};
use warren_testkit::servers::{DatabaseServer, FreshDatabases, ServerKind};

use crate::world::*;

fn random_below(bound: u64) -> u64 {
    u64::from_le_bytes(random_bytes(&SystemRandom as &dyn Random)) % bound
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_storm_of_deadlocks_every_transaction_succeeds_and_nothing_is_lost(engine: Engine) {
    const ROWS: u64 = 4;
    const TASKS: u64 = 8;
    const EACH: u64 = 60;
    let world = world(engine).await;
    let mut rows = Vec::new();
    for n in 0..ROWS {
        rows.push(world.organisation(&format!("o{n}")).await.0);
    }
    let (system, rows) = (world.databases.system_models().clone(), Arc::new(rows));
    let tasks = (0..TASKS).map(|_| {
        let (system, rows) = (system.clone(), Arc::clone(&rows));
        tokio::spawn(async move {
            for _ in 0..EACH {
                // Two rows in an order that differs from task to task: the recipe for a deadlock.
                let first = random_below(ROWS) as usize;
                let second = (first + 1 + random_below(ROWS - 1) as usize) % ROWS as usize;
                let (first, second) = (&rows[first], &rows[second]);
                let done = system.transaction(async |tx| {
                    for of in [first, second] {
                        let row = tx.organisations().by_id(of.id).await?.ok_or(StorageError::NotFound)?;
                        tokio::task::yield_now().await;
                        tx.organisations().update(&operate(), &row, row.revision).await?;
                    }
                    Ok::<_, StorageError>(())
                });
                done.await.expect("every transaction of the storm succeeds");
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let kept = system.organisations().page(&PageRequest::first_of_most()).await.unwrap();
    let changes: i64 = kept.items.iter().map(|row| row.revision - 1).sum();
    assert_eq!(changes, i64::try_from(2 * TASKS * EACH).unwrap());
    let counted = world.databases.status().system.transactions;
    let retries: u64 = counted.retries.iter().map(|(_, count)| count).sum();
    if engine != Engine::Sqlite {
        assert!(retries > 0, "it was no storm: {counted:?}");
    }
    assert_eq!(counted.attempts, retries + counted.took.count(), "{counted:?}");
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_transactions_cancelled_at_any_point_leave_nothing_open(engine: Engine) {
    const CANCELLED: u64 = 10_000;
    const TASKS: u64 = 8;
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let typical = {
        let begun = Instant::now();
        for _ in 0..20 {
            append_two(&tenant).await.unwrap();
        }
        begun.elapsed() / 20
    };
    let acknowledged = Arc::new(AtomicU64::new(20));
    let tasks = (0..TASKS).map(|_| {
        let (tenant, acknowledged) = (tenant.clone(), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            for _ in 0..CANCELLED / TASKS {
                // Up to a little past what one takes, so that some are cancelled in their commit.
                let limit = Duration::from_micros(random_below(1 + typical.as_micros() as u64 * 3 / 2));
                if let Ok(done) = tokio::time::timeout(limit, append_two(&tenant)).await {
                    done.unwrap();
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    // Every connection is used at the same time, by transactions that see only whole ones.
    let checks = (0..16).map(|_| append_two(&tenant));
    assert!(join_all(checks).await.iter().all(Result::is_ok), "a connection was poisoned");
    let entries = all_entries(&tenant).await;
    let acknowledged = acknowledged.load(Ordering::Relaxed) as usize + 16;
    assert_eq!(entries.len() % 2, 0, "half a transaction was kept");
    assert!(entries.len() / 2 >= acknowledged, "{} kept of {acknowledged} acknowledged", entries.len() / 2);
    assert!(entries.len() / 2 < CANCELLED as usize, "hardly any was cancelled");
    // What was cancelled is undone in the background.
    let at_rest = || {
        let status = world.databases.status();
        let mut pools = status.databases.iter().flat_map(|database| &database.pools);
        pools.all(|pool| (pool.now.active, pool.now.waiting) == (0, 0))
    };
    until(at_rest, "rest").await;
    assert_eq!(open_transactions(&world).await, 0);
}

/// A transaction of two statements; both entries are kept or neither.
async fn append_two(tenant: &TenantModels) -> Result<(), StorageError> {
    let entries = [entry(Action::DeviceEnrolled, Actor::System), entry(Action::DeviceRevoked, Actor::System)];
    tenant
        .transaction(async |tx| {
            for entry in &entries {
                tx.audit().append(entry).await?;
            }
            Ok(())
        })
        .await
}

async fn all_entries(tenant: &TenantModels) -> Vec<AuditId> {
    let (mut entries, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let request = PageRequest::new(Some(200), cursor.as_deref()).unwrap();
        let page = tenant.audit().page(&AuditFilter::default(), &request).await.unwrap();
        entries.extend(page.items.iter().map(|entry| entry.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return entries;
        }
    }
}

/// Transactions that the server still has open in this world's databases.
async fn open_transactions(world: &World) -> i64 {
    let Some(server) = world.ground.server() else { return 0 };
    let (url, prefix) = (server.url(), server.prefix().to_owned());
    let system = format!("{}/", url.rsplit_once('/').unwrap().0);
    if url.starts_with("postgres") {
        let pool = sqlx::PgPool::connect(&format!("{system}postgres")).await.unwrap();
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname LIKE $1 || '%' AND xact_start IS NOT NULL";
        sqlx::query_scalar(sql).bind(prefix).fetch_one(&pool).await.unwrap()
    } else {
        let pool = sqlx::MySqlPool::connect(&format!("{system}information_schema")).await.unwrap();
        let sql = "SELECT COUNT(*) FROM innodb_trx t JOIN processlist p ON p.id = t.trx_mysql_thread_id \
                   WHERE p.db LIKE CONCAT(?, '%')";
        sqlx::query_scalar(sql).bind(prefix).fetch_one(&pool).await.unwrap()
    }
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::postgresql(ServerKind::PostgreSql)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_killed_in_mid_load_loses_nothing_acknowledged_and_work_goes_on_without_a_restart(
    #[case] kind: ServerKind,
) {
    let server = DatabaseServer::start(kind).unwrap();
    let fresh = FreshDatabases::on(&server);
    let databases = open_with(Config::on_server(fresh.url().parse().unwrap())).await.unwrap();
    let organisation = organisation("acme");
    databases.create_tenant(organisation.id).await.unwrap();
    let tenant = databases.tenant_models(organisation.id).await.unwrap();
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let (failed, unknown) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (tenant, stop, acknowledged) = (tenant.clone(), Arc::clone(&stop), Arc::clone(&acknowledged));
            let (failed, unknown) = (Arc::clone(&failed), Arc::clone(&unknown));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let entry = entry(Action::DeviceEnrolled, Actor::System);
                    match tenant.transaction(async |tx| tx.audit().append(&entry).await).await {
                        Ok(()) => acknowledged.lock().unwrap().push(entry.id),
                        Err(StorageError::CommitUnknown { .. }) => _ = unknown.fetch_add(1, Ordering::Relaxed),
                        Err(StorageError::Unreachable { .. } | StorageError::Busy) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        Err(other) => panic!("an error that says something else: {other:?}"),
                    }
                }
            })
        })
        .collect();
    let count = || acknowledged.lock().unwrap().len();
    for round in 0..3 {
        let before = count();
        until(|| count() > before + 30, "work before the kill").await;
        server.kill().unwrap();
        until(|| failed.load(Ordering::Relaxed) > round, "a failure that is told").await;
        server.restart().unwrap();
        let after = count();
        until(|| count() > after + 30, "work after the restart").await;
    }
    stop.store(true, Ordering::Relaxed);
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let kept: HashSet<AuditId> = all_entries(&tenant).await.into_iter().collect();
    let acknowledged = acknowledged.lock().unwrap().clone();
    let lost = acknowledged.iter().filter(|id| !kept.contains(id)).count();
    assert_eq!(lost, 0, "of {} acknowledged", acknowledged.len());
    // What is more than acknowledged was reported as unknown.
    assert!(kept.len() - acknowledged.len() <= unknown.load(Ordering::Relaxed) as usize);
    drop(tenant);
    databases.close().await;
}

async fn until(is_so: impl Fn() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_noisy_tenant_does_not_starve_a_quiet_one(engine: Engine) {
    let bounds = |config| Config { connections_per_database_max: 4, connections_per_server_max: 5, ..config };
    let world = world_with(ground(engine), bounds).await;
    let (_, noisy) = world.organisation("noisy").await;
    let (_, quiet) = world.organisation("quiet").await;
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (noisy, stop) = (noisy.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    // Some are told that storage is busy: that is theirs to bear.
                    let _ = noisy
                        .with_transaction(&WorkContext::BACKGROUND, TransactionOptions::read_only(), async |tx| {
                            tx.networks().count().await?;
                            tokio::time::sleep(Duration::from_millis(20)).await;
                            Ok::<_, StorageError>(())
                        })
                        .await;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..40 {
        let begun = Instant::now();
        append_two(&quiet).await.expect("the quiet one is served");
        slowest = slowest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.store(true, Ordering::Relaxed);
    join_all(tasks).await;
    // The noisy line alone is 40 × 20 ms long at four at once, 200 ms for each place in it.
    assert!(slowest < Duration::from_secs(1), "the quiet tenant waited {slowest:?}");
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn more_tenants_than_a_server_has_connections_all_get_their_turn(engine: Engine) {
    let bounds = |config| Config { connections_per_server_max: 4, ..config };
    let world = world_with(ground(engine), bounds).await;
    let mut tenants = Vec::new();
    for n in 0..10 {
        tenants.push(world.organisation(&format!("o{n}")).await.1);
    }
    let work = tenants.iter().map(|tenant| async move {
        for _ in 0..5 {
            append_two(tenant).await?;
        }
        Ok::<_, StorageError>(())
    });
    for done in join_all(work).await {
        done.unwrap();
    }
    let status = world.databases.status();
    if let Some(server) = status.server {
        let (used, max) = (server.connections, server.connections_max);
        assert!(used <= max, "{used} of {max}");
        assert_eq!(max, 4);
    }
}

#[tokio::test]
async fn a_closed_pool_lets_nobody_wait_for_ever() {
    let world = world(Engine::Sqlite).await;
    let databases: Databases = world.databases.clone();
    let system: SystemModels = databases.system_models().clone();
    let held = tokio::spawn({
        let system = system.clone();
        async move {
            system
                .transaction(async |_| {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    Ok::<_, StorageError>(())
                })
                .await
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let waiting = tokio::spawn(async move { system.transaction(async |_| Ok::<_, StorageError>(())).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    world.databases.close().await;
    assert!(held.await.unwrap().is_ok(), "the transaction under way was cut off");
    assert!(matches!(waiting.await.unwrap(), Err(StorageError::Busy)));
}
