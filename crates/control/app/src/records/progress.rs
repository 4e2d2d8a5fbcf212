//! How long work says how far it is, and hears that it shall stop.

use warren_storage::StorageError;

use crate::AppError;

/// Somebody who watches a long piece of work. Called between its steps, each of which takes well under a second as a rule.
pub trait Progress: Send + Sync {
    /// `done` of about `total` lines or items are done. Neither shrinks; `total` is 0 while it is not known.
    fn step(&self, done: u64, total: u64) -> Proceed;
}

/// Whether work goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proceed {
    Continue,
    /// The work ends at this step: what it did stays where it commits in steps, and is undone where it is all or nothing.
    Stop,
}

/// Nobody watches, and nothing stops.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Progress for Unobserved {
    fn step(&self, _: u64, _: u64) -> Proceed {
        Proceed::Continue
    }
}

/// Why work that only reads ended before its end.
pub(crate) enum Interrupted {
    Error(AppError),
    Stopped,
}

impl From<AppError> for Interrupted {
    fn from(error: AppError) -> Self {
        Self::Error(error)
    }
}

impl From<StorageError> for Interrupted {
    fn from(error: StorageError) -> Self {
        Self::Error(error.into())
    }
}

impl dyn Progress + '_ {
    /// Says how far work is.
    pub(crate) fn say(&self, done: u64, total: u64) -> Result<(), Interrupted> {
        match self.step(done, total) {
            Proceed::Continue => Ok(()),
            Proceed::Stop => Err(Interrupted::Stopped),
        }
    }
}
