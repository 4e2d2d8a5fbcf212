//! What the API costs beside a bare axum handler.
//!
//! Both serve copies of the same data, each in a process of its own with as many threads, to the same client: `warren up`,
//! and handlers that do nothing but the SQL statements which Warren sends for the request, on connections with the same
//! settings, and write the same answer. What lies between is what Warren adds: sessions and permissions that are looked at,
//! bodies that are checked, limits, log lines, figures, and the models over the rows. A second bare handler leaves out
//! all that is not the devices themselves.

pub mod bare;
mod load;
mod report;
mod servers;
mod statements;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use self::{load::Sample, servers::Servers};
use crate::page;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    Warren,
    /// The statements that Warren sends for the same request.
    SameStatements,
    /// Only those about devices: who asks is not looked at, names are not looked up.
    DevicesAlone,
}

impl Contender {
    const ALL: [Self; 3] = [Self::Warren, Self::SameStatements, Self::DevicesAlone];
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A page of 50 devices.
    List,
    /// A new device: one transaction, brought to the disk.
    Enrol,
}

/// One thing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    pub operation: Operation,
    pub connections: usize,
}

impl Load {
    const ALL: [Self; 4] = [
        Self { operation: Operation::List, connections: 8 },
        Self { operation: Operation::List, connections: 32 },
        Self { operation: Operation::Enrol, connections: 8 },
        Self { operation: Operation::Enrol, connections: 32 },
    ];
}

/// All samples, in the order of the rounds.
pub type Samples = BTreeMap<(Load, Contender), Vec<Sample>>;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Turns of each contender; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// Length of one measurement.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=60))]
    seconds: u8,
    /// Devices that are there from the beginning; at least a page of them.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(50..=100_000))]
    devices: u32,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/api.md")]
    output: PathBuf,
}

/// Measures, prints the table and writes it.
///
/// # Errors
/// When `warren` is not built, a server does not start, or a request is refused.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let machine = page::made_on("api")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let servers = Servers::start(&runtime, arguments.devices as usize)?;
    runtime.block_on(servers.answer_alike())?;
    let length = Duration::from_secs(arguments.seconds.into());
    let mut samples = Samples::new();
    for round in 0..=arguments.rounds {
        for load in Load::ALL {
            for contender in Contender::ALL {
                let sample = runtime.block_on(load::measure(&servers, contender, load, length))?;
                // The first round opens connections, fills caches and prepares statements.
                if round > 0 {
                    page::progress(&report::progress(round, contender, load, &sample));
                    samples.entry((load, contender)).or_default().push(sample);
                }
            }
        }
    }
    page::publish(&report::page(&samples, arguments, &machine)?, &arguments.output)
}
