//! The job queue: being asked, draining and waking, beside the queues of others, and how it treats organisations.

mod course;
mod errand;
mod fairness;
mod peers;
mod warren;

use std::{path::PathBuf, time::Duration};

use warren_storage::Engine;

use crate::{
    figures::milliseconds,
    page::{self, progress},
};
use course::{ASK_FOR, AT_ONCE, CALLERS, Figures, Lengths};
use errand::Errand;
use peers::Peer;
use warren::{Places, Waiting, Warren, organisations};

/// Organisations whose jobs wait to be drained.
const ORGANISATIONS: usize = 16;
/// Of Warren's places, a queue takes at most half.
const PLACES_FOR_AT_ONCE: u32 = 64;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Asking, draining and waking, beside others.
    Queues,
    /// A quiet organisation beside a noisy one.
    Fairness,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Measures this alone, and writes nothing.
    part: Option<Part>,
    /// Jobs that wait before work begins, and those of the noisy organisation.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1000..=1_000_000))]
    jobs: u64,
    /// Turns of the quiet organisation, alone and beside the noisy one.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=20))]
    rounds: u8,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/jobs.md")]
    output: PathBuf,
}

/// Measures, prints the tables and writes them.
///
/// # Errors
/// When a server does not start, or a queue refuses or is stuck.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let machine = page::made_on("jobs")?;
    let section = |part| match part {
        Part::Queues => queues(arguments.jobs),
        Part::Fairness => fairness::run(arguments.jobs, arguments.rounds),
    };
    if let Some(part) = arguments.part {
        page::print(&section(part)?);
        return Ok(());
    }
    let text = format!("# Jobs\n\n{machine}\n\n{}{}", section(Part::Queues)?, section(Part::Fairness)?);
    page::publish(&format!("{}\n", text.trim_end()), &arguments.output)
}

fn queues(jobs: u64) -> anyhow::Result<String> {
    let lengths = Lengths { jobs, rate: 200, trickle: Duration::from_secs(10) };
    let mut text = introduction(lengths);
    for engine in [Engine::Sqlite, Engine::MariaDb, Engine::PostgreSql] {
        for (places, what) in [
            (Places::Fixed(PLACES_FOR_AT_ONCE), format!("**Warren**, {AT_ONCE} at once")),
            (Places::AsItComes, "**Warren** as it comes".to_owned()),
        ] {
            progress(&format!("{what} on {}", name(engine)));
            let waiting = Waiting { jobs, organisations: organisations(ORGANISATIONS), errand: Errand::of_many(0) };
            let figures = runtime()?
                .block_on(async { course::run(Warren::with(engine, places, &waiting).await?, lengths).await })?;
            text.push_str(&row(&what, name(engine), &figures));
        }
        for peer in Peer::ALL.iter().filter(|peer| peer.stands_beside(engine)) {
            progress(peer.name());
            text.push_str(&row(peer.name(), peer.on(), &peer.measure(lengths)?));
        }
    }
    text.push_str(&format!("\n{}\n\n", peers::SETTINGS));
    Ok(text)
}

fn introduction(lengths: Lengths) -> String {
    format!(
        "## Asking, draining, waking\n\nEvery queue is given jobs that do nothing. *Asked*: {CALLERS} callers each ask for one \
         job at a time for {} s, while {} wait and nobody works; each is on the disk when it is acknowledged. *Drained*: then \
         work begins, {AT_ONCE} jobs at once in one process unless it is said otherwise, until all of them were run. *From \
         asking to its beginning*: then {} jobs a second are asked for during {} s, and it is measured from before the call to \
         the job's first line. Everything is on the disk before it is acknowledged: SQLite with `synchronous=FULL`, servers \
         with the durability that they come with, Redis with `appendonly yes` and `appendfsync always`. One turn each.\n\n\
         | queue | on | asked a second | drained a second | p50 ms | p99 ms | longest ms |\n|---|---|---:|---:|---:|---:|---:|\n",
        ASK_FOR.as_secs(),
        lengths.jobs,
        lengths.rate,
        lengths.trickle.as_secs(),
    )
}

fn row(queue: &str, on: &str, figures: &Figures) -> String {
    let waits = &figures.waits;
    let of = |percent| milliseconds(waits.percentile(percent));
    format!(
        "| {queue} | {on} | {:.0} | **{:.0}** | {} | **{}** | {} |\n",
        figures.asked_per_second,
        figures.drained_per_second,
        of(50.0),
        of(99.0),
        milliseconds(waits.max())
    )
}

const fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SQLite",
        Engine::MariaDb => "MariaDB",
        Engine::PostgreSql => "PostgreSQL",
    }
}

/// As many threads as there are processors, as in the program.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
