//! What there is to see of a dependency.

use std::time::Duration;

use warren_resilience::{BreakerState, Counts, Transition};

use super::DependencyName;

/// A dependency as it is now. Times are spans up to now, so that they need no wall clock.
#[derive(Debug, Clone)]
pub struct DependencyStatus {
    /// Its name.
    pub name: DependencyName,
    /// Whether calls pass, or are forced to or not to.
    pub state: BreakerState,
    /// How long it has been in this state.
    pub state_for: Duration,
    /// Until the next call is let through to try, when it is open.
    pub next_probe_in: Option<Duration>,
    /// How often it was opened without being well between.
    pub openings: u32,
    /// The calls by which it is judged.
    pub window: Counts,
    /// All calls since the start.
    pub calls: CallCounts,
    /// What a call that succeeds usually takes.
    pub usual: Duration,
    /// Calls under way.
    pub in_flight: u32,
    /// Calls that may be under way at once.
    pub in_flight_max: u32,
    /// Callers that wait for a place.
    pub waiting: u32,
    /// The last failure.
    pub last_failure: Option<PastFailure>,
    /// The last changes of the state, the oldest first; at most [`DependencyStatus::CHANGES_MAX`].
    pub changes: Vec<PastChange>,
}

impl DependencyStatus {
    /// As many changes are kept.
    pub const CHANGES_MAX: usize = 64;

    /// Whether an operator decides whether calls pass.
    pub const fn is_forced(&self) -> bool {
        matches!(self.state, BreakerState::ForcedOpen | BreakerState::ForcedClosed)
    }
}

/// A failure, and how long ago it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastFailure {
    /// What was said, cut to [`PastFailure::TEXT_CHARACTERS_MAX`].
    pub text: String,
    /// How long ago.
    pub ago: Duration,
}

impl PastFailure {
    /// As many characters are kept.
    pub const TEXT_CHARACTERS_MAX: usize = 300;
}

/// A change of the state, and how long ago it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastChange {
    /// What changed, and why.
    pub transition: Transition,
    /// The last failure at that time.
    pub last_failure: Option<String>,
    /// How long ago.
    pub ago: Duration,
}

/// Calls since the start. Each that was made is in one of `succeeded`, `failed`, `timed_out` and `cancelled` once it has
/// ended; each attempt is a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Calls that were made.
    pub made: u64,
    /// Those that the dependency answered, also where the answer was no.
    pub succeeded: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those without an answer in time, with those whose caller had too little time to hold it against the dependency.
    pub timed_out: u64,
    /// Those that nobody waited for any more.
    pub cancelled: u64,
    /// Those that took so long that it is held against the dependency.
    pub slow: u64,
    /// Attempts after the first.
    pub retried: u64,
    /// Retries that the budget did not have.
    pub retries_refused: u64,
    /// Calls that were not made because it is left alone.
    pub refused_open: u64,
    /// Calls that were not made because too many were under way.
    pub refused_full: u64,
    /// Calls that were not made because their deadline passed.
    pub refused_late: u64,
    /// Calls that were answered in another way.
    pub fallbacks: u64,
}
