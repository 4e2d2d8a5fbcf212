//! What many measurements of one thing come to.

use std::time::Duration;

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use serde::{Deserialize, Serialize};

/// Measured times, in order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Times(Vec<Duration>);

impl Times {
    /// The time that `percent` of all stay within (the nearest rank); zero when nothing was measured.
    pub fn percentile(&self, percent: f64) -> Duration {
        let rank = (percent / 100.0 * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.clamp(1, self.0.len().max(1)) - 1).copied().unwrap_or_default()
    }

    /// These and `others`.
    pub fn with(&self, others: &Self) -> Self {
        self.0.iter().chain(&others.0).copied().collect()
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort();
        Self(times)
    }
}

/// The middle one, with the lowest and the highest.
pub fn median(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    match figures.as_slice() {
        [] => (0.0, 0.0, 0.0),
        [lowest, .., highest] => (figures[figures.len() / 2], *lowest, *highest),
        [only] => (*only, *only, *only),
    }
}

/// The median, and in brackets the lowest and the highest, with so many digits behind the point.
pub fn ranged(figures: Vec<f64>, digits: usize) -> String {
    let (middle, lowest, highest) = median(figures);
    format!("**{middle:.digits$}** ({lowest:.digits$}–{highest:.digits$})")
}

/// Whether a goal is met, and by what.
pub fn verdict(is_met: bool, figure: &str) -> String {
    format!("{}: {figure}", if is_met { "it is met" } else { "it is missed" })
}

/// The processor time that this process has used up to now.
///
/// # Errors
/// When the kernel does not tell.
pub fn processor_time() -> nix::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(micros.unsigned_abs()))
}

/// Milliseconds with two digits behind the point.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let times: Times = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(times.percentile(50.0), Duration::from_millis(100));
        assert_eq!(times.percentile(99.0), Duration::from_millis(198));
        assert_eq!(times.max(), Duration::from_millis(200));
        assert_eq!(Times::default().percentile(99.0), Duration::ZERO);
    }

    #[test]
    fn a_median_knows_its_bounds() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(median(vec![7.0]), (7.0, 7.0, 7.0));
    }
}
