//! The figures, for people.

use std::fmt::Write;

use super::{Arguments, Contender, Load, Operation, Samples, load::Sample};
use crate::figures::{median, milliseconds};

/// One line for one finished measurement.
pub fn progress(round: u8, contender: Contender, load: Load, sample: &Sample) -> String {
    let (title, name) = (title(load), name(contender));
    format!("round {round}: {title}: {name}: {:.0} requests/s", sample.requests_per_second)
}

/// The page for the book.
///
/// # Errors
/// None in practice: writing to a text does not fail.
pub fn page(samples: &Samples, arguments: &Arguments, machine: &str) -> anyhow::Result<String> {
    let mut page = String::from("# Requests per second\n\n");
    writeln!(
        page,
        "Listing 50 devices, and enrolling one, through `warren up` and through bare axum handlers on a copy of the same \
         data. The handler with *the same statements* sends the SQL that Warren sends for the request, with nothing around \
         it; the one with *the devices alone* neither looks who asks nor looks names up. SQLite is set alike everywhere: \
         write-ahead log, `synchronous=FULL`, one writer with immediate transactions, four readers of the system's database \
         and two of the organisation's; so every enrolment is on the disk before its answer. Servers and client share the \
         processors. {} interleaved rounds of {} s, {} devices at the beginning: medians, and in brackets the lowest and \
         the highest.\n",
        arguments.rounds, arguments.seconds, arguments.devices
    )?;
    writeln!(page, "{machine}\n")?;
    writeln!(page, "| load | server | requests/s | p50 ms | p99 ms |\n|---|---|---:|---:|---:|")?;
    for ((load, contender), taken) in samples {
        let (rate, low, high) = median(taken.iter().map(|sample| sample.requests_per_second).collect());
        let percentile = |percent| {
            let of_rounds = taken.iter().map(|sample| sample.times.percentile(percent).as_secs_f64());
            milliseconds(std::time::Duration::from_secs_f64(median(of_rounds.collect()).0))
        };
        let (title, name) = (title(*load), name(*contender));
        let (p50, p99) = (percentile(50.0), percentile(99.0));
        writeln!(page, "| {title} | {name} | **{rate:.0}** ({low:.0}–{high:.0}) | {p50} | {p99} |")?;
    }
    Ok(page)
}

fn title(load: Load) -> String {
    let what = match load.operation {
        Operation::List => "list",
        Operation::Enrol => "enrol",
    };
    format!("{what}, {} connections", load.connections)
}

const fn name(contender: Contender) -> &'static str {
    match contender {
        Contender::Warren => "Warren",
        Contender::SameStatements => "bare axum, the same statements",
        Contender::DevicesAlone => "bare axum, the devices alone",
    }
}
