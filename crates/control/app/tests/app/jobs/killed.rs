//! `kill -9` in the middle, fifty times: no job that was acknowledged is lost, and no more than what was in flight is done twice.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use rstest::rstest;
use rstest_reuse::apply;
use warren_app::jobs::Asked;
use warren_testkit::ground::{Database, Ground};

use super::{Conduct, Note, Shop, build, noted};
use crate::support::{config, on_every_database};

const GROUND: &str = "WARREN_TEST_JOBS_GROUND";
const DATABASE: &str = "WARREN_TEST_JOBS_DATABASE";
const FIRST: &str = "WARREN_TEST_JOBS_FIRST";
const ACKNOWLEDGED: &str = "acknowledged ";

const KILLS: u64 = 50;
/// What one process asks for at most.
const JOBS_PER_RUN: u64 = 200;
/// What one process works on at once; what was in flight when it died.
const PLACES: usize = 8;

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_is_lost_and_few_are_done_twice(#[case] database: Database) {
    let ground = Ground::of(database).unwrap();
    build(config(&ground)).await.close().await;
    let file = ground.folder().join("notes");
    let mut acknowledged = HashSet::new();
    for run in 0..KILLS {
        // Somewhere between the first jobs and the last of a run.
        let kill_after = 1 + (run * 37) % (JOBS_PER_RUN - 20);
        acknowledged.extend(tokio::task::block_in_place(|| killed_after(&ground, run * JOBS_PER_RUN, kill_after)));
    }
    let shop = Shop::on(ground).await;
    for _ in 0..3000 {
        let done: HashSet<u64> = noted(&file).into_iter().collect();
        let left = warren_app::jobs::manage::overview(&shop.cx()).await.unwrap();
        let is_over =
            left.queues.iter().all(|queue| queue.depth.ready + queue.depth.running + queue.depth.waiting == 0);
        if is_over && acknowledged.is_subset(&done) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let all = noted(&file);
    let once: HashSet<u64> = all.iter().copied().collect();
    let lost: Vec<&u64> = acknowledged.difference(&once).collect();
    assert!(lost.is_empty(), "{} of {} were lost: {lost:?}", lost.len(), acknowledged.len());
    let twice = all.len() - once.len();
    let in_flight_max = usize::try_from(KILLS).unwrap() * PLACES;
    assert!(twice <= in_flight_max, "{twice} were done twice; at most {in_flight_max} were in flight");
    assert!(acknowledged.len() as u64 > KILLS * 20, "only {} were asked for", acknowledged.len());
    let dead = warren_app::jobs::manage::overview(&shop.cx()).await.unwrap();
    assert_eq!(dead.queues.iter().map(|queue| queue.depth.dead).sum::<u64>(), 0);
    shop.end().await;
}

/// Runs a process that asks for jobs and works on them, and kills it after so many were acknowledged.
fn killed_after(ground: &Ground, first: u64, acknowledged_max: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "jobs::killed::the_process", "--ignored", "--nocapture"])
        .env(GROUND, ground.folder())
        .env(DATABASE, ground.database_url().unwrap_or_default())
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let number = |line: String| line.split_once(ACKNOWLEDGED)?.1.parse::<u64>().ok();
    let mut acknowledged: Vec<u64> = Vec::new();
    for line in lines.by_ref() {
        acknowledged.extend(number(line));
        if acknowledged.len() as u64 >= acknowledged_max {
            break;
        }
    }
    child.kill().unwrap();
    // What it had said before it died counts too.
    acknowledged.extend(lines.filter_map(number));
    child.wait().unwrap();
    assert!(!acknowledged.is_empty(), "the process did not begin");
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process that the test beside it kills"]
async fn the_process() {
    let [Ok(folder), Ok(url), Ok(first)] = [GROUND, DATABASE, FIRST].map(|name| {
        #[expect(clippy::disallowed_methods, reason = "what the test that starts this process tells it")]
        std::env::var(name)
    }) else {
        return;
    };
    let first: u64 = first.parse().unwrap();
    let folder = std::path::PathBuf::from(folder);
    let plain = warren_app::Config::new(folder.clone(), "https://vpn.example.org".into());
    let configured = if url.is_empty() {
        plain
    } else {
        plain.on(warren_app::Standing::Server(warren_app::Servers::from(
            url.parse::<warren_app::DatabaseUrl>().unwrap(),
        )))
    };
    let app = build(configured).await;
    let _tasks = app.spawn_worker(&warren_runtime::Shutdown::new());
    for number in first..first + JOBS_PER_RUN {
        let note = Note { file: folder.join("notes"), number, conduct: Conduct::Slow { ms: number % 4 } };
        app.ask(&note, Asked::default()).await.unwrap();
        println!("{ACKNOWLEDGED}{number}");
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    // Whoever started it kills it.
    std::future::pending::<()>().await;
}
