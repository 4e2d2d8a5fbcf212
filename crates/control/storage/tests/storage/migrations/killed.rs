//! Processes that migrate at the same time, and processes that are killed while they migrate.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rstest::rstest;
use rstest_reuse::apply;
use warren_model::OrganisationId;
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{Config, Direction, Engine, Losses, Maintenance, MigrationState, RolloutOptions};
use warren_testkit::ground::Ground;

use super::{
    both_ways::{installation_with_data, maintenance},
    raw::Raw,
    test_schema::{CONTRACT, EXPAND, LONG, with},
};
use crate::world::*;

/// Tells a child where the databases are.
const WHERE: &str = "WARREN_TEST_MIGRATE_WHERE";
/// Tells a child whose database to roll back; without it, the child migrates all.
const ROLL_BACK: &str = "WARREN_TEST_MIGRATE_ROLL_BACK";
const BEGUN: &str = "begun";

/// What a child does: migrates all databases, or rolls the last migration of one back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down(OrganisationId),
}

/// A child that does it as soon as it can.
fn child(ground: &Ground, way: Way) -> (Child, BufReader<ChildStdout>) {
    let place = ground.database_url().unwrap_or_else(|| ground.folder().display().to_string());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "migrations::killed::the_child", "--ignored", "--nocapture"]).env(WHERE, place);
    if let Way::Down(organisation) = way {
        command.env(ROLL_BACK, organisation.to_string());
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

#[tokio::test]
#[ignore = "the child of the tests here, which start it and kill it"]
async fn the_child() {
    let said = |name: &str| std::env::var_os(name).map(|value| value.into_string().unwrap());
    let place = said(WHERE).expect("started by its parent only");
    let config = match place.parse() {
        Ok(url) => Config::on_server(url),
        Err(_) => Config::new(place.into()),
    };
    let config = Config { schema: with(&[EXPAND, CONTRACT, LONG]), ..config };
    let maintenance = Maintenance::new(&config, Arc::new(SystemClock), Arc::new(SystemRandom));
    println!("{BEGUN}");
    if let Some(organisation) = said(ROLL_BACK) {
        maintenance.roll_back(organisation.parse().ok(), 1, Losses::Accepted).await.unwrap();
        return;
    }
    let report = maintenance.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn two_processes_that_migrate_at_the_same_time_do_it_once(engine: Engine) {
    let (ground, kept, _) = installation_with_data(engine).await;
    let mut children: Vec<_> = (0..2).map(|_| child(&ground, Way::Up)).collect();
    for (child, output) in &mut children {
        let said: Vec<String> = output.lines().map_while(Result::ok).collect();
        assert!(child.wait().unwrap().success(), "{said:?}");
    }
    let raw = Raw::of(&ground, engine, Some(kept));
    assert_eq!(
        raw.ledger().await,
        [
            "m0001_tenant 17/17",
            "m0002_records 10/10",
            "m8001_stickers 5/5",
            "m8002_no_stickers 4/4",
            "m8003_long 80/80"
        ]
    );
    let status = maintenance(&ground, with(&[EXPAND, CONTRACT, LONG])).look(1).await.unwrap();
    for tenant in status.tenants {
        let views = tenant.schema.migrations.unwrap();
        assert!(views.iter().all(|view| view.state == MigrationState::Applied), "{views:?}");
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_migration_killed_half_way_goes_on_or_back_from_where_it_was(engine: Engine) {
    let (ground, kept, laptop) = installation_with_data(engine).await;
    let raw = Raw::of(&ground, engine, Some(kept));
    let maintenance = maintenance(&ground, with(&[EXPAND, CONTRACT, LONG]));
    let shorter = super::both_ways::maintenance(&ground, with(&[EXPAND, CONTRACT]));
    shorter.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
    let short = raw.shape().await;
    maintenance.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
    let long = raw.shape().await;
    let up = async || {
        let report = maintenance.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
        assert!(report.failed.is_empty(), "{report:?}");
    };
    let down = async || maintenance.roll_back(Some(kept), 1, Losses::Accepted).await.unwrap();
    let mut cut_short = 0;
    // Up and down, killed ever later, and then finished in either direction.
    let rounds = if engine == Engine::MariaDb { 4 } else { 8 };
    for round in 0..rounds {
        let (way, forward) = (if round % 2 == 0 { Way::Down(kept) } else { Way::Up }, matches!(round, 1 | 2 | 5 | 6));
        let before = raw.ledger().await;
        kill_half_way(&ground, &raw, way, engine, round).await;
        let after = raw.ledger().await;
        let has_begun = after.iter().any(|line| line.starts_with(LONG.name));
        let is_half = has_begun && !after.contains(&format!("{} 80/80", LONG.name));
        cut_short += usize::from(after == before || is_half);
        assert!(!is_half || engine == Engine::MariaDb, "all or nothing: {after:?}");
        if forward {
            up().await;
        } else if has_begun {
            assert_eq!(down().await, [LONG.name]);
        }
        let shape = raw.shape().await;
        assert!(shape == *if forward { &long } else { &short }, "round {round}, {after:?}:\n{shape}");
        // The next one has something to do.
        match way {
            Way::Up if !forward => up().await,
            Way::Down(_) if forward => assert_eq!(down().await, [LONG.name]),
            _ => {}
        }
    }
    assert!(cut_short >= 2, "only {cut_short} of {rounds} were killed half-way");
    maintenance.roll_back(Some(kept), 3, Losses::Accepted).await.unwrap();
    let databases = open_with(config(&ground)).await.unwrap();
    let tenant = databases.tenant_models(kept).await.unwrap();
    assert_eq!(tenant.devices().by_id(laptop.id).await.unwrap(), Some(laptop));
    drop(tenant);
    databases.close().await;
}

/// Kills a child in the middle of its migration: on MariaDB when the ledger says so, elsewhere after a while that differs.
async fn kill_half_way(ground: &Ground, raw: &Raw, way: Way, engine: Engine, round: u64) {
    let (mut child, mut output) = child(ground, way);
    let mut line = String::new();
    while !line.contains(BEGUN) {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the child said nothing");
    }
    let begun = Instant::now();
    if engine == Engine::MariaDb {
        let middle = 10 + round * 15;
        loop {
            let ledger = raw.ledger().await;
            let done =
                ledger.iter().find_map(|line| line.strip_prefix(LONG.name)?.trim().split('/').next()?.parse().ok());
            let done: Option<u64> = done;
            match way {
                Way::Up if done.is_some_and(|done| done >= middle) => break,
                Way::Down(_) if done.is_none_or(|done| done <= 80 - middle) => break,
                _ if child.try_wait().unwrap().is_some() => break,
                _ => assert!(begun.elapsed() < Duration::from_secs(60), "{ledger:?}"),
            }
        }
    } else {
        let step = if engine == Engine::Sqlite { 3 } else { 25 };
        std::thread::sleep(Duration::from_millis(round * step));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
