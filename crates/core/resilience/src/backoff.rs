//! Exponential backoff with full jitter (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).

use std::time::Duration;

/// How long to wait before trying again: a random part of a span that doubles with each failure up to a cap.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits at most `first` after the first failure and never more than `cap`.
    pub const fn new(first: Duration, cap: Duration) -> Self {
        Self { first, cap, failures: 0 }
    }
    /// Counts one failure and says how long to wait. `random` is any number; all its bits are used.
    pub fn after_failure(&mut self, random: u64) -> Duration {
        let span = self.first.saturating_mul(1 << self.failures.min(20)).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        #[expect(clippy::cast_precision_loss, reason = "a fraction of 53 bits is fine enough for a wait")]
        let fraction = random as f64 / u64::MAX as f64;
        // Never less than a tenth: a wait of nothing would turn an outage into a busy loop.
        span.mul_f64(0.1 + 0.9 * fraction)
    }
    /// Forgets the failures.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
    /// The failures in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let waits: Vec<_> = (0..6).map(|_| backoff.after_failure(u64::MAX).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000]);
        backoff.reset();
        assert_eq!(backoff.after_failure(u64::MAX).as_millis(), 100);
    }

    #[test]
    fn a_wait_is_never_nothing() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        for _ in 0..200 {
            assert!(backoff.after_failure(0) >= Duration::from_millis(10));
        }
    }
}
