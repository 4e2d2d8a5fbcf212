//! Where passwords are hashed: on blocking threads, never more at once than there are permits, never for longer in line
//! than a sign-in is worth waiting for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warren_auth::{Password, PasswordHash};
use warren_model::Random;

use crate::AppError;

/// The longest that a sign-in waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Bounds the memory and the processors that hashing takes.
#[derive(Debug, Clone)]
pub(crate) struct HashingRoom {
    permits: Arc<Semaphore>,
    permits_max: usize,
    /// Those who wait for a permit.
    waiting: Arc<AtomicUsize>,
    random: Arc<dyn Random>,
    /// Compared with when there is no such account, so that the answer takes as long.
    nobody: PasswordHash,
}

impl HashingRoom {
    /// A room for `permits` hashes at once, each of which takes 19 MiB.
    pub(crate) fn new(permits: usize, random: Arc<dyn Random>) -> Self {
        let nobody = PasswordHash::of_nobody(random.as_ref());
        let permits_max = permits.max(1);
        Self { permits: Arc::new(Semaphore::new(permits_max)), permits_max, waiting: Arc::default(), random, nobody }
    }

    /// The hash of a password that is being set.
    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash, AppError> {
        let random = self.random.clone();
        self.run(move || PasswordHash::of(&password, random.as_ref())).await
    }

    /// Whether `password` matches `stored`; takes as long when nothing is stored.
    pub(crate) async fn matches(&self, stored: Option<PasswordHash>, password: Password) -> Result<bool, AppError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        self.run(move || stored.matches(&password) && known).await
    }

    /// Those that are being hashed or wait for it, as a part of those that may be at once.
    pub(crate) fn saturation(&self) -> f64 {
        let used = self.permits_max.saturating_sub(self.permits.available_permits());
        let waiting = self.waiting.load(Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "counts of a few")]
        let part = (used + waiting) as f64 / self.permits_max as f64;
        part
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let permit = self.permit().await?;
        let task = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller who hangs up does not free the place before the work is done.
            let _permit = permit;
            work()
        });
        task.await.map_err(|error| AppError::Internal(Box::new(error)))
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, AppError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waits = Waits(&self.waiting);
        let waiting = tokio::time::timeout(WAIT_MAX, self.permits.clone().acquire_owned());
        match waiting.await {
            Ok(permit) => permit.map_err(|closed| AppError::Internal(Box::new(closed))),
            Err(_) => Err(AppError::Busy { retry_after: WAIT_MAX }),
        }
    }
}

/// Somebody who waits for a permit, until they have it or give up.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
