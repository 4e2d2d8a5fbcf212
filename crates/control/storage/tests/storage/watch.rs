//! The watch: what takes long is suspected, what runs out is told before it has, and who is busy is seen.

use std::{
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rstest::rstest;
use rstest_reuse::apply;
use tokio::{sync::oneshot, task::JoinHandle};
use tracing::Instrument;
use warren_model::{
    RequestId,
    audit::{Action, Actor},
};
use warren_runtime::SystemRandom;
use warren_storage::{
    Config, Databases, Engine, ShortageOf, ShortageSign, StorageError, SuspicionKind, SuspicionState, SuspicionView,
    TenantModels, WatchLimits, WorkContext,
};

use crate::world::*;

const NEVER: Duration = Duration::from_secs(3600);
const NONE: WatchLimits = WatchLimits {
    statement: NEVER,
    idle_in_hand: NEVER,
    transaction: NEVER,
    head_waited: NEVER,
    line_looks: 3,
    waited: NEVER,
};
/// Longer than this machine takes for anything here.
const PATIENT: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(60);

async fn watched(engine: Engine, watch: WatchLimits) -> World {
    world_with(ground(engine), |config| Config { watch, ..config }).await
}

async fn append(tenant: &TenantModels) -> Result<(), StorageError> {
    let entry = entry(Action::NetworkCreated, Actor::System);
    tenant.transaction(async |tx| tx.audit().append(&entry).await).await
}

/// A transaction that does nothing until it is let go.
async fn hold(tenant: &TenantModels) -> (oneshot::Sender<()>, JoinHandle<Result<(), StorageError>>) {
    let (let_go, going) = oneshot::channel::<()>();
    let (opened, is_open) = oneshot::channel();
    let once = Arc::new(Mutex::new(Some((opened, going))));
    let tenant = tenant.clone();
    let holding = tokio::spawn(async move {
        tenant
            .transaction(async |_| {
                let (opened, going) = once.lock().unwrap().take().unwrap();
                opened.send(()).unwrap();
                let _ = going.await;
                Ok(())
            })
            .await
    });
    is_open.await.unwrap();
    (let_go, holding)
}

fn suspicions(databases: &Databases) -> Vec<SuspicionView> {
    databases.watch_once();
    databases.status().suspicions
}

/// Looks until something is suspected.
async fn suspected(databases: &Databases) -> Vec<SuspicionView> {
    let begun = Instant::now();
    loop {
        let found = suspicions(databases);
        if !found.is_empty() {
            return found;
        }
        assert!(begun.elapsed() < PATIENT, "nothing was suspected");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The log from here on.
fn log() -> Arc<Mutex<Vec<u8>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    struct Kept(Arc<Mutex<Vec<u8>>>);
    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let writer = Arc::clone(&kept);
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || Kept(Arc::clone(&writer))).finish();
    tracing::subscriber::set_global_default(lines).expect("each test is a process of its own");
    kept
}

fn lines_with(log: &Mutex<Vec<u8>>, what: &str) -> Vec<String> {
    let text = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    text.lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_held_idle_is_suspected_with_place_span_and_request(engine: Engine) {
    let log = log();
    let world = watched(engine, WatchLimits { idle_in_hand: SOON, ..NONE }).await;
    let (acme, tenant) = world.organisation("acme").await;
    let request = RequestId::generate(NOW, &SystemRandom);
    let work = WorkContext::of_request(request, None);
    let span = tracing::info_span!("request", id = %request);
    let (let_go, going) = oneshot::channel::<()>();
    let going = Arc::new(Mutex::new(Some(going)));
    let work_of_request = tenant.within(work);
    let line = line!() + 2;
    let holding = async move {
        let outcome = work_of_request.transaction(async |_| {
            let going = going.lock().unwrap().take().unwrap();
            let _ = going.await;
            Ok::<_, StorageError>(())
        });
        outcome.await
    };
    let holding = tokio::spawn(holding.instrument(span));
    let found = suspected(&world.databases).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind, found[0].organisation), (SuspicionKind::IdleInHand, Some(acme.id)));
    assert_eq!(found[0].asked_at.as_deref(), Some(format!("{}:{line}", file!()).as_str()));
    assert_eq!((found[0].request, found[0].span), (Some(request), Some("request")));
    assert!(matches!(found[0].state, SuspicionState::Ongoing(held) if held >= SOON), "{found:?}");
    let (held_until, since) = (SOON * 4, found[0].since);
    tokio::time::sleep(held_until.saturating_sub(since.elapsed())).await;
    // It is told once, however long it takes.
    assert_eq!(suspicions(&world.databases).len(), 1);
    let before = since.elapsed();
    let_go.send(()).unwrap();
    holding.await.unwrap().unwrap();
    let found = suspicions(&world.databases);
    let SuspicionState::Over(took) = found[0].state else { panic!("{found:?}") };
    assert!(took >= before && took <= since.elapsed(), "{took:?}");
    assert_eq!(world.databases.status().suspicions_counted[1], (SuspicionKind::IdleInHand, 1));

    let told = lines_with(&log, "perhaps it was forgotten");
    assert_eq!(told.len(), 1, "{told:?}");
    let place = format!("place=\"{}:{line}\"", file!());
    for part in [" WARN ", "request{id=", &request.to_string(), "held_ms=", "database=", &place] {
        assert!(told[0].contains(part), "{part} is not in {}", told[0]);
    }
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_open_for_long_is_told_apart_from_one_that_does_nothing(engine: Engine) {
    let world = watched(engine, WatchLimits { transaction: SOON * 2, idle_in_hand: PATIENT, ..NONE }).await;
    let (_, tenant) = world.organisation("acme").await;
    let (stop, stopped) = tokio::sync::watch::channel(());
    let busy = tokio::spawn(async move {
        tenant
            .transaction(async |tx| {
                while !stopped.has_changed().unwrap() {
                    tx.audit().append(&entry(Action::NetworkCreated, Actor::System)).await?;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Ok::<_, StorageError>(())
            })
            .await
    });
    let found = suspected(&world.databases).await;
    assert_eq!(found.iter().map(|one| one.kind).collect::<Vec<_>>(), [SuspicionKind::Transaction]);
    stop.send(()).unwrap();
    busy.await.unwrap().unwrap();
    assert!(matches!(suspicions(&world.databases)[0].state, SuspicionState::Over(took) if took >= SOON * 2));
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_runs_for_long_is_told_with_its_text(engine: Engine) {
    // Every statement that a look happens to meet counts as long.
    let world = watched(engine, WatchLimits { statement: Duration::ZERO, ..NONE }).await;
    let (acme, tenant) = world.organisation("acme").await;
    let working = tokio::spawn(async move {
        loop {
            append(&tenant).await.unwrap();
            tenant.networks().count().await.unwrap();
        }
    });
    let databases = world.databases.clone();
    let found = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        loop {
            let found = suspicions(&databases);
            if let Some(one) = found.into_iter().find(|one| one.organisation.is_some()) {
                return one;
            }
            assert!(begun.elapsed() < PATIENT, "no statement was met");
        }
    });
    let found = found.await.unwrap();
    working.abort();
    assert_eq!((found.kind, found.organisation), (SuspicionKind::Statement, Some(acme.id)));
    assert!(found.statement.is_some_and(|text| !text.is_empty()));
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_runs_out_is_told_while_those_in_line_still_have_time(engine: Engine) {
    let log = log();
    let watch = WatchLimits { head_waited: SOON, ..NONE };
    let world = world_with(ground(engine), |config| Config {
        watch,
        connections_per_database_max: 1,
        acquire_timeout: PATIENT,
        ..config
    })
    .await;
    let (acme, tenant) = world.organisation("acme").await;
    let (let_go, holding) = hold(&tenant).await;
    let asking = tokio::spawn(async move { append(&tenant).await });
    for _ in 0..watch.line_looks + 1 {
        tokio::time::sleep(SOON).await;
        world.databases.watch_once();
    }
    assert!(!asking.is_finished(), "it was to be told before");
    let told = world.databases.shortages();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].sign, ShortageSign::Line);
    assert!(matches!(&told[0].of, ShortageOf::Pool { organisation, .. } if *organisation == Some(acme.id)), "{told:?}");
    assert_eq!(lines_with(&log, "connections are running out").len(), 1);
    let_go.send(()).unwrap();
    holding.await.unwrap().unwrap();
    asking.await.unwrap().unwrap();
    for _ in 0..10 {
        world.databases.watch_once();
    }
    assert_eq!(world.databases.shortages(), []);
    assert_eq!(world.databases.status().shortages_counted[0], ("pool", 1));
    assert_eq!(lines_with(&log, "connections suffice again").len(), 1);
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_turned_away_is_a_sign_of_a_shortage(engine: Engine) {
    let world = world_with(ground(engine), |config| Config {
        watch: NONE,
        connections_per_database_max: 1,
        acquire_timeout: Duration::from_millis(300),
        ..config
    })
    .await;
    let (_, tenant) = world.organisation("acme").await;
    let (let_go, holding) = hold(&tenant).await;
    assert!(matches!(append(&tenant).await, Err(StorageError::Busy)));
    for _ in 0..10 {
        world.databases.watch_once();
    }
    let told = world.databases.shortages();
    assert_eq!(told.iter().map(|shortage| shortage.sign).collect::<Vec<_>>(), [ShortageSign::Refusals]);
    let_go.send(()).unwrap();
    holding.await.unwrap().unwrap();
}

#[rstest]
#[case::mariadb(Engine::MariaDb)]
#[case::postgresql(Engine::PostgreSql)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_connections_run_out_is_told(#[case] engine: Engine) {
    let world = world_with(ground(engine), |config| Config {
        watch: NONE,
        connections_per_server_max: 2,
        acquire_timeout: PATIENT,
        ..config
    })
    .await;
    let (_, acme) = world.organisation("acme").await;
    let (_, other) = world.organisation("other").await;
    let (first, second) = (hold(&acme).await, hold(&other).await);
    let system = world.databases.system_models().clone();
    let asking = tokio::spawn(async move { system.organisations().count().await });
    for _ in 0..NONE.line_looks {
        tokio::time::sleep(SOON).await;
        world.databases.watch_once();
    }
    assert_eq!(world.databases.shortages().iter().map(|one| &one.of).collect::<Vec<_>>(), [&ShortageOf::Server]);
    let server = world.databases.status().server.unwrap();
    assert_eq!((server.connections, server.connections_max, server.waiting), (2, 2, 1));
    for (let_go, holding) in [first, second] {
        let_go.send(()).unwrap();
        holding.await.unwrap().unwrap();
    }
    assert_eq!(asking.await.unwrap().unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_for_open_databases_that_run_out_are_told() {
    let world = world_with(ground(Engine::Sqlite), |config| Config {
        watch: NONE,
        open_tenants_max: 1,
        acquire_timeout: PATIENT,
        ..config
    })
    .await;
    let (_, held) = world.organisation("acme").await;
    let wanted = organisation_id();
    world.databases.create_tenant(wanted).await.unwrap();
    let databases = world.databases.clone();
    let asking = tokio::spawn(async move { databases.tenant_models(wanted).await.map(drop) });
    for _ in 0..NONE.line_looks {
        tokio::time::sleep(SOON).await;
        world.databases.watch_once();
    }
    assert_eq!(world.databases.shortages().iter().map(|one| &one.of).collect::<Vec<_>>(), [&ShortageOf::OpenTenants]);
    assert_eq!(world.databases.status().open_tenants_waiting, 1);
    drop(held);
    asking.await.unwrap().unwrap();
    assert_eq!(world.databases.status().open_tenants_waiting, 0);
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_noisy_organisation_is_seen_among_the_quiet_ones(engine: Engine) {
    let world = watched(engine, NONE).await;
    let mut quiet = Vec::new();
    for n in 0..4 {
        quiet.push(world.organisation(&format!("quiet{n}")).await);
    }
    let (noisy, tenant) = world.organisation("noisy").await;
    // What opening them took stands in a window of its own.
    for _ in 0..10 {
        world.databases.watch_once();
    }
    for (_, tenant) in &quiet {
        append(tenant).await.unwrap();
    }
    for _ in 0..40 {
        append(&tenant).await.unwrap();
    }
    for _ in 0..10 {
        world.databases.watch_once();
    }
    let status = world.databases.status();
    let busiest = status.busiest();
    assert_eq!(busiest.len(), 5);
    assert_eq!(busiest[0].organisation, Some(noisy.id));
    assert!(busiest[0].used_lately() > busiest[1].used_lately());
    // Whoever has a line before them comes first, however much the others did.
    let (let_go, holding) = hold(&quiet[2].1).await;
    let waiting: Vec<_> = (0..12)
        .map(|_| {
            let tenant = quiet[2].1.clone();
            tokio::spawn(async move {
                tenant
                    .transaction(async |_| {
                        tokio::time::sleep(SOON).await;
                        Ok::<_, StorageError>(())
                    })
                    .await
            })
        })
        .collect();
    tokio::time::sleep(SOON / 2).await;
    assert_eq!(world.databases.status().busiest()[0].organisation, Some(quiet[2].0.id));
    let_go.send(()).unwrap();
    holding.await.unwrap().unwrap();
    for one in join_all(waiting).await {
        one.unwrap().unwrap();
    }
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_load_nothing_is_left_in_anybodys_hands(engine: Engine) {
    let world = watched(engine, WatchLimits::USUAL).await;
    let (_, tenant) = world.organisation("acme").await;
    let working: Vec<_> = (0..16_u64)
        .map(|worker| {
            let tenant = tenant.clone();
            tokio::spawn(async move {
                for n in 0..12 {
                    // Every third one is given up at some point of its way.
                    if n % 3 == 0 {
                        let _ =
                            tokio::time::timeout(Duration::from_micros(worker * 300 + n * 500), append(&tenant)).await;
                    } else {
                        append(&tenant).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let databases = world.databases.clone();
    let watching = tokio::spawn(async move {
        loop {
            databases.watch_once();
            databases.status();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    for one in join_all(working).await {
        one.unwrap();
    }
    watching.abort();
    let begun = Instant::now();
    loop {
        let status = world.databases.status();
        let pools: Vec<_> = status.databases.iter().flat_map(|database| &database.pools).collect();
        if pools.iter().all(|pool| (pool.now.active, pool.now.waiting, pool.now.opening) == (0, 0, 0)) {
            assert!(pools.iter().all(|pool| pool.leases.is_empty()));
            for kind in [&status.system, &status.tenants] {
                for (_, tally) in &kind.pools {
                    assert_eq!(tally.waited.count(), tally.used.count(), "what was taken was given back");
                }
                let ended: u64 = kind.transactions.ends.iter().map(|(_, count)| count).sum();
                assert_eq!(ended, kind.transactions.took.count());
            }
            break;
        }
        assert!(begun.elapsed() < PATIENT, "{pools:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[rstest]
#[case::mariadb(Engine::MariaDb)]
#[case::postgresql(Engine::PostgreSql)]
#[tokio::test]
async fn a_servers_connections_that_nobody_uses_are_closed(#[case] engine: Engine) {
    let world = world_with(ground(engine), |config| Config { idle_max: SOON, ..config }).await;
    let (_, tenant) = world.organisation("acme").await;
    append(&tenant).await.unwrap();
    assert!(world.databases.status().server.unwrap().connections >= 2);
    tokio::time::sleep(SOON * 2).await;
    let begun = Instant::now();
    loop {
        world.databases.watch_once();
        if world.databases.status().server.unwrap().connections == 0 {
            break;
        }
        assert!(begun.elapsed() < PATIENT);
        tokio::time::sleep(SOON).await;
    }
    append(&tenant).await.unwrap();
}
