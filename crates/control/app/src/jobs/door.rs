//! The bell that says that there may be work, within this process and, where there is a broker, on other hosts.

use std::{fmt, sync::Arc};

use tokio::sync::Notify;
use warren_model::Queue;

/// Rings on other hosts. A ring that is lost costs time, never a job: every process also looks by itself.
pub trait FarBell: Send + Sync + fmt::Debug + 'static {
    /// Says that there is work in `queue`. It does not block.
    fn ring(&self, queue: Queue);
}

/// Who is called when there may be work.
#[derive(Debug, Default)]
pub(super) struct Door {
    here: Notify,
    elsewhere: std::sync::OnceLock<Arc<dyn FarBell>>,
}

impl Door {
    /// Rings here and elsewhere.
    pub fn ring(&self, queue: Queue) {
        self.here.notify_one();
        if let Some(bell) = self.elsewhere.get() {
            bell.ring(queue);
        }
    }

    /// Rings here only: somebody else rang.
    pub fn ring_here(&self) {
        self.here.notify_one();
    }

    /// Waits until somebody rings, or returns at once when somebody has since the last time.
    pub async fn rung(&self) {
        self.here.notified().await;
    }

    pub fn hang(&self, bell: Arc<dyn FarBell>) {
        let _ = self.elsewhere.set(bell);
    }
}
