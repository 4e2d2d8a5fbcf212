//! The figures, for people.

use std::{fmt::Write, time::Duration};

use super::Measured;
use crate::figures::{Times, milliseconds};

/// The promise that is measured here, at [`GOAL_DEVICES`].
const GOAL: Duration = Duration::from_millis(5);
const GOAL_DEVICES: usize = 10_000;

/// The page for the book.
///
/// # Errors
/// None in practice: writing to a text does not fail.
pub fn page(measured: &[Measured], machine: &str) -> anyhow::Result<String> {
    let mut page = String::from("# From a change to the gateway\n\n");
    writeln!(
        page,
        "Time from a call of the API that disables or enables one device until its peer is out of, or in, force on the \
         gateway. `warren up` runs as people run it: the control plane on SQLite with every commit brought to the disk, \
         and its gateway as a process of its own that carries one network with all the devices, in a network namespace. \
         The time begins before the request is written and ends where the gateway's log says that the peer was set or \
         removed, by the same clock. One change at a time.\n"
    )?;
    writeln!(page, "{machine}\n")?;
    writeln!(page, "| devices | what | changes | p50 ms | p99 ms | longest ms |\n|---:|---|---:|---:|---:|---:|")?;
    for one in measured {
        row(&mut page, one.devices, "**in force on the gateway**", &one.all)?;
        row(&mut page, one.devices, "… of these, devices disabled", &one.removed)?;
        row(&mut page, one.devices, "… of these, devices enabled", &one.set)?;
        row(&mut page, one.devices, "the answer to the caller", &one.answered)?;
        row(&mut page, one.devices, "for comparison: a bare write of 4 KiB and its fdatasync", &one.disk)?;
    }
    if let Some(goal) = measured.iter().find(|one| one.devices == GOAL_DEVICES) {
        let p99 = goal.all.percentile(99.0);
        let verdict = if p99 <= GOAL { "met" } else { "missed" };
        let (p99, goal) = (milliseconds(p99), milliseconds(GOAL));
        writeln!(page, "\nThe goal is a p99 of at most {goal} ms at {GOAL_DEVICES} devices: {verdict} with {p99} ms.")?;
    }
    Ok(page)
}

fn row(page: &mut String, devices: usize, what: &str, times: &Times) -> anyhow::Result<()> {
    let [p50, p99, max] = [times.percentile(50.0), times.percentile(99.0), times.max()].map(milliseconds);
    writeln!(page, "| {devices} | {what} | {} | {p50} | {p99} | {max} |", times.count())?;
    Ok(())
}
