//! Sums over the last calls and over the last span of time, in memory of a fixed size.

use std::{
    ops::{AddAssign, SubAssign},
    time::{Duration, Instant},
};

/// Amounts added within the last span, in buckets that are forgotten whole. Adding costs one comparison of times and
/// two additions while a bucket lasts.
#[derive(Debug, Clone)]
pub(crate) struct TimeRing<T> {
    buckets: Box<[T]>,
    current: usize,
    begun: Instant,
    length: Duration,
    total: T,
}

impl<T: Copy + Default + AddAssign + SubAssign> TimeRing<T> {
    /// `span` in `count` buckets of at least a nanosecond each.
    pub(crate) fn new(span: Duration, count: usize, now: Instant) -> Self {
        let length = (span / u32::try_from(count.max(1)).unwrap_or(u32::MAX)).max(Duration::from_nanos(1));
        Self { buckets: vec![T::default(); count.max(1)].into(), current: 0, begun: now, length, total: T::default() }
    }

    #[inline]
    pub(crate) fn add(&mut self, amount: T, now: Instant) {
        self.advance(now);
        self.buckets[self.current] += amount;
        self.total += amount;
    }

    /// The sum as of the last time that this was told.
    #[inline]
    pub(crate) const fn total(&self) -> T {
        self.total
    }

    pub(crate) fn clear(&mut self, now: Instant) {
        self.buckets.fill(T::default());
        (self.begun, self.total) = (now, T::default());
    }

    /// Forgets what is older than the span.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant) {
        match now.checked_duration_since(self.begun) {
            Some(elapsed) if elapsed < self.length => {}
            Some(elapsed) => self.turn(elapsed, now),
            // The clock went back: the bucket begins anew, so that it does not last until the clock has caught up.
            None => self.begun = now,
        }
    }

    #[cold]
    fn turn(&mut self, elapsed: Duration, now: Instant) {
        let steps = elapsed.as_nanos() / self.length.as_nanos();
        if steps >= self.buckets.len() as u128 {
            return self.clear(now);
        }
        for _ in 0..steps {
            self.current = (self.current + 1) % self.buckets.len();
            self.total -= std::mem::take(&mut self.buckets[self.current]);
            self.begun = self.begun.checked_add(self.length).unwrap_or(now);
        }
    }
}
