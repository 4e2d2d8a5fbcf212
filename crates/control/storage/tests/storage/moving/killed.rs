//! A move that is killed again and again, each time gone on with, arrives whole.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rstest::rstest;
use rstest_reuse::apply;
use warren_runtime::SystemClock;
use warren_storage::{Config, Databases, Engine, MoveProgress, MoveProgressView, Relocation, StorageError};
use warren_testkit::ground::Ground;

use super::{
    filled::{contents, filled},
    relocate,
};
use crate::world::*;

/// Where the child moves from, and to.
const FROM: &str = "WARREN_TEST_MOVE_FROM";
const TO: &str = "WARREN_TEST_MOVE_TO";
const PROGRESS: &str = "progress ";

/// Organisations beside the one that [`crate::exercise`] makes.
const ORGANISATIONS: usize = 5;
/// With the system database.
const DATABASES: usize = ORGANISATIONS + 2;

/// The points at which the move is killed: when so much of it was seen to be done. Four databases are under way at once.
const POINTS: [fn(&MoveProgressView) -> bool; 9] = [
    |_| true,
    |seen| seen.databases > 0,
    |seen| seen.rows_copied > 0,
    |seen| seen.rows_copied > 10_000,
    |seen| seen.rows_compared > 10_000,
    |seen| seen.moved > 0,
    |seen| seen.moved + seen.unchanged >= 3,
    |seen| seen.moved + seen.unchanged >= DATABASES - 1,
    |seen| seen.moved + seen.unchanged >= DATABASES - 1 && seen.rows_compared > 5_000,
];

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_killed_many_times_arrives_whole(engine: Engine) {
    let (from, to) = (filled(ORGANISATIONS).await, ground(engine));
    let before = contents(from.folder()).await;
    let mut unfinished = 0;
    for point in POINTS {
        if killed_at(point, &from, &to).await.is_none() {
            break;
        }
        // Looking makes nothing; opening would make an installation where the move had not begun.
        if Databases::look(&config(&to).standing).await.is_ok_and(|found| !found.system) {
            continue;
        }
        match open_with(config(&to)).await {
            Err(StorageError::MoveUnfinished { .. }) => unfinished += 1,
            Err(other) => panic!("{other}"),
            // Killed when all was done.
            Ok(databases) => databases.close().await,
        }
    }
    assert!(unfinished >= 5, "killed only {unfinished} times in the middle");
    let seen = killed_at(|_| false, &from, &to).await;
    assert!(seen.is_none(), "nobody killed it");
    let refused = open_with(config(&from)).await.map(drop).unwrap_err();
    assert!(matches!(refused, StorageError::MovedAway { .. }), "{refused}");

    // Read by another way than the one it came: as files again.
    let back = ground(Engine::Sqlite);
    relocate(&to, &back).await.unwrap();
    let after = contents(back.folder()).await;
    for (table, rows) in &before {
        assert!(after.get(table) == Some(rows), "{table:?} differs");
    }
    assert_eq!(before.len(), after.len());
}

/// Runs the move in a child and kills it at `point`; none when it came to its end first.
async fn killed_at(point: fn(&MoveProgressView) -> bool, from: &Ground, to: &Ground) -> Option<()> {
    let goal = to.database_url().unwrap_or_else(|| to.folder().display().to_string());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "moving::killed::the_move", "--ignored", "--nocapture"])
        .env(FROM, from.folder())
        .env(TO, goal)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = lines.filter_map(|line| parse(line.split_once(PROGRESS)?.1));
    let reached = tokio::task::block_in_place(|| seen.find(point));
    let killed = reached.map(|_| child.kill().unwrap());
    // Read on, so that a child that is not killed does not wait for its reader.
    tokio::task::block_in_place(|| seen.for_each(drop));
    let ended = child.wait().unwrap();
    assert!(killed.is_some() || ended.success() || gone(from).await, "the move failed by itself");
    killed
}

/// Whether a run before had come to the end already.
async fn gone(from: &Ground) -> bool {
    matches!(open_with(config(from)).await, Err(StorageError::MovedAway { .. }))
}

fn parse(line: &str) -> Option<MoveProgressView> {
    let numbers: Vec<u64> = line.split(' ').map_while(|word| word.parse().ok()).collect();
    let [databases, moved, unchanged, rows_copied, rows_compared] = numbers.try_into().ok()?;
    let count = |number: u64| usize::try_from(number).unwrap();
    Some(MoveProgressView {
        databases: count(databases),
        moved: count(moved),
        unchanged: count(unchanged),
        rows_copied,
        rows_compared,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of a_move_that_is_killed_many_times_arrives_whole, which starts and kills it"]
async fn the_move() {
    let from = std::env::var_os(FROM).expect("started by its parent only");
    let to = std::env::var_os(TO).unwrap().into_string().unwrap();
    let target = to.parse().map_or_else(|_| Config::new(to.into()), Config::on_server).standing;
    let source = Config::new(from.into()).standing;
    let progress = Arc::new(MoveProgress::default());
    let watched = Arc::clone(&progress);
    let watcher = std::thread::spawn(move || {
        while Arc::strong_count(&watched) > 1 {
            let seen = watched.view();
            let numbers = [seen.databases as u64, seen.moved as u64, seen.unchanged as u64];
            let numbers = numbers.into_iter().chain([seen.rows_copied, seen.rows_compared]);
            let words: Vec<String> = numbers.map(|number| number.to_string()).collect();
            // A reader that went away has killed this process too.
            let _ = writeln!(std::io::stdout(), "{PROGRESS}{} .", words.join(" "));
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let relocation = Relocation { source, target, installation: "ours".into() };
    relocation.run(Arc::new(SystemClock), &progress).await.unwrap();
    drop(progress);
    watcher.join().unwrap();
}
