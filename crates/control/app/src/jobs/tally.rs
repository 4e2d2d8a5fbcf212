//! Figures of each queue: how long jobs wait and run, and how they end.

use std::{collections::VecDeque, time::Duration};

use parking_lot::Mutex;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
};
use warren_model::Queue;
use warren_storage::Verdict;

use crate::Metrics;

/// Attempts that the percentiles of a queue speak of.
const RECENT_MAX: usize = 512;

/// What one queue did in this process, of late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueTallyView {
    /// From being due to being begun.
    pub waited_p50: Duration,
    pub waited_p99: Duration,
    pub ran_p50: Duration,
    pub ran_p99: Duration,
    /// Since the process began.
    pub done: u64,
    pub failed: u64,
    pub dead: u64,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfQueue {
    queue: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ends {
    queue: &'static str,
    end: &'static str,
}

/// The figures of this process.
#[derive(Debug)]
pub(crate) struct Tally {
    waits: Family<OfQueue, Histogram>,
    runs: Family<OfQueue, Histogram>,
    ends: Family<Ends, Counter>,
    recent: Mutex<[Recent; Queue::ALL.len()]>,
}

#[derive(Debug, Default)]
struct Recent {
    waits: VecDeque<Duration>,
    runs: VecDeque<Duration>,
}

/// Seconds, from a millisecond to an hour.
fn histogram() -> Histogram {
    Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 3600.0])
}

impl Default for Tally {
    fn default() -> Self {
        let family = || Family::<OfQueue, Histogram>::new_with_constructor(histogram as fn() -> Histogram);
        Self { waits: family(), runs: family(), ends: Family::default(), recent: Mutex::default() }
    }
}

impl Tally {
    /// Shows the figures to Prometheus.
    pub(crate) fn register(&self, metrics: &Metrics) {
        metrics.register("job_wait_seconds", "From a job's being due to its beginning", self.waits.clone());
        metrics.register("job_run_seconds", "How long attempts at jobs take", self.runs.clone());
        metrics.register("job_attempts", "Attempts at jobs, by how they ended", self.ends.clone());
    }

    pub(super) fn began(&self, queue: Queue, waited: Duration) {
        self.waits.get_or_create(&OfQueue { queue: queue.as_str() }).observe(waited.as_secs_f64());
        remember(&mut self.recent.lock()[queue as usize].waits, waited);
    }

    pub(super) fn ended(&self, queue: Queue, verdict: &Verdict, ran: Duration) {
        self.runs.get_or_create(&OfQueue { queue: queue.as_str() }).observe(ran.as_secs_f64());
        self.ends.get_or_create(&Ends { queue: queue.as_str(), end: end_of(verdict) }).inc();
        remember(&mut self.recent.lock()[queue as usize].runs, ran);
    }

    /// What one queue did.
    pub(crate) fn view(&self, queue: Queue) -> QueueTallyView {
        let (mut waits, mut runs) = {
            let recent = &self.recent.lock()[queue as usize];
            (recent.waits.iter().copied().collect::<Vec<_>>(), recent.runs.iter().copied().collect::<Vec<_>>())
        };
        waits.sort_unstable();
        runs.sort_unstable();
        let count = |end| self.ends.get_or_create(&Ends { queue: queue.as_str(), end }).get();
        QueueTallyView {
            waited_p50: percentile(&waits, 50),
            waited_p99: percentile(&waits, 99),
            ran_p50: percentile(&runs, 50),
            ran_p99: percentile(&runs, 99),
            done: count("done"),
            failed: count("retry"),
            dead: count("dead"),
        }
    }
}

const fn end_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done { .. } => "done",
        Verdict::Retry { .. } => "retry",
        Verdict::Dead { .. } => "dead",
        Verdict::Cancelled => "cancelled",
        Verdict::Postponed { .. } => "postponed",
        Verdict::Released => "released",
    }
}

fn remember(recent: &mut VecDeque<Duration>, span: Duration) {
    if recent.len() == RECENT_MAX {
        recent.pop_front();
    }
    recent.push_back(span);
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default()
}
