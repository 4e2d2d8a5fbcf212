//! Moments on a clock that nobody sets.

use std::{ops::Add, time::Duration};

use tokio::time::Instant;

/// Where moments are counted from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeline(Instant);

/// Nanoseconds since the timeline began; enough for 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub u64);

impl Timeline {
    /// A timeline on which it is long after the beginning, so that there are moments before now.
    pub fn begin() -> Self {
        const PAST: Duration = Duration::from_secs(365 * 86_400);
        Self(Instant::now().checked_sub(PAST).unwrap_or_else(Instant::now))
    }
    /// The present moment.
    pub fn now(self) -> Moment {
        Moment(nanoseconds(self.0.elapsed()))
    }
}

impl Moment {
    /// The time from `earlier` to this one; nothing when it is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
    /// The moment so much before.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(nanoseconds(span)))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(span)))
    }
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
