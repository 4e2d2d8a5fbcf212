//! Whether this process hears of every invalidation, and how old what it remembers may be while it may not.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::moment::Moment;

/// Without certainty that all invalidations are heard of, what was read longer ago than this is read anew.
pub const CAUTIOUS_FRESHNESS: Duration = Duration::from_secs(2);

/// Up to when the process may believe that it has heard of everything. Certainty runs out by itself.
#[derive(Debug)]
pub(crate) struct Trust(AtomicU64);

/// What may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// Every invalidation is heard of.
    Certain,
    /// Some may not be: only what was read at this moment or later counts as fresh.
    CautiousFrom(Moment),
}

impl Trust {
    /// There is nobody else to be heard.
    pub const fn alone() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
    /// There are others, who are not heard yet.
    pub const fn nobody_heard() -> Self {
        Self(AtomicU64::new(0))
    }
    /// All is known up to a moment, which makes for certainty until `until`.
    pub fn extend(&self, until: Moment) {
        self.0.store(until.0, Ordering::Release);
    }
    /// Something may have been missed.
    pub fn withdraw(&self) {
        self.0.store(0, Ordering::Release);
    }
    pub fn is_certain(&self, now: Moment) -> bool {
        now.0 <= self.0.load(Ordering::Acquire)
    }
    pub fn outlook(&self, now: Moment) -> Outlook {
        if self.is_certain(now) { Outlook::Certain } else { Outlook::CautiousFrom(now.before(CAUTIOUS_FRESHNESS)) }
    }
}
