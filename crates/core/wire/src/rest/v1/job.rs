//! Jobs: work that is done outside of the request that asked for it.
//!
//! Spans of time are microseconds (`…_us`). What a job was given to do stays inside: it may hold secrets and personal data.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Job {
    pub id: Uuid,
    /// `mail`, `webhooks`, `records` or `reports`.
    #[schema(example = "records")]
    pub queue: String,
    /// What sort of job it is.
    #[schema(example = "import")]
    pub kind: String,
    /// `urgent`, `normal` or `low`.
    #[schema(example = "normal")]
    pub priority: String,
    /// `waiting` until it is due, `ready` to begin, `running`, then `done`, `dead` when it failed for good, or `cancelled`.
    #[schema(example = "running")]
    pub state: String,
    /// Whose it is; absent for the installation's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Uuid>,
    /// The request that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// The schedule by which it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<Uuid>,
    pub progress: JobProgress,
    /// The attempts that were begun.
    #[schema(example = 1)]
    pub attempts: u16,
    #[schema(example = 10)]
    pub attempts_max: u16,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// It does not begin before then.
    #[serde(with = "time::serde::rfc3339")]
    pub due_at: OffsetDateTime,
    /// After then it is not tried any more.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub deadline_at: Option<OffsetDateTime>,
    /// When its last attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
    /// When somebody called it off; it runs until it comes to a good place to stop.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub stop_asked_at: Option<OffsetDateTime>,
    /// The process that works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<Uuid>,
    /// What came of it, in the form of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
    /// Why its last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "the mail server does not answer")]
    pub error: Option<String>,
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobProgress {
    #[schema(example = 340)]
    pub done: u64,
    /// 0 as long as nobody knows.
    #[schema(example = 1000)]
    pub total: u64,
}

/// All queues, and who works on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobQueues {
    pub queues: Vec<JobQueue>,
    /// The processes that work on jobs, on all hosts.
    pub workers: Vec<JobWorker>,
    /// Jobs that this process works on at once.
    #[schema(example = 8)]
    pub places: u64,
    /// Jobs that it works on now.
    #[schema(example = 2)]
    pub running: u64,
}

/// One queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobQueue {
    #[schema(example = "mail")]
    pub queue: String,
    /// Jobs that are not due yet: delayed, or waiting for their next attempt.
    #[schema(example = 3)]
    pub waiting: u64,
    /// Jobs that may begin.
    #[schema(example = 12)]
    pub ready: u64,
    #[schema(example = 2)]
    pub running: u64,
    /// Jobs that failed for good and can be run again.
    #[schema(example = 0)]
    pub dead: u64,
    /// How long the oldest that may begin has waited.
    #[schema(example = 850_000)]
    pub delay_us: u64,
    /// Who holds the queue back; absent while it is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<JobQueuePause>,
    /// What this process did.
    pub tally: JobTally,
}

/// A queue that is held back on all hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobQueuePause {
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    #[schema(example = "Anna Berg")]
    pub by: String,
}

/// What one process did with the jobs of a queue. Times are of its last 512 attempts, counts are since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobTally {
    /// From being due to being begun: half of them waited no longer than this.
    #[schema(example = 3200)]
    pub waited_half_us: u64,
    /// 99 of 100 waited no longer than this.
    #[schema(example = 410_000)]
    pub waited_most_us: u64,
    /// Half of the attempts took no longer than this.
    #[schema(example = 52_000)]
    pub ran_half_us: u64,
    /// 99 of 100 took no longer than this.
    #[schema(example = 830_000)]
    pub ran_most_us: u64,
    #[schema(example = 1290)]
    pub done: u64,
    /// Attempts that failed and are made again.
    #[schema(example = 4)]
    pub failed: u64,
    #[schema(example = 0)]
    pub dead: u64,
}

/// A process that works on jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JobWorker {
    pub id: Uuid,
    #[schema(example = "warren-1")]
    pub host: String,
    /// The number that the host knows the process by.
    #[schema(example = 4711)]
    pub process: u32,
    #[schema(example = "0.1.0")]
    pub version: String,
    /// Jobs that it works on at once.
    #[schema(example = 8)]
    pub places: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
}

/// Dead letters that run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayedJobs {
    #[schema(example = 17)]
    pub replayed: u64,
}
