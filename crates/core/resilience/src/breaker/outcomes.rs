//! What a breaker remembers of the last calls.

use std::{
    ops::{AddAssign, SubAssign},
    time::Instant,
};

use super::settings::Window;
use crate::ring::TimeRing;

/// Calls that were reported, and what became of them. A call that took long and failed is in both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that took long.
    pub slow: u64,
}

impl AddAssign for Counts {
    #[inline]
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.failed += more.failed;
        self.slow += more.slow;
    }
}

impl SubAssign for Counts {
    #[inline]
    fn sub_assign(&mut self, less: Self) {
        self.calls -= less.calls;
        self.failed -= less.failed;
        self.slow -= less.slow;
    }
}

#[derive(Debug, Clone)]
pub(super) enum Outcomes {
    Calls(CallRing),
    Time(TimeRing<Counts>),
}

impl Outcomes {
    pub(super) fn new(window: Window, now: Instant) -> Self {
        match window {
            Window::Calls(count) => Self::Calls(CallRing::new(count)),
            Window::Time { span, buckets } => Self::Time(TimeRing::new(span, usize::from(buckets), now)),
        }
    }

    /// Adds one call and returns the sums with it.
    #[inline]
    pub(super) fn add(&mut self, call: Counts, now: Instant) -> Counts {
        match self {
            Self::Calls(ring) => ring.add(call),
            Self::Time(ring) => {
                ring.add(call, now);
                ring.total()
            }
        }
    }

    pub(super) fn counts(&mut self, now: Instant) -> Counts {
        match self {
            Self::Calls(ring) => ring.total,
            Self::Time(ring) => {
                ring.advance(now);
                ring.total()
            }
        }
    }

    pub(super) fn clear(&mut self, now: Instant) {
        match self {
            Self::Calls(ring) => ring.clear(),
            Self::Time(ring) => ring.clear(now),
        }
    }
}

/// The last calls, two bits each.
#[derive(Debug, Clone)]
pub(super) struct CallRing {
    words: Box<[Word]>,
    capacity: u32,
    next: u32,
    total: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Word {
    failed: u64,
    slow: u64,
}

impl CallRing {
    fn new(capacity: u32) -> Self {
        let words = vec![Word::default(); capacity.div_ceil(u64::BITS) as usize].into();
        Self { words, capacity, next: 0, total: Counts::default() }
    }

    #[inline]
    fn add(&mut self, call: Counts) -> Counts {
        let word = &mut self.words[(self.next / u64::BITS) as usize];
        let bit = self.next % u64::BITS;
        // Nothing is set yet where no call has been.
        self.total.failed -= (word.failed >> bit) & 1;
        self.total.slow -= (word.slow >> bit) & 1;
        self.total.calls = (self.total.calls + 1).min(u64::from(self.capacity));
        word.failed = (word.failed & !(1 << bit)) | (call.failed << bit);
        word.slow = (word.slow & !(1 << bit)) | (call.slow << bit);
        self.total.failed += call.failed;
        self.total.slow += call.slow;
        self.next = if self.next + 1 == self.capacity { 0 } else { self.next + 1 };
        self.total
    }

    fn clear(&mut self) {
        self.words.fill(Word::default());
        (self.next, self.total) = (0, Counts::default());
    }
}
