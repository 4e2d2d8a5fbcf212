//! The figures, for people.

use std::{fmt::Write, time::Duration};

use super::{Measured, REQUESTS, memory::Usage};
use crate::figures::{Times, milliseconds};

const START_GOAL: Duration = Duration::from_millis(150);
const MEMORY_GOAL_MEGABYTES: f64 = 60.0;

/// The page for the book.
///
/// # Errors
/// None in practice: writing to a text does not fail.
pub fn page(measured: &Measured, rounds: u8, machine: &str) -> anyhow::Result<String> {
    let mut page = String::from("# Start-up and idle memory\n\n");
    writeln!(
        page,
        "From the start of `warren up`, with its gateway, until `GET /health` is answered, {rounds} times each; and the \
         memory of its processes after ten idle seconds, in an installation with one organisation and one network that the \
         gateway carries. RSS counts all that is present; PSS divides what processes share between them.\n"
    )?;
    writeln!(page, "{machine}\n")?;
    writeln!(page, "| start | p50 ms | p99 ms | longest ms |\n|---|---:|---:|---:|")?;
    row(&mut page, "on an empty folder: keys, databases and schema are made", &measured.first)?;
    row(&mut page, "on the folder of before", &measured.again)?;

    writeln!(page, "\n| process | when | RSS MB | PSS MB |\n|---|---|---:|---:|")?;
    for (when, usages) in [
        ("after the start".to_owned(), &measured.after_start),
        (format!("after a sign-in and {REQUESTS} requests"), &measured.after_use),
    ] {
        for Usage { process, rss_bytes, pss_bytes } in usages {
            let (rss, pss) = (megabytes(*rss_bytes), megabytes(*pss_bytes));
            writeln!(page, "| {process} | {when} | {rss:.1} | {pss:.1} |")?;
        }
        let (rss, pss) = sum(usages);
        writeln!(page, "| **all** | {when} | **{rss:.1}** | **{pss:.1}** |")?;
    }

    let start = measured.first.percentile(50.0).max(measured.again.percentile(50.0));
    let (_, pss) = sum(&measured.after_start);
    writeln!(
        page,
        "\nThe goals are a start within {} ms ({}: the slower kind takes {} ms at the median) and {MEMORY_GOAL_MEGABYTES} MB of \
         idle memory ({}: all processes together hold {pss:.1} MB after the start).",
        START_GOAL.as_millis(),
        verdict(start <= START_GOAL),
        milliseconds(start),
        verdict(pss <= MEMORY_GOAL_MEGABYTES),
    )?;
    Ok(page)
}

fn row(page: &mut String, what: &str, times: &Times) -> anyhow::Result<()> {
    let [p50, p99, max] = [times.percentile(50.0), times.percentile(99.0), times.max()].map(milliseconds);
    writeln!(page, "| {what} | **{p50}** | {p99} | {max} |")?;
    Ok(())
}

/// RSS and PSS of all. Adding RSS counts shared pages more than once.
fn sum(usages: &[Usage]) -> (f64, f64) {
    let all = |bytes: fn(&Usage) -> u64| megabytes(usages.iter().map(bytes).sum());
    (all(|usage| usage.rss_bytes), all(|usage| usage.pss_bytes))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

const fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}
