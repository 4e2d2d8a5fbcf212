//! How long a change to one device takes to be in force on its gateway.
//!
//! `warren up` runs as people run it, with its gateway as a process of its own, in a network namespace. The time begins
//! before the first byte of the request is written, and ends where the gateway's log says that the peer is in, or out of, the
//! table that every packet is looked up in: both by the one clock of the machine. One change at a time, never before the
//! one before it was in force.

mod disk;
mod gateway_log;
pub mod once;
mod report;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::{figures::Times, page};

/// A file system in memory, which every Linux has.
const MEMORY: &str = "/dev/shm";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many devices the gateway serves; one measurement for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    devices: Vec<usize>,
    /// Changes that are measured, half of them disabling a device and half enabling it again.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    changes: u32,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/latency.md")]
    output: PathBuf,
}

/// Where the control plane's databases stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// The folder for temporary files, as `TMPDIR` says.
    Disk,
    /// No disk to wait for: what is left is the program's own.
    Memory,
}

/// What came out for one number of devices.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    pub devices: usize,
    /// From the call to the peer shut out.
    pub removed: Times,
    /// From the call to the peer let in.
    pub set: Times,
    /// From the call to the whole of its answer, which waits for the disk and for nothing of the gateway.
    pub answered: Times,
    /// A write of 4 KiB and its fdatasync, in a file of the same file system, between the changes.
    pub disk: Times,
}

/// Measures, prints the table and writes it.
///
/// # Errors
/// Without root or iproute2, when `warren` is not built, or when a change does not come into force.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let machine = page::made_on("latency")?;
    let mut measured = Vec::new();
    for devices in &arguments.devices {
        for medium in [Medium::Disk, Medium::Memory] {
            page::progress(&format!("{devices} devices, {medium:?}"));
            measured.push((medium, measure(medium, *devices, arguments.changes)?));
        }
    }
    page::publish(&report::page(&measured, &machine)?, &arguments.output)
}

fn measure(medium: Medium, devices: usize, changes: u32) -> anyhow::Result<Measured> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("latency-once").args([devices.to_string(), changes.to_string()]);
    if medium == Medium::Memory {
        command.env("TMPDIR", MEMORY);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("start the measurement")?;
    ensure!(output.status.success(), "the measurement ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("the measurement's figures")
}
