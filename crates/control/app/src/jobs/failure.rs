//! Why an attempt did not succeed, and what follows from it.

use std::time::Duration;

use crate::AppError;

/// Why an attempt did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// It may go better later.
    #[error("{0}")]
    Retry(Box<dyn std::error::Error + Send + Sync>),
    /// It never will.
    #[error("{0}")]
    Fatal(Box<dyn std::error::Error + Send + Sync>),
    /// Something that it needs is not there. The attempt does not count.
    #[error("{reason}")]
    Postponed { reason: String, after: Duration },
    /// It was asked to stop, and did.
    #[error("it was called off")]
    Stopped,
}

impl JobError {
    /// It may go better later.
    pub fn retry(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Retry(cause.into())
    }
    /// It never will.
    pub fn fatal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Fatal(cause.into())
    }
}

impl From<AppError> for JobError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Busy { .. } | AppError::Unavailable(_) | AppError::Stale => Self::retry(error),
            other => Self::fatal(other),
        }
    }
}

impl From<warren_storage::StorageError> for JobError {
    fn from(error: warren_storage::StorageError) -> Self {
        AppError::from(error).into()
    }
}
