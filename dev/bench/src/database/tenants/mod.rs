//! Ten thousand organisations with a database each, in a process of their own so that its memory is theirs.

mod migrations;
pub mod once;
mod section;

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use self::migrations::Rates;
use crate::figures::Times;

/// What came out.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    tenants: u32,
    open_max: usize,
    created_per_second: f64,
    size_bytes: u64,
    /// Opening one and a statement: the file read from the disk, and known to the kernel already.
    from_disk: Times,
    from_cache: Times,
    /// One after the other opened, asked and let go, until all were.
    touched_per_second: f64,
    memory: Memory,
    migrations: Rates,
}

/// Resident memory of the process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Memory {
    /// Before the first organisation was asked for.
    before_bytes: u64,
    /// Once all had been.
    after_bytes: u64,
    /// The most there ever was.
    peak_bytes: u64,
}

/// Measures, and returns the section of the page.
///
/// # Errors
/// When a database cannot be made, opened or asked.
pub fn run(tenants: u32) -> anyhow::Result<String> {
    let output = Command::new(std::env::current_exe()?)
        .args(["database-tenants", &tenants.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("start the process of the organisations")?;
    ensure!(output.status.success(), "the process of the organisations failed");
    section::section(&serde_json::from_slice(&output.stdout)?)
}
