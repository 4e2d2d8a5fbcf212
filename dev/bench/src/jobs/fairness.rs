//! A quiet organisation's jobs, alone and beside an organisation that has asked for very many.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use warren_storage::Engine;

use super::{
    course::{self, Contender},
    errand::{self, Errand},
    warren::{Places, Waiting, Warren, organisations},
};
use crate::figures::{self, Times, milliseconds, verdict};

/// The quiet one asks this often.
const EVERY: Duration = Duration::from_millis(50);
/// And so many times.
const COUNT: u64 = 300;
/// The noisy one's jobs take this long each.
const NOISY_MS: u64 = 1;
/// Before it is measured, the noisy one has the workers to itself.
const WARM_UP: Duration = Duration::from_secs(1);

/// The section on fairness.
///
/// # Errors
/// When a server does not start, or the queue is stuck.
pub fn run(noisy: u64, rounds: u8) -> anyhow::Result<String> {
    let mut text = format!(
        "## A quiet organisation beside a noisy one\n\nThe quiet one asks for an empty job every {} ms, {COUNT} times; \
         p50, p99 and the longest are of the time from asking to the job's beginning, of all {rounds} rounds together. \
         The noisy one has {noisy} jobs waiting, each of which waits {NOISY_MS} ms. Warren has its places as it comes.\n\n\
         | database | beside | p50 ms | p99 ms | longest ms | noisy jobs done a second |\n|---|---|---:|---:|---:|---:|\n",
        EVERY.as_millis()
    );
    let mut verdicts = Vec::new();
    for engine in [Engine::Sqlite, Engine::MariaDb, Engine::PostgreSql] {
        let name = super::name(engine);
        let (mut alone, mut beside, mut noise) = (Times::default(), Times::default(), Vec::new());
        for _ in 0..rounds {
            crate::page::progress(&format!("fairness on {name}"));
            alone = alone.with(&super::runtime()?.block_on(measure(engine, 0))?.0);
            let (times, per_second) = super::runtime()?.block_on(measure(engine, noisy))?;
            beside = beside.with(&times);
            noise.push(per_second);
        }
        let row = |beside: &str, times: &Times, noise: &str| {
            let figure = |percent| milliseconds(times.percentile(percent));
            let (p50, p99, longest) = (figure(50.0), figure(99.0), milliseconds(times.max()));
            format!("| {name} | {beside} | {p50} | **{p99}** | {longest} | {noise} |\n")
        };
        text.push_str(&row("nobody", &alone, ""));
        text.push_str(&row("the noisy one", &beside, &format!("{:.0}", figures::median(noise).0)));
        let times = beside.percentile(99.0).as_secs_f64() / alone.percentile(99.0).as_secs_f64();
        verdicts.push(format!("on {name} {}", verdict(times <= 2.0, &format!("{times:.2} times"))));
    }
    text.push_str(&format!("\nThe goal is that the quiet one's p99 at most doubles: {}.\n\n", verdicts.join("; ")));
    Ok(text)
}

/// How long the quiet one's jobs waited, and how many of the noisy one's were done a second meanwhile.
async fn measure(engine: Engine, noisy: u64) -> anyhow::Result<(Times, f64)> {
    errand::clear();
    let [loud, quiet] = [organisations(1), organisations(1)];
    let waiting = Waiting { jobs: noisy, organisations: loud, errand: Errand::of_many(NOISY_MS) };
    let warren = Arc::new(Warren::with(engine, Places::AsItComes, &waiting).await?);
    let crew = warren.start().await?;
    tokio::time::sleep(WARM_UP).await;
    let (before, begun) = (errand::ended(), std::time::Instant::now());
    course::trickle(COUNT, EVERY, || {
        let (warren, quiet) = (Arc::clone(&warren), quiet[0]);
        async move { warren.ask_for(quiet, Errand::timed()).await }
    })
    .await?;
    let done = (errand::ended() - before).saturating_sub(COUNT);
    let per_second = done as f64 / begun.elapsed().as_secs_f64();
    ensure!(noisy == 0 || errand::ended() < noisy, "the noisy one ran out of its {noisy} jobs; give it more");
    warren.stop(crew).await?;
    if let Ok(warren) = Arc::try_unwrap(warren).map_err(|_| ()) {
        warren.close().await;
    }
    Ok((errand::waits(), per_second))
}
