//! The building of what works on the databases, which may not answer yet.

use std::{sync::Arc, time::Duration};

use warren_app::{App, Config};
use warren_model::ambient::random_bytes;
use warren_resilience::Backoff;
use warren_runtime::{Shutdown, SystemClock, SystemRandom};

use crate::Failure;

/// Builds it. A database server that does not answer yet is waited for: the machine may have just started.
pub async fn build(config: Config, wait_max: Duration, shutdown: &Shutdown) -> Result<App, Failure> {
    let give_up_at = tokio::time::Instant::now() + wait_max;
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(3));
    loop {
        let unreachable = match App::build(config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom)).await {
            Err(error) if error.is_of_an_unreachable_server() => error,
            outcome => return Ok(outcome?),
        };
        let wait = backoff.after_failure(u64::from_le_bytes(random_bytes(&SystemRandom)));
        if shutdown.is_requested() || tokio::time::Instant::now() + wait >= give_up_at {
            return Err(unreachable.into());
        }
        tracing::warn!(cause = %unreachable, "waiting for the database server");
        tokio::select! {
            () = shutdown.requested() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// What this host calls itself.
pub fn host() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "this host".to_owned())
}
