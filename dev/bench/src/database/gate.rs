//! What it costs to be let in: taking an idle connection and giving it back, with nobody else there.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{runtime::Runtime, sync::Semaphore};
use warren_storage::PoolProbe;

use super::{
    Rounds, in_turn,
    peers::{self, Contender, Tested},
};
use crate::{
    figures::{median, ranged, verdict},
    page,
};

const CONNECTIONS_MAX: u32 = 4;
/// Length of one measurement.
const LENGTH: Duration = Duration::from_millis(200);
/// Passes between two looks at the clock.
const BATCH: u32 = 100;
const GOAL: Duration = Duration::from_micros(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Semaphore,
    Warren,
    Deadpool,
    Bb8,
    SqlxUntested,
    Sqlx,
}

impl Who {
    const ALL: [Self; 6] = [Self::Semaphore, Self::Warren, Self::Deadpool, Self::Bb8, Self::SqlxUntested, Self::Sqlx];

    const fn name(self) -> &'static str {
        match self {
            Self::Semaphore => "a permit of tokio's semaphore, no connection",
            Self::Warren => "**Warren**, which notes who has it",
            Self::Deadpool => "deadpool 0.13",
            Self::Bb8 => "bb8 0.9, not testing connections",
            Self::SqlxUntested => "sqlx 0.9, not testing connections",
            Self::Sqlx => "sqlx 0.9 as it comes",
        }
    }
}

/// Measures, and returns the section of the page.
///
/// # Errors
/// When a pool gives no connection.
pub fn run(rounds: Rounds) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("gate.sqlite");
    let options = SqliteConnectOptions::new().filename(&file);
    let runtime = super::runtime()?;
    runtime.block_on(async { options.clone().create_if_missing(true).connect().await?.close().await })?;
    let mut samples: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
    for round in 0..=rounds.many() {
        for who in in_turn(&Who::ALL, round) {
            let of_sqlx = |tested| peers::of_sqlx::<Sqlite>(options.clone(), CONNECTIONS_MAX, tested);
            let nanoseconds = match who {
                Who::Semaphore => without_pool(&runtime)?,
                Who::Warren => through(&runtime, async { Ok(PoolProbe::of_file(&file, CONNECTIONS_MAX)) })?,
                Who::Deadpool => through(&runtime, async {
                    peers::of_deadpool::<SqliteConnection>(options.clone(), CONNECTIONS_MAX)
                })?,
                Who::Bb8 => through(&runtime, async {
                    Ok(peers::of_bb8::<SqliteConnection>(options.clone(), CONNECTIONS_MAX))
                })?,
                Who::SqlxUntested => through(&runtime, async { Ok(of_sqlx(Tested::Never)) })?,
                Who::Sqlx => through(&runtime, async { Ok(of_sqlx(Tested::Before)) })?,
            };
            if round > 0 {
                page::progress(&format!("round {round}: gate: {who:?}: {nanoseconds:.0} ns"));
                samples.entry(who).or_default().push(nanoseconds);
            }
        }
    }
    section(&samples, rounds)
}

/// Nanoseconds for one pass through the pool that `build` gives, on a worker of the runtime as in the program.
fn through<P: Contender>(runtime: &Runtime, build: impl Future<Output = anyhow::Result<P>>) -> anyhow::Result<f64> {
    // Pools begin their upkeep in the runtime that they are built in.
    let pool = runtime.block_on(build)?;
    runtime.block_on(runtime.spawn(async move {
        pool.warm(CONNECTIONS_MAX as usize, "SELECT 1").await?;
        let (begun, mut passes) = (Instant::now(), 0);
        while begun.elapsed() < LENGTH {
            for _ in 0..BATCH {
                pool.pass().await?;
            }
            passes += BATCH;
        }
        Ok(nanoseconds(begun, passes))
    }))?
}

fn without_pool(runtime: &Runtime) -> anyhow::Result<f64> {
    let semaphore = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    runtime.block_on(runtime.spawn(async move {
        let (begun, mut passes) = (Instant::now(), 0);
        while begun.elapsed() < LENGTH {
            for _ in 0..BATCH {
                drop(semaphore.acquire().await?);
            }
            passes += BATCH;
        }
        Ok(nanoseconds(begun, passes))
    }))?
}

fn nanoseconds(begun: Instant, passes: u32) -> f64 {
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(passes)
}

fn section(samples: &BTreeMap<Who, Vec<f64>>, rounds: Rounds) -> anyhow::Result<String> {
    let mut text = String::from("## The gate\n\n");
    writeln!(
        text,
        "Taking one of {CONNECTIONS_MAX} idle connections to an SQLite database and giving it back, by one task with nobody \
         else there. {} interleaved rounds of {} ms: medians, and in brackets the lowest and the highest.\n",
        rounds.many(),
        LENGTH.as_millis()
    )?;
    writeln!(text, "| gate | ns for taking and giving back |\n|---|---:|")?;
    for (who, taken) in samples {
        writeln!(text, "| {} | {} |", who.name(), ranged(taken.clone(), 0))?;
    }
    let (ours, ..) = median(samples[&Who::Warren].clone());
    let met = verdict(ours <= GOAL.as_nanos() as f64, &format!("{ours:.0} ns"));
    writeln!(text, "\nThe goal is at most {} µs; {met}.\n", GOAL.as_micros())?;
    Ok(text)
}
