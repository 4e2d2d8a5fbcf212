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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::Retry;

    #[tokio::test(start_paused = true)]
    async fn the_steps_of_an_attempt_share_one_limit() {
        let started = Instant::now();
        let deadline = Deadline::after(Duration::from_secs(10));
        deadline.hold(Step::Turn, tokio::time::sleep(Duration::from_secs(6))).await.unwrap();
        let late = deadline.hold(Step::Connecting, pending::<()>()).await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::from_secs(10));
        assert!(
            matches!(&late, MailError::TryLater { step: Step::Connecting, source: Trouble::TimedOut(limit) } if limit.as_secs() == 10)
        );
        assert_eq!(late.retry(), Retry::Soon);
    }
}
