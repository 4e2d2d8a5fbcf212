//! The figures, for people.

use std::{fmt::Write, time::Duration};

use super::{Measured, Medium};
use crate::figures::{Times, milliseconds};

/// The promise that is measured here, at [`GOAL_DEVICES`].
const GOAL: Duration = Duration::from_millis(5);
const GOAL_DEVICES: usize = 10_000;

/// The page for the book.
///
/// # Errors
/// None in practice: writing to a text does not fail.
pub fn page(measured: &[(Medium, Measured)], machine: &str) -> anyhow::Result<String> {
    let mut page = String::from("# From a change to the gateway\n\n");
    writeln!(
        page,
        "Time from a call of the API that disables or enables one device until its peer is out of, or in, force on the \
         gateway. `warren up` runs as people run it: the control plane on SQLite with every commit brought to the disk, \
         and its gateway as a process of its own that carries one network with all the devices, in a network namespace. \
         The time begins before the request is written and ends where the gateway's log says that the peer was set or \
         removed, by the same clock. One change at a time. A change is told to the gateway once it is on the disk, so the disk \
         has its part in every figure and most of the slowest; the same with the databases on a file system in memory shows \
         what is left without it.\n"
    )?;
    writeln!(page, "{machine}\n")?;
    writeln!(
        page,
        "| devices | data | what | changes | p50 ms | p99 ms | longest ms |\n|---:|---|---|---:|---:|---:|---:|"
    )?;
    for (medium, one) in measured {
        let place = format!("{} | {}", one.devices, name(*medium));
        row(&mut page, &place, "**in force on the gateway**", &one.removed.with(&one.set))?;
        row(&mut page, &place, "… of these, devices disabled", &one.removed)?;
        row(&mut page, &place, "… of these, devices enabled", &one.set)?;
        row(&mut page, &place, "the answer to the caller", &one.answered)?;
        row(&mut page, &place, "beside it: a bare write of 4 KiB and its fdatasync", &one.disk)?;
    }
    for (medium, one) in measured.iter().filter(|(_, one)| one.devices == GOAL_DEVICES) {
        let p99 = one.removed.with(&one.set).percentile(99.0);
        let (verdict, p99) = (if p99 <= GOAL { "met" } else { "missed" }, milliseconds(p99));
        let (goal, name) = (milliseconds(GOAL), name(*medium));
        writeln!(
            page,
            "\nThe goal is a p99 of at most {goal} ms at {GOAL_DEVICES} devices; with the data {name} it is {verdict}: {p99} ms."
        )?;
    }
    Ok(page)
}

fn row(page: &mut String, place: &str, what: &str, times: &Times) -> anyhow::Result<()> {
    let [p50, p99, max] = [times.percentile(50.0), times.percentile(99.0), times.max()].map(milliseconds);
    writeln!(page, "| {place} | {what} | {} | {p50} | {p99} | {max} |", times.count())?;
    Ok(())
}

const fn name(medium: Medium) -> &'static str {
    match medium {
        Medium::Disk => "on the disk",
        Medium::Memory => "in memory",
    }
}
