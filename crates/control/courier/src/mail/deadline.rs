//! One moment by which a whole attempt has to be done, step by step.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::error::{MailError, Step, Trouble};

/// The moment, and how long before it the attempt began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    pub fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// One step of the attempt.
    ///
    /// # Errors
    /// [`MailError::TryLater`] when it is not done by then.
    pub async fn hold<T>(self, step: Step, work: impl Future<Output = T>) -> Result<T, MailError> {
        let late = |_| MailError::TryLater { step, source: Trouble::TimedOut(self.limit) };
        timeout_at(self.at, work).await.map_err(late)
    }
}
