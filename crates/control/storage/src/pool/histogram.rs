//! Times in buckets: what a dashboard draws percentiles from, at the cost of one addition.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper ends of the buckets.
const MICROS: [u64; 15] = [
    100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];

/// Counts times.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; MICROS.len() + 1],
    sum_micros: AtomicU64,
    longest_micros: AtomicU64,
}

/// What a [`Histogram`] had counted at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HistogramView {
    /// How many times fell into each bucket; the last one has no upper end.
    pub buckets: [u64; MICROS.len() + 1],
    pub sum_micros: u64,
    pub longest_micros: u64,
}

impl Histogram {
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = MICROS.partition_point(|end| *end < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
        self.longest_micros.fetch_max(micros, Ordering::Relaxed);
    }

    pub fn view(&self) -> HistogramView {
        HistogramView {
            buckets: std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed)),
            sum_micros: self.sum_micros.load(Ordering::Relaxed),
            longest_micros: self.longest_micros.load(Ordering::Relaxed),
        }
    }
}

impl HistogramView {
    /// The upper ends of the buckets, in seconds; the last one has none.
    pub const ENDS_SECONDS: [f64; MICROS.len()] =
        [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What was counted after `earlier`; the longest time is that of all.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            buckets: std::array::from_fn(|at| self.buckets[at].saturating_sub(earlier.buckets[at])),
            sum_micros: self.sum_micros.saturating_sub(earlier.sum_micros),
            longest_micros: self.longest_micros,
        }
    }

    /// The mean; none before there is anything to count.
    pub fn mean_micros(&self) -> Option<u64> {
        self.sum_micros.checked_div(self.count())
    }

    /// The upper end of the bucket within which `part` (0 to 1) of the times lie; none before there is anything to count.
    pub fn within_micros(&self, part: f64) -> Option<u64> {
        let count = self.count();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            clippy::cast_possible_truncation,
            reason = "a rank among few"
        )]
        let rank = ((count as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, in_bucket) in self.buckets.iter().enumerate() {
            seen += in_bucket;
            if seen >= rank {
                return Some(MICROS.get(at).copied().unwrap_or(self.longest_micros).min(self.longest_micros));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_told_by_their_buckets() {
        let histogram = Histogram::default();
        assert_eq!((histogram.view().within_micros(0.5), histogram.view().mean_micros()), (None, None));
        for _ in 0..99 {
            histogram.observe(Duration::from_micros(300));
        }
        histogram.observe(Duration::from_secs(60));
        let view = histogram.view();
        assert_eq!(view.count(), 100);
        assert_eq!(view.within_micros(0.5), Some(500));
        assert_eq!(view.within_micros(0.99), Some(500));
        assert_eq!(view.within_micros(1.0), Some(60_000_000));
    }
}
