//! The moment by which an answer is of use, passed on to everything that is asked for it.

use std::time::Duration;

use tokio::time::Instant;

/// The moment by which an answer is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now on.
    pub fn within(span: Duration) -> Self {
        let now = Instant::now();
        // Farther away than the clock reaches is a day: nothing waits longer.
        Self(now.checked_add(span).unwrap_or(now + warren_resilience::SPAN_MAX))
    }

    /// The earlier of this one and so long from now on.
    #[must_use]
    pub fn or_within(self, span: Duration) -> Self {
        self.min(Self::within(span))
    }

    /// How long it is until then; nothing when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn is_over(self) -> bool {
        self.remaining().is_zero()
    }

    /// For tokio's timers.
    pub const fn instant(self) -> Instant {
        self.0
    }
}
