//! What a call through a closed breaker costs, in nanoseconds and allocations, beside recloser and failsafe.

mod contenders;

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use self::contenders::{
    CALLS, Contender, FAILS_ONE_OF, Nothing, Now, Ours, Whole, failsafe_counting_time, failsafe_in_a_row,
    recloser_counting_calls,
};
use crate::{
    figures::{median, ranged, verdict},
    page,
};

/// Length of one measurement.
const LENGTH: Duration = Duration::from_millis(200);
/// Calls between two looks at the clock.
const BATCH: u32 = 1000;
/// Calls whose allocations are counted.
const COUNTED: u32 = 10_000;
const GOAL_NANOSECONDS: f64 = 30.0;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Turns of each contender. The median counts.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/breaker.md")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Nothing,
    Calls,
    Time,
    TimeRead,
    Whole,
    Recloser,
    FailsafeInARow,
    FailsafeTime,
}

impl Who {
    const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Calls,
        Self::Time,
        Self::TimeRead,
        Self::Whole,
        Self::Recloser,
        Self::FailsafeInARow,
        Self::FailsafeTime,
    ];

    fn name(self) -> String {
        match self {
            Self::Nothing => "the call alone, no breaker".to_owned(),
            Self::Calls => format!("**Warren**, the last {CALLS} calls"),
            Self::Time => "**Warren**, the last 30 s, slow calls too".to_owned(),
            Self::TimeRead => "**Warren**, the same, reading the clock before and after".to_owned(),
            Self::Whole => "**Warren**, a whole dependency: breaker, bulkhead, retry budget, figures, clock".to_owned(),
            Self::Recloser => format!("recloser 1.4, the last {CALLS} calls"),
            Self::FailsafeInARow => "failsafe 1.3, failures in a row".to_owned(),
            Self::FailsafeTime => "failsafe 1.3, success rate of the last 30 s, reading the clock".to_owned(),
        }
    }

    fn measure(self) -> anyhow::Result<Figures> {
        Ok(match self {
            Self::Nothing => figures(&Nothing),
            Self::Calls => figures(&Ours::counting_calls(Now::Given)?),
            Self::Time => figures(&Ours::counting_time(Now::Given)?),
            Self::TimeRead => figures(&Ours::counting_time(Now::Read)?),
            Self::Whole => figures(&Whole::build()?),
            Self::Recloser => figures(&recloser_counting_calls()),
            Self::FailsafeInARow => figures(&failsafe_in_a_row()),
            Self::FailsafeTime => figures(&failsafe_counting_time()),
        })
    }
}

/// Of one contender.
#[derive(Debug, Clone, Copy)]
struct Figures {
    alone: f64,
    together: f64,
    allocations: Option<f64>,
}

#[derive(Debug, Default)]
struct Samples {
    alone: Vec<f64>,
    together: Vec<f64>,
    allocations: Option<f64>,
}

/// Measures, prints the table and writes it.
///
/// # Errors
/// When the page cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let machine = page::made_on("breaker")?;
    let mut samples: BTreeMap<Who, Samples> = BTreeMap::new();
    for round in 0..=arguments.rounds {
        let (before, from) = Who::ALL.split_at(usize::from(round) % Who::ALL.len());
        for who in from.iter().chain(before) {
            let figures = who.measure()?;
            if round > 0 {
                page::progress(&format!("round {round}: {who:?}: {:.1} ns", figures.alone));
                let of = samples.entry(*who).or_default();
                of.alone.push(figures.alone);
                of.together.push(figures.together);
                of.allocations = figures.allocations;
            }
        }
    }
    page::publish(&text(&machine, &samples, arguments.rounds)?, &arguments.output)
}

fn figures(contender: &impl Contender) -> Figures {
    Figures { alone: alone(contender), together: together(contender), allocations: allocations(contender) }
}

/// Nanoseconds for one call, with nobody else there.
fn alone(contender: &impl Contender) -> f64 {
    let (begun, mut calls) = (Instant::now(), 0);
    while begun.elapsed() < LENGTH {
        (0..BATCH).for_each(|turn| contender.pass(turn));
        calls += BATCH;
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

/// The same while as many threads call as there are processors.
fn together(contender: &impl Contender) -> f64 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let each: Vec<f64> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(|| alone(contender))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    each.iter().sum::<f64>() / each.len().max(1) as f64
}

/// Allocations for one call.
#[cfg(feature = "allocations")]
fn allocations(contender: &impl Contender) -> Option<f64> {
    let counted = allocation_counter::measure(|| (0..COUNTED).for_each(|turn| contender.pass(turn)));
    Some(counted.count_total as f64 / f64::from(COUNTED))
}

/// There is nobody who counts.
#[cfg(not(feature = "allocations"))]
fn allocations(contender: &impl Contender) -> Option<f64> {
    (0..COUNTED).for_each(|turn| contender.pass(turn));
    None
}

fn text(machine: &str, samples: &BTreeMap<Who, Samples>, rounds: u8) -> anyhow::Result<String> {
    let mut text = String::from("# Circuit breakers\n\n");
    writeln!(
        text,
        "A call through a closed breaker: asking for leave, the call, and reporting what became of it, around work that does \
         nothing; one call of {FAILS_ONE_OF} fails. Ours is behind a mutex, as it is in the program. By one thread, and by as \
         many threads as there are processors, all through the same breaker. {rounds} interleaved rounds of {} ms: medians, \
         and in brackets the lowest and the highest. Allocations are counted over {COUNTED} calls, by an allocator that the \
         feature `allocations` of this benchmark brings.\n\n{machine}\n",
        LENGTH.as_millis()
    )?;
    writeln!(text, "| breaker | ns a call | ns a call, all threads | allocations a call |\n|---|---:|---:|---:|")?;
    for (who, of) in samples {
        let allocations = of.allocations.map_or_else(|| "not counted".to_owned(), |count| format!("{count:.2}"));
        let (alone, together) = (ranged(of.alone.clone(), 1), ranged(of.together.clone(), 1));
        writeln!(text, "| {} | {alone} | {together} | {allocations} |", who.name())?;
    }
    let alone = |who| median(samples[&who].alone.clone()).0;
    let ours = alone(Who::Calls).max(alone(Who::Time));
    let without = ours - alone(Who::Nothing);
    let allocated =
        samples[&Who::Calls].allocations.zip(samples[&Who::Time].allocations).map(|(one, other)| one + other);
    let counted = match allocated {
        Some(count) => format!("{count:.2} allocations"),
        None => "allocations that nobody counted".to_owned(),
    };
    let figure = format!("{ours:.1} ns at most, of which {without:.1} ns are not the call's, and {counted}");
    writeln!(
        text,
        "\nThe goal is at most {GOAL_NANOSECONDS} ns with the moment given, and no allocation; {}.",
        verdict(ours <= GOAL_NANOSECONDS && allocated.is_some_and(|count| count == 0.0), &figure)
    )?;
    Ok(text)
}
