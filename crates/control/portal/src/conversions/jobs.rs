//! Jobs, their queues, and who works on them.

use std::time::Duration;

use warren_app::{
    AppError,
    jobs::{
        QueueTallyView,
        manage::{Filter, Overview, QueueView, StoredJob, Worker},
    },
};
use warren_model::{AccountId, Invalid, JobState, OrganisationId, Queue, RequestId, ScheduleId, WorkerId};
use warren_wire::rest::v1;

use super::present;
use crate::fields::Fields;

/// Which jobs a caller asks for, as the address says it.
#[derive(Debug, Default, serde::Deserialize)]
pub struct AskedJobs {
    pub queue: Option<String>,
    pub state: Option<String>,
    pub organisation: Option<String>,
}

/// # Errors
/// [`AppError::Invalid`] with everything that names nothing.
pub fn read_filter(asked: AskedJobs) -> Result<Filter, AppError> {
    let mut fields = Fields::default();
    let queue = fields.read_optional("queue", present(asked.queue).map(|text| read_queue(&text)));
    let state = fields.read_optional("state", present(asked.state).map(|text| read_state(&text)));
    let organisation = fields.read_optional("organisation", present(asked.organisation).map(|id| id.parse()));
    let (Some(queue), Some(state), Some(organisation)) = (queue, state, organisation) else {
        return Err(fields.refuse());
    };
    Ok(Filter { queue, state, organisation })
}

/// The queue of this name.
pub fn read_queue(text: &str) -> Result<Queue, Invalid> {
    Queue::from_text(text).ok_or(Invalid::Unknown { known: "mail, webhooks, records, reports" })
}

fn read_state(text: &str) -> Result<JobState, Invalid> {
    JobState::from_text(text).ok_or(Invalid::Unknown { known: "waiting, ready, running, done, dead, cancelled" })
}

/// A job without what it was given to do.
pub fn job(job: &StoredJob) -> v1::Job {
    v1::Job {
        id: job.id.uuid(),
        queue: job.queue.to_string(),
        kind: job.kind.clone(),
        priority: job.priority.to_string(),
        state: job.state.to_string(),
        organisation_id: job.organisation.map(OrganisationId::uuid),
        account_id: job.author.map(AccountId::uuid),
        request_id: job.request.map(RequestId::uuid),
        schedule_id: job.schedule.map(ScheduleId::uuid),
        progress: v1::JobProgress { done: job.progress.done, total: job.progress.total },
        attempts: job.attempts,
        attempts_max: job.attempts_max,
        created_at: job.created_at,
        due_at: job.run_at,
        deadline_at: job.deadline,
        started_at: job.started_at,
        finished_at: job.finished_at,
        stop_asked_at: job.stop_asked_at,
        worker_id: job.worker.map(WorkerId::uuid),
        // Results are written by Warren as JSON; what an earlier version may have written otherwise is shown as it stands.
        result: job.result.as_deref().map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        error: job.error.clone(),
    }
}

pub fn queues(overview: &Overview) -> v1::JobQueues {
    v1::JobQueues {
        queues: overview.queues.iter().map(queue).collect(),
        workers: overview.workers.iter().map(worker).collect(),
        places: overview.places as u64,
        running: overview.running as u64,
    }
}

fn queue(view: &QueueView) -> v1::JobQueue {
    let depth = &view.depth;
    v1::JobQueue {
        queue: depth.queue.to_string(),
        waiting: depth.waiting,
        ready: depth.ready,
        running: depth.running,
        dead: depth.dead,
        delay_us: micros(view.delay),
        paused: view.paused.as_ref().map(|(since, by)| v1::JobQueuePause { since: *since, by: by.clone() }),
        tally: tally(&view.tally),
    }
}

fn tally(tally: &QueueTallyView) -> v1::JobTally {
    v1::JobTally {
        waited_half_us: micros(tally.waited_p50),
        waited_most_us: micros(tally.waited_p99),
        ran_half_us: micros(tally.ran_p50),
        ran_most_us: micros(tally.ran_p99),
        done: tally.done,
        failed: tally.failed,
        dead: tally.dead,
    }
}

fn worker(worker: &Worker) -> v1::JobWorker {
    v1::JobWorker {
        id: worker.id.uuid(),
        host: worker.host.clone(),
        process: worker.process,
        version: worker.version.clone(),
        places: worker.places,
        started_at: worker.started_at,
    }
}

/// A span in whole microseconds.
pub(super) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
