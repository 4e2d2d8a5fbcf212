//! The job queue: what was asked for, who works on it, and what came of it.
//!
//! The queue is the truth about every job: whatever wakes a worker, it takes a job only by claiming its row. A job runs again
//! when the process that claimed it dies, so its work is done at least once.

mod claim;
mod enqueue;
mod outbox_body;
mod read;
mod settle;
mod workers;

pub use claim::{Cursor, JobClaim, QueueClaim};
pub use enqueue::Enqueued;
pub(crate) use outbox_body::{body, from_body};
pub use read::{JobFilter, QueueDepth};
pub use settle::{Cancelled, Settlement, Verdict};
pub use workers::{QueueStanding, Rescued, Worker};

use uuid::Uuid;
use warren_model::{
    AccountId, JobId, JobPriority, JobState, OrganisationId, Queue, RequestId, ScheduleId, Timestamp, WorkerId,
};
use warren_schema::system::job as table;

use crate::stored::{Undecodable, moment, moment_or_none, narrowed};

/// The jobs of the installation.
#[derive(Debug)]
pub struct Jobs<'a, C> {
    pub(crate) on: &'a C,
}

/// The most bytes that a payload, a result or an error may have; what is larger belongs into a file.
pub const PAYLOAD_BYTES_MAX: usize = 60_000;

/// A job that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    pub id: JobId,
    pub queue: Queue,
    pub priority: JobPriority,
    /// Whose it is, and in whose lane it stands; none for the installation's own.
    pub organisation: Option<OrganisationId>,
    pub kind: String,
    pub version: u16,
    /// At most [`PAYLOAD_BYTES_MAX`].
    pub payload: String,
    pub created_at: Timestamp,
    /// Not before then.
    pub run_at: Timestamp,
    pub attempts_max: u16,
    /// Not after then: it is a dead letter instead.
    pub deadline: Option<Timestamp>,
    pub unique: Option<Unique>,
    pub author: Option<AccountId>,
    pub request: Option<RequestId>,
    pub schedule: Option<ScheduleId>,
}

/// Within a time, one job at most is asked for under this key; who asks again is given that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// At most 200 characters.
    pub key: String,
    pub until: Timestamp,
}

/// A job as it stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    pub id: JobId,
    pub queue: Queue,
    pub priority: JobPriority,
    pub organisation: Option<OrganisationId>,
    pub kind: String,
    pub version: u16,
    pub payload: String,
    pub state: JobState,
    pub run_at: Timestamp,
    pub created_at: Timestamp,
    pub deadline: Option<Timestamp>,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The attempts that were begun.
    pub attempts: u16,
    pub attempts_max: u16,
    pub worker: Option<WorkerId>,
    pub stop_asked_at: Option<Timestamp>,
    pub progress: JobProgress,
    /// What it came to, as versioned JSON of its kind.
    pub result: Option<String>,
    /// Why its last attempt failed.
    pub error: Option<String>,
    pub author: Option<AccountId>,
    pub request: Option<RequestId>,
    pub schedule: Option<ScheduleId>,
}

/// How far a job has come; a total of 0 says that nobody knows yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobProgress {
    pub done: u64,
    pub total: u64,
}

/// The installation's own jobs stand in this lane.
const OWN_LANE: Uuid = Uuid::nil();

/// The lane of an organisation's jobs.
pub(super) fn lane(organisation: Option<OrganisationId>) -> Uuid {
    organisation.map_or(OWN_LANE, OrganisationId::uuid)
}

/// Whose lane it is.
pub(super) fn organisation_of(lane: Uuid) -> Option<OrganisationId> {
    (lane != OWN_LANE).then(|| OrganisationId::from_uuid(lane))
}

const fn rank(priority: JobPriority) -> i32 {
    match priority {
        JobPriority::Urgent => 0,
        JobPriority::Normal => 1,
        JobPriority::Low => 2,
    }
}

fn priority(rank: i32) -> Result<JobPriority, Undecodable> {
    match rank {
        0 => Ok(JobPriority::Urgent),
        1 => Ok(JobPriority::Normal),
        2 => Ok(JobPriority::Low),
        _ => Err(Undecodable { column: "priority" }),
    }
}

fn decode(row: table::Model) -> Result<StoredJob, Undecodable> {
    Ok(StoredJob {
        id: JobId::from_uuid(row.id),
        queue: Queue::from_text(&row.queue).ok_or(Undecodable { column: "queue" })?,
        priority: priority(row.priority)?,
        organisation: organisation_of(row.lane),
        kind: row.kind,
        version: narrowed(row.version, "version")?,
        payload: row.payload,
        state: JobState::from_text(&row.state).ok_or(Undecodable { column: "state" })?,
        run_at: moment(row.run_at, "run_at")?,
        created_at: moment(row.created_at, "created_at")?,
        deadline: moment_or_none(row.deadline_at, "deadline_at")?,
        started_at: moment_or_none(row.started_at, "started_at")?,
        finished_at: moment_or_none(row.finished_at, "finished_at")?,
        attempts: narrowed(row.attempts, "attempts")?,
        attempts_max: narrowed(row.attempts_max, "attempts_max")?,
        worker: row.worker_id.map(WorkerId::from_uuid),
        stop_asked_at: moment_or_none(row.stop_asked_at, "stop_asked_at")?,
        progress: JobProgress {
            done: narrowed(row.progress_done, "progress_done")?,
            total: narrowed(row.progress_total, "progress_total")?,
        },
        result: row.result,
        error: row.error,
        author: row.author_id.map(AccountId::from_uuid),
        request: row.request_id.map(RequestId::from_uuid),
        schedule: row.schedule_id.map(ScheduleId::from_uuid),
    })
}
