//! What the data layer costs beside plain drivers and other pools, and how it bears ten thousand tenants.

mod gate;
mod layer;
mod peers;
mod spike;
pub mod tenants;
mod wire;
mod writers;

use std::path::PathBuf;

use crate::page;

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// A pool under a spike.
    Pool,
    /// Taking an idle connection and giving it back.
    Gate,
    /// Get, insert and list beside plain sqlx and plain sea-orm, on every database.
    Layer,
    /// Eight writers on SQLite.
    Writers,
    /// Ten thousand organisations on SQLite.
    Tenants,
}

impl Part {
    const ALL: [Self; 5] = [Self::Pool, Self::Gate, Self::Layer, Self::Writers, Self::Tenants];
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Measures this alone, and writes nothing.
    part: Option<Part>,
    /// Turns of each contender where they are long; where they are short, twice as many. The median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// Organisations, each with a database.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    tenants: u32,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/database.md")]
    output: PathBuf,
}

/// How many turns each contender has.
#[derive(Debug, Clone, Copy)]
struct Rounds(u8);

impl Rounds {
    /// Where a turn takes a second or more.
    const fn few(self) -> u8 {
        self.0
    }

    /// Where a turn takes less.
    const fn many(self) -> u8 {
        self.0.saturating_mul(2)
    }
}

/// Measures, prints the tables and writes them.
///
/// # Errors
/// When a database server does not start, or a statement fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let machine = page::made_on("database")?;
    let rounds = Rounds(arguments.rounds);
    let section = |part| match part {
        Part::Pool => spike::run(rounds),
        Part::Gate => gate::run(rounds),
        Part::Layer => layer::run(rounds),
        Part::Writers => writers::run(rounds),
        Part::Tenants => tenants::run(arguments.tenants),
    };
    if let Some(part) = arguments.part {
        page::print(&section(part)?);
        return Ok(());
    }
    let mut text = format!("# The data layer\n\n{machine}\n\n");
    for part in Part::ALL {
        text.push_str(&section(part)?);
    }
    page::publish(&format!("{}\n", text.trim_end()), &arguments.output)
}

/// All of them, beginning with another one in each round, so that nobody always comes after the same one.
fn in_turn<T: Copy>(all: &[T], round: u8) -> impl Iterator<Item = T> {
    let (before, from) = all.split_at(usize::from(round) % all.len());
    from.iter().chain(before).copied()
}

/// As many threads as there are processors, as in the program.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
