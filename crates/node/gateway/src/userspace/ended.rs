//! A sign that the last user of something has let go of it.

use std::time::Duration;

use tokio::sync::oneshot;

/// How long to wait for the tasks of a stopped tunnel to let go of its socket and TUN device.
const LETTING_GO_MAX: Duration = Duration::from_secs(5);

/// Kept inside what is shared; its drop is the sign.
#[derive(Debug)]
pub(super) struct Alive(#[expect(dead_code, reason = "its drop closes the channel")] oneshot::Sender<()>);

/// Resolves when the [`Alive`] is gone.
#[derive(Debug)]
pub(super) struct Ended(oneshot::Receiver<()>);

/// A sign and the wait for it.
pub(super) fn alive() -> (Alive, Ended) {
    let (sender, receiver) = oneshot::channel();
    (Alive(sender), Ended(receiver))
}

impl Ended {
    /// Waits for the sign, at most five seconds.
    pub(super) async fn wait(self) {
        if tokio::time::timeout(LETTING_GO_MAX, self.0).await.is_err() {
            tracing::warn!("a stopped tunnel still holds its socket or TUN device");
        }
    }
}
