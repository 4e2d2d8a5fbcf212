//! What every queue goes through, one after the other: being asked, draining, and a steady trickle.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Deserialize;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use super::errand::{self, Errand};
use crate::figures::Times;

/// Who asks at once, each for the next job when the one before is on the disk.
pub const CALLERS: usize = 8;
/// Jobs that a queue works on at once, unless it is said otherwise.
pub const AT_ONCE: usize = 32;
/// How long is asked as fast as it goes.
pub const ASK_FOR: Duration = Duration::from_secs(3);

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Lengths {
    /// Jobs that wait before anybody asks.
    pub jobs: u64,
    /// Jobs a second of the steady trickle.
    pub rate: u32,
    pub trickle: Duration,
}

/// A queue with jobs in it, and nobody who works on them yet.
pub trait Contender: Send + Sync + 'static {
    /// Those who work.
    type Crew: Send;

    /// Asks for one job; it is on the disk when this returns.
    fn ask(&self, errand: Errand) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Lets work begin.
    fn start(&self) -> impl Future<Output = anyhow::Result<Self::Crew>> + Send;

    /// Ends the work.
    fn stop(&self, crew: Self::Crew) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What was measured.
#[derive(Debug, Deserialize)]
pub struct Figures {
    pub asked_per_second: f64,
    pub drained_per_second: f64,
    pub waits: Times,
}

/// Takes `contender`, in which `lengths.jobs` wait, over the course.
///
/// # Errors
/// When the queue refuses, or is stuck.
pub async fn run<C: Contender>(contender: C, lengths: Lengths) -> anyhow::Result<Figures> {
    errand::clear();
    let contender = Arc::new(contender);
    let (asked, asked_per_second) = ask_for_many(&contender).await?;
    let (total, begun) = (lengths.jobs + asked, Instant::now());
    let crew = contender.start().await?;
    errand::until_ended(total).await?;
    let drained_per_second = total as f64 / begun.elapsed().as_secs_f64();
    let interval = Duration::from_secs(1) / lengths.rate;
    let count = (lengths.trickle.as_secs_f64() * f64::from(lengths.rate)) as u64;
    trickle(count, interval, || {
        let contender = Arc::clone(&contender);
        async move { contender.ask(Errand::timed()).await }
    })
    .await?;
    contender.stop(crew).await?;
    Ok(Figures { asked_per_second, drained_per_second, waits: errand::waits() })
}

/// How many were asked for, and how many that is a second.
async fn ask_for_many<C: Contender>(contender: &Arc<C>) -> anyhow::Result<(u64, f64)> {
    let (mut work, begun) = (JoinSet::new(), Instant::now());
    for _ in 0..CALLERS {
        let contender = Arc::clone(contender);
        work.spawn(async move {
            let mut asked = 0_u64;
            while begun.elapsed() < ASK_FOR {
                contender.ask(Errand::of_many(0)).await?;
                asked += 1;
            }
            anyhow::Ok(asked)
        });
    }
    let mut asked = 0;
    while let Some(of_one) = work.join_next().await {
        asked += of_one.context("a caller panicked")??;
    }
    Ok((asked, asked as f64 / begun.elapsed().as_secs_f64()))
}

/// Asks `count` times, at each `interval` whether or not the one before was answered, and waits until all of them began.
///
/// # Errors
/// When the queue refuses, or is stuck.
pub async fn trickle<F>(count: u64, interval: Duration, ask: impl Fn() -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let (mut work, mut ticks) = (JoinSet::new(), tokio::time::interval(interval));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..count {
        ticks.tick().await;
        work.spawn(ask());
    }
    while let Some(asked) = work.join_next().await {
        asked.context("a caller panicked")??;
    }
    errand::until_timed(count).await
}
