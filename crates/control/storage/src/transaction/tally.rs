//! What transactions counted: how many, how often each was attempted, and how they ended.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{
    engine::RetryCause,
    pool::{Histogram, HistogramView},
};

/// Counts of transactions on one kind of database.
#[derive(Debug, Default)]
pub(crate) struct TransactionTally {
    attempts: AtomicU64,
    retries: [AtomicU64; RetryCause::ALL.len()],
    ends: [AtomicU64; End::ALL.len()],
    took: Histogram,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Committed,
    /// Undone because the work or a statement of it failed.
    Failed,
    /// Undone because it took too long.
    TimedOut,
    /// Undone because nobody waited for it any more, or it panicked.
    Dropped,
    /// Undone because the database kept asking for another attempt.
    GivenUp,
    /// Nobody knows whether it was committed.
    Unknown,
}

impl End {
    pub const ALL: [Self; 6] =
        [Self::Committed, Self::Failed, Self::TimedOut, Self::Dropped, Self::GivenUp, Self::Unknown];

    /// Its name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Dropped => "dropped",
            Self::GivenUp => "given_up",
            Self::Unknown => "unknown",
        }
    }
}

/// What was counted up to one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionTallyView {
    pub attempts: u64,
    /// By cause, in the order of [`RetryCause::ALL`].
    pub retries: Vec<(&'static str, u64)>,
    /// By end, in the order of [`End::ALL`].
    pub ends: Vec<(&'static str, u64)>,
    /// From the first attempt's beginning to the last one's end.
    pub took: HistogramView,
}

impl TransactionTally {
    pub fn attempted(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }
    pub fn retried(&self, cause: RetryCause) {
        self.retries[cause as usize].fetch_add(1, Ordering::Relaxed);
    }
    pub fn ended(&self, end: End, took: Duration) {
        self.ends[end as usize].fetch_add(1, Ordering::Relaxed);
        self.took.observe(took);
    }
    pub fn view(&self) -> TransactionTallyView {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TransactionTallyView {
            attempts: load(&self.attempts),
            retries: RetryCause::ALL
                .iter()
                .map(|cause| (cause.as_str(), load(&self.retries[*cause as usize])))
                .collect(),
            ends: End::ALL.iter().map(|end| (end.as_str(), load(&self.ends[*end as usize]))).collect(),
            took: self.took.view(),
        }
    }
}
