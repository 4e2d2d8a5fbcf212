//! The bell that says that there may be work, within this process and, where there is a broker, in others.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;
use warren_dispatch::Bells;
use warren_model::Queue;

/// Who is called when there may be work. A ring that is lost costs time, never a job: every process also looks by itself.
#[derive(Debug, Default)]
pub(super) struct Door {
    here: Notify,
    elsewhere: OnceLock<Arc<Bells>>,
}

impl Door {
    /// Rings here and elsewhere.
    pub fn ring(&self, queue: Queue) {
        self.here.notify_one();
        self.ring_elsewhere(queue);
    }

    /// Rings elsewhere only: this process knows.
    pub fn ring_elsewhere(&self, queue: Queue) {
        if let Some(bells) = self.elsewhere.get() {
            bells.ring(queue);
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

    pub fn hang(&self, bells: Arc<Bells>) {
        let _ = self.elsewhere.set(bells);
    }

    pub fn bells(&self) -> Option<&Arc<Bells>> {
        self.elsewhere.get()
    }
}
