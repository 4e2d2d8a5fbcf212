//! The figures of the organisations, for people.

use std::{fmt::Write, time::Duration};

use super::{Measured, migrations::Rates};
use crate::figures::{milliseconds, verdict};

const OPEN_GOAL: Duration = Duration::from_millis(10);
const MEMORY_GOAL_BYTES: u64 = 1 << 30;
const MIGRATIONS_GOAL: f64 = 500.0;

/// The section of the page.
///
/// # Errors
/// None in practice: writing to a text does not fail.
pub fn section(measured: &Measured) -> anyhow::Result<String> {
    let Measured { tenants, open_max, memory, .. } = measured;
    let mut text = format!("## {tenants} organisations on SQLite\n\n");
    writeln!(
        text,
        "Each organisation has a database file of its own ({:.1} MB in all), of which at most {open_max} are open at once. \
         They are made and asked by eight tasks; the openings are timed one at a time, most of them with another database to \
         be closed first. Cold means not open in the process: *from the disk*, the kernel was told to forget the file before.\n",
        megabytes(measured.size_bytes)
    )?;
    writeln!(text, "| what | figure |\n|---|---:|")?;
    writeln!(text, "| organisations made, with their row | **{:.0}** a second |", measured.created_per_second)?;
    for (what, times) in [("from the disk", &measured.from_disk), ("in the kernel's cache", &measured.from_cache)] {
        let figures = [times.percentile(50.0), times.percentile(99.0), times.max()].map(milliseconds);
        writeln!(
            text,
            "| cold opening and one statement, {what} | p50 {} ms, p99 **{}** ms, longest {} ms |",
            figures[0], figures[1], figures[2]
        )?;
    }
    writeln!(text, "| all of them opened and asked once | **{:.0}** a second |", measured.touched_per_second)?;
    writeln!(
        text,
        "| resident memory before, and after all were asked; at most | {:.0} MB, **{:.0} MB**; {:.0} MB |",
        megabytes(memory.before_bytes),
        megabytes(memory.after_bytes),
        megabytes(memory.peak_bytes)
    )?;
    let Rates { up, current, down, parallel } = measured.migrations;
    writeln!(
        text,
        "| a column and an index added to all, {parallel} at once, each noted in the system's database | **{up:.0}** a second |"
    )?;
    writeln!(text, "| the same where it is done already | **{current:.0}** a second |")?;
    writeln!(text, "| the same rolled back | **{down:.0}** a second |")?;
    let p99 = measured.from_disk.percentile(99.0);
    writeln!(
        text,
        "\nThe goals are a p99 of at most {} ms for a cold opening, also from the disk ({}), at most 1 GiB of memory ({}), \
         and at least {MIGRATIONS_GOAL} migrations a second ({}).\n",
        OPEN_GOAL.as_millis(),
        verdict(p99 <= OPEN_GOAL, &format!("{} ms", milliseconds(p99))),
        verdict(memory.peak_bytes <= MEMORY_GOAL_BYTES, &format!("{:.0} MB", megabytes(memory.peak_bytes))),
        verdict(up >= MIGRATIONS_GOAL, &format!("{up:.0}"))
    )?;
    Ok(text)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
