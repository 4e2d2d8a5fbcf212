//! The figures of the layer, for people.

use std::fmt::Write;

use warren_storage::Engine;

use super::{CALLERS, DEVICES, LENGTH, Operation, PAGE, Sample, Samples, Who};
use crate::{
    database::Rounds,
    figures::{median, milliseconds, ranged},
};

/// The section of the page.
///
/// # Errors
/// None in practice: writing to a text does not fail.
pub fn section(samples: &Samples, rounds: Rounds) -> anyhow::Result<String> {
    let mut text = String::from("## Our layer over the drivers\n\n");
    writeln!(
        text,
        "A device by its primary key, a device with its row of usage inserted in one transaction, and a page of {PAGE} devices \
         among {DEVICES} and those inserted meanwhile: through Warren's models, through sqlx with the same texts of statements \
         (taken from Warren's own figures), and through sea-orm with the same entities. All three work on one database with \
         the same settings and as many connections: SQLite with `synchronous=FULL`, one writer and two readers; servers with \
         8 connections, serialisable transactions, and every commit brought to the disk. sqlx's test of each connection before \
         it is given out, a round trip, is switched off for the peers. What Warren adds is its pool, the notes on who has a \
         connection, the figures of statements, attempts and limits of transactions, and models in place of rows. What a \
         database refuses because it finds no order for it is attempted again after the same waits. The CPU time is this \
         process's, to which SQLite belongs and a server does not. {CALLERS} callers share the processors with the server; \
         {} interleaved rounds of {} ms: medians, and in brackets the lowest and the highest.\n",
        rounds.few(),
        LENGTH.as_millis()
    )?;
    writeln!(
        text,
        "| database | what | through | a second | p50 ms | p99 ms | CPU µs each | refused for each done | of sqlx's rate |"
    )?;
    writeln!(text, "|---|---|---|---:|---:|---:|---:|---:|---:|")?;
    for ((engine, operation, who), taken) in samples {
        let rates = |taken: &[Sample]| taken.iter().map(|sample| sample.per_second).collect::<Vec<_>>();
        let percentile = |percent| {
            let of_rounds = taken.iter().map(|sample| sample.times.percentile(percent).as_secs_f64());
            milliseconds(std::time::Duration::from_secs_f64(median(of_rounds.collect()).0))
        };
        let (database, what, through) = (name_of(Engine::ALL[*engine]), title(*operation), name(*who));
        let part = samples.get(&(*engine, *operation, Who::Sqlx)).map_or(f64::NAN, |peers| {
            // Round by round, so that what disturbs one round disturbs both sides of the fraction.
            let parts = taken.iter().zip(peers).map(|(ours, theirs)| ours.per_second / theirs.per_second * 100.0);
            median(parts.collect()).0
        });
        let processor = median(taken.iter().map(|sample| sample.processor.as_secs_f64() * 1e6).collect()).0;
        let refused = median(taken.iter().map(|sample| sample.refused).collect()).0;
        let (rate, p50, p99) = (ranged(rates(taken), 0), percentile(50.0), percentile(99.0));
        writeln!(
            text,
            "| {database} | {what} | {through} | {rate} | {p50} | {p99} | {processor:.0} | {refused:.2} | {part:.0} % |"
        )?;
    }
    text.push('\n');
    Ok(text)
}

const fn name_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SQLite",
        Engine::MariaDb => "MariaDB",
        Engine::PostgreSql => "PostgreSQL",
    }
}

fn title(operation: Operation) -> String {
    match operation {
        Operation::Get => "get".to_owned(),
        Operation::Insert => "insert".to_owned(),
        Operation::List => format!("list of {PAGE}"),
    }
}

const fn name(who: Who) -> &'static str {
    match who {
        Who::Warren => "**Warren**",
        Who::Sqlx => "sqlx 0.9",
        Who::SeaOrm => "sea-orm 2.0",
    }
}
