//! What a job is: a versioned value that can be stored, and what is done with it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use tokio_util::sync::CancellationToken;
use warren_model::{JobPriority, Queue};
use warren_storage::{JobProgress, StoredJob};

use super::JobError;
use crate::{
    App,
    records::{Proceed, Progress as Watcher},
};

/// One kind of job. A value of it is its payload, which outlives the program that stored it.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Names the kind for ever; at most 40 characters.
    const KIND: &'static str;
    /// Grows when a payload of the version before can no longer be read as this type.
    const VERSION: u16;
    const POLICY: Policy;

    /// Reads a payload of an earlier version; none when nobody can any more.
    fn read_earlier(_version: u16, _payload: &str) -> Option<serde_json::Result<Self>> {
        None
    }

    /// Does it. It may have been begun before, even to its last step: it leaves either its result or what leads to it.
    fn run(self, work: &Work) -> impl Future<Output = Result<Outcome, JobError>> + Send;
}

/// How jobs of a kind are treated.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    pub queue: Queue,
    pub priority: JobPriority,
    /// One attempt that takes longer is broken off, and has failed.
    pub time_limit: Duration,
    /// How often it is begun at most.
    pub attempts_max: u16,
    /// The wait after the first failure; it doubles with each, with jitter, up to the cap.
    pub wait_first: Duration,
    pub wait_cap: Duration,
    /// From being asked for; later it is a dead letter.
    pub deadline: Option<Duration>,
    pub secrecy: Secrecy,
}

/// Whether a payload may be read by whoever reads the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    Plain,
    /// It holds secrets: it is sealed under the installation's key, bound to its job.
    Sealed,
}

/// What came of a job.
#[derive(Debug, Default)]
pub struct Outcome {
    /// For who asked, as JSON of its kind.
    pub result: Option<serde_json::Value>,
}

impl Outcome {
    /// The result that `value` is.
    pub fn of(value: &impl Serialize) -> Result<Self, JobError> {
        Ok(Self { result: Some(serde_json::to_value(value).map_err(JobError::fatal)?) })
    }
}

/// A job at work: what it may reach, and how it tells how far it is.
#[derive(Debug, Clone)]
pub struct Work {
    pub app: App,
    pub job: Arc<StoredJob>,
    progress: Arc<Progress>,
    stop: CancellationToken,
}

/// How far a job has come, written by it and read by the one that tells the database.
#[derive(Debug, Default)]
pub(super) struct Progress {
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    pub(super) fn now(&self) -> JobProgress {
        JobProgress { done: self.done.load(Ordering::Relaxed), total: self.total.load(Ordering::Relaxed) }
    }
}

impl Work {
    pub(super) fn new(app: App, job: Arc<StoredJob>, progress: Arc<Progress>, stop: CancellationToken) -> Self {
        Self { app, job, progress, stop }
    }

    /// Says how far it is; it reaches the database within a second.
    pub fn progress(&self, done: u64, total: u64) {
        self.progress.total.store(total, Ordering::Relaxed);
        self.progress.done.store(done, Ordering::Relaxed);
    }

    /// Whether somebody called it off, or the process ends: it is to come to a good place and return [`JobError::Stopped`].
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }
}

/// Work in bulk tells its progress to its job, and hears from it that it shall stop.
impl Watcher for Work {
    fn step(&self, done: u64, total: u64) -> Proceed {
        self.progress(done, total);
        if self.is_stopped() { Proceed::Stop } else { Proceed::Continue }
    }
}
