//! How fast TCP passes a gateway, its contenders taking turns.
//!
//! Three network namespaces in a row: a client, the gateway, a server. The client is always Debian's wireguard-go, so
//! that only the gateway differs. Rounds are interleaved, so that what else the machine does meets all alike; the median
//! counts.

pub mod gateway;
mod lab;
mod report;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::Context;
use lab::Lab;

/// Which gateway carries the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Contender {
    /// Ours.
    Warren,
    /// gotatun with its own TUN and UDP transports.
    Gotatun,
    /// Debian's package.
    WireguardGo,
}

impl Contender {
    const ALL: [Self; 3] = [Self::Warren, Self::Gotatun, Self::WireguardGo];
}

/// Which way the bytes go, seen from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    Upload,
    Download,
}

/// One thing to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    pub direction: Direction,
    pub streams: u8,
}

impl Load {
    const ALL: [Self; 4] = [
        Self { direction: Direction::Upload, streams: 1 },
        Self { direction: Direction::Upload, streams: 4 },
        Self { direction: Direction::Download, streams: 1 },
        Self { direction: Direction::Download, streams: 4 },
    ];
}

/// What came out of one measurement.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub bits_per_second: f64,
    /// Processor time of the gateway's process for each gigabyte that arrived.
    pub cpu_seconds_per_gigabyte: f64,
}

/// All samples, in the order of the rounds.
pub type Samples = BTreeMap<(Load, Contender), Vec<Sample>>;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Turns of each contender; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// Length of one measurement.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=60))]
    seconds: u8,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/throughput.md")]
    output: PathBuf,
    /// Only these contenders; nothing is written then.
    #[arg(long)]
    only: Vec<Contender>,
}

/// Measures, prints the table and writes it.
///
/// # Errors
/// When a program is missing, the rights for namespaces are missing, or a transfer fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let contenders = if arguments.only.is_empty() { &Contender::ALL[..] } else { &arguments.only };
    let mut samples = Samples::new();
    for round in 1..=arguments.rounds {
        for contender in contenders {
            let lab = Lab::set_up(*contender).with_context(|| format!("set up {contender:?}"))?;
            for load in Load::ALL {
                let sample = lab.measure(load, Duration::from_secs(arguments.seconds.into()))?;
                report::progress(round, *contender, load, &sample);
                samples.entry((load, *contender)).or_default().push(sample);
            }
        }
    }
    let page = report::page(&samples, arguments.rounds, arguments.seconds)?;
    report::show(&page);
    if arguments.only.is_empty() {
        if let Some(directory) = arguments.output.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(&arguments.output, page).with_context(|| format!("write {}", arguments.output.display()))?;
    }
    Ok(())
}
