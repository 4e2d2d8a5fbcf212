//! Tasks that are started again when they fail, with a growing wait between.

use std::{future::Future, time::Duration};

use tokio::task::JoinHandle;
use tracing::{error, info};

use crate::Shutdown;

const RESTART_AFTER_FIRST: Duration = Duration::from_millis(200);
const RESTART_AFTER_MAX: Duration = Duration::from_secs(30);
/// A task that ran this long starts its waits anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// Runs `make()` until `shutdown`; when it returns early or panics, logs it and runs it again after a wait.
/// `make` must leave nothing behind that a second run would trip over.
pub fn supervise<F, Fut, E>(name: &'static str, shutdown: Shutdown, mut make: F) -> JoinHandle<()>
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    tokio::spawn(async move {
        let mut wait = RESTART_AFTER_FIRST;
        while !shutdown.is_requested() {
            let started = tokio::time::Instant::now();
            match tokio::spawn(make()).await {
                Ok(Ok(())) if shutdown.is_requested() => break,
                Ok(Ok(())) => info!(task = name, "task ended; starting it again"),
                Ok(Err(cause)) => error!(task = name, %cause, "task failed; starting it again"),
                Err(panic) => error!(task = name, cause = %panic, "task panicked; starting it again"),
            }
            if started.elapsed() >= HEALTHY_AFTER {
                wait = RESTART_AFTER_FIRST;
            }
            tokio::select! {
                () = shutdown.requested() => break,
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(RESTART_AFTER_MAX),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_runs_again_until_shutdown() {
        let shutdown = Shutdown::new();
        let runs = Arc::new(AtomicU32::new(0));
        let (counted, stop) = (runs.clone(), shutdown.clone());
        let task = supervise("test", shutdown, move || {
            let (counted, stop) = (counted.clone(), stop.clone());
            async move {
                if counted.fetch_add(1, Ordering::SeqCst) < 2 {
                    panic!("on purpose");
                }
                stop.request();
                Ok::<(), String>(())
            }
        });
        task.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
