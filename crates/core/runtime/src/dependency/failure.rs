//! What a call through a dependency can end with, and whose fault that is.

use std::time::Duration;

use super::DependencyName;

/// Why a call was not made. It cost no more than the wait for a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has been failing or slow, and is left alone; or an operator has it left alone, and nobody knows how long.
    #[error("{dependency} is not working and is left alone{}", again(.retry_after))]
    Open { dependency: DependencyName, retry_after: Option<Duration> },
    /// As many calls as may be are under way, and nobody else may wait, or the wait took too long.
    #[error("{dependency} is busy with as many calls as it may have; try again in a moment")]
    Full { dependency: DependencyName },
    /// The caller's deadline passed before it was this one's turn.
    #[error("there was no time left to ask {dependency}")]
    OutOfTime { dependency: DependencyName },
}

fn again(retry_after: &Option<Duration>) -> String {
    retry_after.map_or_else(
        || String::from(" until an operator releases it"),
        |wait| format!("; try again in {} s", wait.as_secs() + 1),
    )
}

impl Refused {
    /// After how long another call makes sense, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open { retry_after, .. } => *retry_after,
            Self::Full { .. } | Self::OutOfTime { .. } => None,
        }
    }
}

/// What a call ended with, other than what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// The call was not made.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No answer came in time. What was asked for may have happened nevertheless.
    #[error("{dependency} did not answer within {after:.1?}")]
    TimedOut { dependency: DependencyName, after: Duration },
    /// The answer was an error.
    #[error("{0}")]
    Failed(#[source] E),
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The dependency's, and another attempt may succeed: a broken connection.
    Transient,
    /// The dependency's, and another attempt is of no use: a password that is not accepted.
    Lasting,
    /// The caller's: the dependency did its work by saying no, as to a mail address that does not exist.
    Caller,
}

/// An error that says whose fault it is.
pub trait Blamed {
    /// Whose fault it is.
    fn blame(&self) -> Blame;
}

/// What tells whose fault an error is: a function, or [`ByItself`].
pub trait Judge<E> {
    /// Whose fault it is.
    fn blame(&self, error: &E) -> Blame;
}

/// The error knows whose fault it is.
#[derive(Debug, Clone, Copy)]
pub struct ByItself;

impl<E: Blamed> Judge<E> for ByItself {
    fn blame(&self, error: &E) -> Blame {
        error.blame()
    }
}

impl<E, F: Fn(&E) -> Blame> Judge<E> for F {
    fn blame(&self, error: &E) -> Blame {
        self(error)
    }
}
