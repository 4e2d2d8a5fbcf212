//! The figures, for people.

use std::fmt::Write;

use super::{Contender, Direction, Load, Sample, Samples};

/// One line for one finished measurement.
#[expect(clippy::print_stderr, reason = "a benchmark tells its user how far it is")]
pub fn progress(round: u8, contender: Contender, load: Load, sample: &Sample) {
    eprintln!(
        "round {round}: {}, {}: {:.0} Mbit/s, {:.2} CPU s/GB",
        name(contender),
        title(load),
        sample.bits_per_second / 1e6,
        sample.cpu_seconds_per_gigabyte
    );
}

/// Prints the finished page.
#[expect(clippy::print_stdout, reason = "the table is what the program is run for")]
pub fn show(page: &str) {
    println!("{page}");
}

/// The page for the book.
///
/// # Errors
/// When the machine's description cannot be read.
pub fn page(samples: &Samples, rounds: u8, seconds: u8) -> anyhow::Result<String> {
    let mut page = String::from("# Throughput of the gateway\n\n");
    writeln!(
        page,
        "TCP (iperf3) from a client through a gateway to a server behind it, each in a network namespace of one machine; \
         the client is Debian's wireguard-go throughout, so that only the gateway differs. Median of {rounds} interleaved \
         rounds of {seconds} s; in brackets the lowest and the highest. Client, gateway and server share the processors, \
         so the gateway's own processor time for each gigabyte stands beside the rate.\n"
    )?;
    writeln!(page, "Machine: {}. Made by `cargo run --release -p warren-bench -- throughput`.\n", machine()?)?;
    writeln!(page, "| load | gateway | Mbit/s | gateway CPU s/GB |\n|---|---|---:|---:|")?;
    for ((load, contender), taken) in samples {
        let (rate, low, high) = spread(taken, |sample| sample.bits_per_second / 1e6);
        let (cpu, ..) = spread(taken, |sample| sample.cpu_seconds_per_gigabyte);
        writeln!(page, "| {} | {} | **{rate:.0}** ({low:.0}–{high:.0}) | {cpu:.2} |", title(*load), name(*contender))?;
    }
    Ok(page)
}

fn spread(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> (f64, f64, f64) {
    let mut figures: Vec<_> = samples.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    (figures[figures.len() / 2], figures[0], figures[figures.len() - 1])
}

fn title(load: Load) -> String {
    let direction = match load.direction {
        Direction::Upload => "upload",
        Direction::Download => "download",
    };
    let streams = if load.streams == 1 { "stream" } else { "streams" };
    format!("{direction}, {} {streams}", load.streams)
}

fn name(contender: Contender) -> &'static str {
    match contender {
        Contender::Warren => "Warren",
        Contender::Gotatun => "stock gotatun 0.10",
        Contender::WireguardGo => "wireguard-go (Debian)",
    }
}

fn machine() -> anyhow::Result<String> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown processor");
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "{} × {}, Linux {}",
        std::thread::available_parallelism()?,
        model.trim_start_matches([' ', '\t', ':']),
        kernel.trim()
    ))
}
