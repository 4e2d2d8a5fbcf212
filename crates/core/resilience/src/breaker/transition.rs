//! What a breaker tells of itself: its states, and why it went from one to another.

use std::{fmt, time::Instant};

use super::outcomes::Counts;

/// Whether calls pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls pass and are judged.
    Closed,
    /// Calls are refused until the wait is over.
    Open,
    /// A few calls pass, by which is decided.
    HalfOpen,
    /// An operator has every call refused.
    ForcedOpen,
    /// An operator has every call pass, whatever becomes of it.
    ForcedClosed,
}

impl BreakerState {
    /// The word that logs, metrics and pages use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::ForcedClosed => "forced closed",
        }
    }
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a breaker went from one state to another. `Display` is a sentence fragment that follows "because".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Too many calls of the window failed.
    Failures(Counts),
    /// Too many calls of the window took long.
    SlowCalls(Counts),
    /// It was open long enough, and somebody called.
    WaitOver,
    /// A call that was permitted half-open failed.
    ProbeFailed,
    /// A call that was permitted half-open took long.
    ProbeSlow,
    /// All calls that were permitted half-open succeeded.
    ProbesSucceeded,
    /// An operator forced it.
    Forced,
    /// An operator left it to itself again.
    Released,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures(Counts { calls, failed, .. }) => write!(f, "{failed} of the last {calls} calls failed"),
            Self::SlowCalls(Counts { calls, slow, .. }) => write!(f, "{slow} of the last {calls} calls took too long"),
            Self::WaitOver => f.write_str("the wait is over and somebody called"),
            Self::ProbeFailed => f.write_str("a call that was let through to try failed"),
            Self::ProbeSlow => f.write_str("a call that was let through to try took too long"),
            Self::ProbesSucceeded => f.write_str("the calls that were let through to try succeeded"),
            Self::Forced => f.write_str("an operator forced it"),
            Self::Released => f.write_str("an operator left it to itself again"),
        }
    }
}

/// A breaker went from one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: BreakerState,
    /// The state since.
    pub to: BreakerState,
    /// When.
    pub at: Instant,
    /// Why.
    pub cause: Cause,
}
