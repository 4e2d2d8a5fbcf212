//! What a pool counts: for itself, and at the same time for all pools of its kind, whose sums outlive a tenant's closing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Histogram, HistogramView};

/// The counts of one pool and, beside them, of its kind.
#[derive(Debug, Clone)]
pub(crate) struct PoolTally {
    own: Arc<Counts>,
    kind: Arc<Counts>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    waited: Histogram,
    used: Histogram,
    connected: Histogram,
    timeouts: AtomicU64,
    turned_away: AtomicU64,
    connect_failures: AtomicU64,
    broken: AtomicU64,
    closed: AtomicU64,
}

/// What was counted up to one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolTallyView {
    /// How long those waited who got a connection.
    pub waited: HistogramView,
    /// How long they kept it.
    pub used: HistogramView,
    /// How long connections took to open.
    pub connected: HistogramView,
    /// Those whose turn did not come in time.
    pub timeouts: u64,
    /// Those for whom the line was too long.
    pub turned_away: u64,
    pub connect_failures: u64,
    /// Connections given up because they broke, or were left in a state that could not be mended.
    pub broken: u64,
    /// Connections closed for whatever reason.
    pub closed: u64,
}

impl Counts {
    pub fn view(&self) -> PoolTallyView {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PoolTallyView {
            waited: self.waited.view(),
            used: self.used.view(),
            connected: self.connected.view(),
            timeouts: load(&self.timeouts),
            turned_away: load(&self.turned_away),
            connect_failures: load(&self.connect_failures),
            broken: load(&self.broken),
            closed: load(&self.closed),
        }
    }
}

impl PoolTally {
    /// Counts of a pool that are added to `kind` as well.
    pub fn within(kind: &Arc<Counts>) -> Self {
        Self { own: Arc::default(), kind: Arc::clone(kind) }
    }

    pub fn view(&self) -> PoolTallyView {
        self.own.view()
    }

    fn both(&self) -> [&Counts; 2] {
        [&self.own, &self.kind]
    }

    pub(super) fn acquired(&self, waited: Duration) {
        self.both().iter().for_each(|counts| counts.waited.observe(waited));
    }
    pub(super) fn used(&self, for_: Duration) {
        self.both().iter().for_each(|counts| counts.used.observe(for_));
    }
    pub(super) fn connected(&self, took: Duration) {
        self.both().iter().for_each(|counts| counts.connected.observe(took));
    }
    pub(super) fn timed_out(&self) {
        self.count(|counts| &counts.timeouts);
    }
    pub(super) fn turned_away(&self) {
        self.count(|counts| &counts.turned_away);
    }
    pub(super) fn connect_failed(&self) {
        self.count(|counts| &counts.connect_failures);
    }
    pub(super) fn broken(&self) {
        self.count(|counts| &counts.broken);
    }
    pub(super) fn closed(&self) {
        self.count(|counts| &counts.closed);
    }

    fn count(&self, of: impl Fn(&Counts) -> &AtomicU64) {
        for counts in self.both() {
            of(counts).fetch_add(1, Ordering::Relaxed);
        }
    }
}
