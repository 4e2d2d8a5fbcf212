//! What our layer costs over plain sqlx and plain sea-orm: the same statements on the same database, with the same settings.

mod ground;
mod orm;
mod plain;
mod section;
mod texts;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{task::JoinSet, time::sleep};
use warren_model::ambient::random_bytes;
use warren_resilience::Backoff;
use warren_runtime::SystemRandom;
use warren_storage::Engine;

use self::ground::Ground;
pub use self::{
    ground::{network, standing_of_sqlite},
    plain::sqlite_options,
    texts::Texts,
};
use super::{Rounds, in_turn};
use crate::{
    figures::{self, Times},
    page,
};

/// Those who ask at the same time, each again as soon as it has its answer.
pub const CALLERS: usize = 8;
/// Devices that are there from the beginning.
const DEVICES: u32 = 1000;
/// Devices of a page.
const PAGE: u16 = 50;
/// Length of one measurement.
const LENGTH: Duration = Duration::from_millis(300);
/// As many as Warren makes of a transaction.
const ATTEMPTS_MAX: u32 = 25;
/// Between two attempts, as Warren.
const WAIT_FIRST: Duration = Duration::from_millis(4);
const WAIT_MAX: Duration = Duration::from_millis(400);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Warren,
    Sqlx,
    SeaOrm,
}

impl Who {
    const ALL: [Self; 3] = [Self::Warren, Self::Sqlx, Self::SeaOrm];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    /// A device by its primary key.
    Get,
    /// A device and its usage, in one transaction.
    Insert,
    /// A page of devices.
    List,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Get, Self::Insert, Self::List];
}

/// What came out of one measurement.
#[derive(Debug)]
struct Sample {
    per_second: f64,
    times: Times,
    /// Processor time of this process for one operation; a server's own is not in it.
    processor: Duration,
    /// Attempts that the database refused, for one operation.
    refused: f64,
}

type Samples = BTreeMap<(usize, Operation, Who), Vec<Sample>>;

/// Measures, and returns the section of the page.
///
/// # Errors
/// When a server does not start, or a statement fails.
pub fn run(rounds: Rounds) -> anyhow::Result<String> {
    let runtime = super::runtime()?;
    let mut samples = Samples::new();
    for (at, engine) in Engine::ALL.into_iter().enumerate() {
        let ground = Arc::new(runtime.block_on(Ground::of(engine))?);
        runtime.block_on(ground.answers_alike())?;
        for round in 0..=rounds.few() {
            for operation in Operation::ALL {
                for who in in_turn(&Who::ALL, round) {
                    let sample = runtime.block_on(measure(&ground, who, operation))?;
                    // The first round opens connections and prepares statements.
                    if round > 0 {
                        let rate = sample.per_second;
                        let what = format!("round {round}: {}: {operation:?}: {who:?}", engine.as_str());
                        page::progress(&format!("{what}: {rate:.0} a second"));
                        samples.entry((at, operation, who)).or_default().push(sample);
                    }
                }
            }
        }
        let ground = Arc::into_inner(ground).context("a task still holds the databases")?;
        runtime.block_on(ground.close());
    }
    section::section(&samples, rounds)
}

/// Attempts `work` again when the database refuses it, after waits as Warren's: serialisable transactions ask for it.
macro_rules! again {
    ($refused:ident, $work:expr) => {{
        let mut backoff = Backoff::new(WAIT_FIRST, WAIT_MAX);
        let mut attempts = 1;
        loop {
            match $work.await {
                Err(_) if attempts < ATTEMPTS_MAX => attempts += 1,
                outcome => break outcome?,
            }
            $refused += 1;
            sleep(backoff.after_failure(u64::from_le_bytes(random_bytes(&SystemRandom)))).await;
        }
    }};
}

async fn measure(ground: &Arc<Ground>, who: Who, operation: Operation) -> anyhow::Result<Sample> {
    let refused_before = ground.refused();
    let (mut work, begun, processor) = (JoinSet::new(), Instant::now(), figures::processor_time()?);
    for caller in 0..CALLERS {
        let ground = Arc::clone(ground);
        work.spawn(async move {
            let (mut times, mut at, mut refused) = (Vec::new(), caller, 0);
            while begun.elapsed() < LENGTH {
                let prepared = ground.prepare(at)?;
                let asked = Instant::now();
                match (who, operation) {
                    (Who::Warren, Operation::Get) => ground.get(&prepared).await?,
                    (Who::Warren, Operation::Insert) => ground.insert(&prepared).await?,
                    (Who::Warren, Operation::List) => ground.list().await?,
                    (Who::Sqlx, Operation::Get) => ground.plain.get(&ground.texts, prepared.known).await?,
                    (Who::Sqlx, Operation::Insert) => {
                        again!(refused, ground.plain.insert(&ground.texts, &prepared.row))
                    }
                    (Who::Sqlx, Operation::List) => ground.plain.list(&ground.texts).await?,
                    (Who::SeaOrm, Operation::Get) => ground.orm.get(prepared.known).await?,
                    (Who::SeaOrm, Operation::Insert) => again!(refused, ground.orm.insert(&prepared.row)),
                    (Who::SeaOrm, Operation::List) => ground.orm.list().await?,
                };
                times.push(asked.elapsed());
                at += CALLERS;
            }
            anyhow::Ok((times, refused))
        });
    }
    let (mut all, mut refused) = (Vec::new(), 0);
    while let Some(done) = work.join_next().await {
        let (times, of_one) = done.context("a caller panicked")??;
        all.extend(times);
        refused += of_one;
    }
    let per_second = all.len() as f64 / begun.elapsed().as_secs_f64();
    let processor = (figures::processor_time()? - processor).div_f64(all.len() as f64);
    refused += ground.refused() - refused_before;
    let refused = refused as f64 / all.len() as f64;
    Ok(Sample { per_second, times: all.into_iter().collect(), processor, refused })
}
