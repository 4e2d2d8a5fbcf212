//! Writing something to the disk now and then, on another thread, when it is another than what was written last.

use std::time::Duration;

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};

/// Copying what is to be written holds changes up; it is rested from so many times as long that not one change in a hundred
/// meets it.
const REST_AFTER_COPYING: u32 = 200;

/// When it was last written, and which revision of it.
#[derive(Debug)]
pub(crate) struct Saving {
    every: Duration,
    written: u64,
    under_way: Option<JoinHandle<()>>,
    from: Instant,
}

impl Saving {
    /// Of something that is on the disk in `revision`; it is written at most once in `every`.
    pub fn new(every: Duration, revision: u64) -> Self {
        Self { every, written: revision, under_way: None, from: Instant::now() }
    }

    /// How long until `revision` may be written; none when it is already.
    pub fn wait(&self, revision: u64) -> Option<Duration> {
        (revision != self.written).then(|| self.from.saturating_duration_since(Instant::now()))
    }

    /// Has `revision` written when the last writing is over and lies back far enough. `copy` gives the work that writes.
    pub fn save<W: FnOnce() + Send + 'static>(&mut self, revision: u64, copy: impl FnOnce() -> W) {
        let busy = self.under_way.as_ref().is_some_and(|writing| !writing.is_finished());
        if busy || self.wait(revision).is_none_or(|wait| !wait.is_zero()) {
            return;
        }
        self.written = revision;
        let begin = Instant::now();
        let write = copy();
        self.from = begin + self.every.max(begin.elapsed() * REST_AFTER_COPYING);
        self.under_way = Some(spawn_blocking(write));
    }

    /// Writes `revision` now and waits until it is on the disk.
    pub async fn finish<W: FnOnce() + Send + 'static>(&mut self, revision: u64, copy: impl FnOnce() -> W) {
        self.settle().await;
        self.from = Instant::now();
        self.save(revision, copy);
        self.settle().await;
    }

    async fn settle(&mut self) {
        if let Some(writing) = self.under_way.take() {
            let _ = writing.await;
        }
    }
}
