//! How a job stands in the outbox of an organisation: versioned JSON, as rows outlive the program that wrote them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_model::{AccountId, JobId, JobPriority, OrganisationId, Queue, RequestId, ScheduleId};

use super::{NewJob, Unique};
use crate::stored::{Undecodable, from_json, json, micros, moment, moment_or_none};

#[derive(Serialize, Deserialize)]
#[serde(tag = "v")]
enum Body {
    #[serde(rename = "1")]
    V1 {
        queue: String,
        priority: String,
        kind: String,
        version: u16,
        payload: String,
        created_at: i64,
        run_at: i64,
        attempts_max: u16,
        deadline_at: Option<i64>,
        unique: Option<(String, i64)>,
        author: Option<Uuid>,
        request: Option<Uuid>,
        schedule: Option<Uuid>,
    },
}

/// What stands in the outbox for `job`; its identifier and its organisation stand beside it.
pub(crate) fn body(job: &NewJob) -> String {
    json(&Body::V1 {
        queue: job.queue.to_string(),
        priority: job.priority.to_string(),
        kind: job.kind.clone(),
        version: job.version,
        payload: job.payload.clone(),
        created_at: micros(job.created_at),
        run_at: micros(job.run_at),
        attempts_max: job.attempts_max,
        deadline_at: job.deadline.map(micros),
        unique: job.unique.as_ref().map(|unique| (unique.key.clone(), micros(unique.until))),
        author: job.author.map(AccountId::uuid),
        request: job.request.map(RequestId::uuid),
        schedule: job.schedule.map(ScheduleId::uuid),
    })
}

/// The job that `organisation` left as `body`.
pub(crate) fn from_body(id: Uuid, organisation: OrganisationId, body: &str) -> Result<NewJob, Undecodable> {
    let wrong = Undecodable { column: "body" };
    let Body::V1 {
        queue,
        priority,
        kind,
        version,
        payload,
        created_at,
        run_at,
        attempts_max,
        deadline_at,
        unique,
        author,
        request,
        schedule,
    } = from_json(body, "body")?;
    let unique = unique.map(|(key, until)| Ok(Unique { key, until: moment(until, "body")? })).transpose()?;
    Ok(NewJob {
        id: JobId::from_uuid(id),
        queue: Queue::from_text(&queue).ok_or(wrong.clone())?,
        priority: JobPriority::from_text(&priority).ok_or(wrong)?,
        organisation: Some(organisation),
        kind,
        version,
        payload,
        created_at: moment(created_at, "body")?,
        run_at: moment(run_at, "body")?,
        attempts_max,
        deadline: moment_or_none(deadline_at, "body")?,
        unique,
        author: author.map(AccountId::from_uuid),
        request: request.map(RequestId::from_uuid),
        schedule: schedule.map(ScheduleId::from_uuid),
    })
}
