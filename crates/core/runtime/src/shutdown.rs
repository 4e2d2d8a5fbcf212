//! One signal that everything listens to when the process is asked to end.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Asked for once, heard by every clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// A signal that nobody has given yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// A signal that is given at the first SIGINT or SIGTERM.
    ///
    /// # Errors
    /// When the process may not install signal handlers.
    pub fn on_signals() -> std::io::Result<Self> {
        let shutdown = Self::new();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let given = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("asked to end");
            given.request();
        });
        Ok(shutdown)
    }
    /// Gives the signal.
    pub fn request(&self) {
        self.0.cancel();
    }
    /// Waits until it is given.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }
    /// Whether it has been given.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }
}
