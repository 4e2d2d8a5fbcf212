//! What operators see of jobs and do with them.

use std::time::Duration;

use warren_model::{
    AccountId, JobId, JobState, OrganisationId, Queue, Timestamp,
    audit::Action,
    page::{Page, PageRequest},
};
pub use warren_storage::{Cancelled, JobProgress, QueueDepth, StoredJob, Worker};
use warren_storage::{JobFilter, QueueStanding};

use super::QueueTallyView;
use crate::{AppError, Contradiction, Inside, OpContext, Thing};

/// Dead letters that one replay of a queue takes up.
const REPLAYED_MAX: u64 = 1000;

/// All queues and who works on them.
#[derive(Debug, Clone)]
pub struct Overview {
    pub queues: Vec<QueueView>,
    pub workers: Vec<Worker>,
    /// Places of this process now, and jobs that run on them.
    pub places: usize,
    pub running: usize,
}

/// One queue.
#[derive(Debug, Clone)]
pub struct QueueView {
    pub depth: QueueDepth,
    /// How long the oldest that may begin has waited.
    pub delay: Duration,
    /// Since when, and who holds it back.
    pub paused: Option<(Timestamp, String)>,
    /// What this process did of late.
    pub tally: QueueTallyView,
}

/// Which jobs are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub queue: Option<Queue>,
    pub state: Option<JobState>,
    pub organisation: Option<OrganisationId>,
}

/// All queues. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn overview(cx: &OpContext) -> Result<Overview, AppError> {
    cx.operate()?;
    let (jobs, now, workshop) = (cx.system(), cx.app.clock().now(), cx.app.workshop());
    let paused = jobs.jobs().paused_queues().await?;
    let view = |depth: QueueDepth| QueueView {
        delay: delay(depth.oldest_ready, now),
        paused: paused.iter().find(|(queue, ..)| *queue == depth.queue).map(|(_, at, by)| (*at, by.clone())),
        tally: workshop.tally().view(depth.queue),
        depth,
    };
    Ok(Overview {
        queues: jobs.jobs().depths().await?.into_iter().map(view).collect(),
        workers: jobs.jobs().workers().await?,
        places: workshop.places().now(),
        running: workshop.running(),
    })
}

/// How long the oldest that may begin has waited.
pub(crate) fn delay(oldest_ready: Option<Timestamp>, now: Timestamp) -> Duration {
    oldest_ready.and_then(|due| (now - due).try_into().ok()).unwrap_or_default()
}

/// A page of jobs, the newest first. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn page(cx: &OpContext, filter: Filter, request: &PageRequest) -> Result<Page<StoredJob>, AppError> {
    cx.operate()?;
    let Filter { queue, state, organisation } = filter;
    Ok(cx.system().jobs().page(&JobFilter { organisation, queue, state }, request).await?)
}

/// One job, whosever it is. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn show(cx: &OpContext, id: JobId) -> Result<StoredJob, AppError> {
    cx.operate()?;
    cx.system().jobs().by_id(id).await?.ok_or(AppError::NotFound(Thing::Job))
}

/// Calls a job off; one that runs is asked to stop. Operators.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`Contradiction::JobEnded`]
pub async fn cancel(cx: &OpContext, id: JobId) -> Result<Cancelled, AppError> {
    let proof = cx.operate()?;
    let job = show(cx, id).await?;
    let entry = cx.entry(&proof, Action::JobCancelled, id.uuid(), &job.kind);
    let now = cx.app.clock().now();
    let cancelled = cx
        .system()
        .transaction(async |tx| -> Result<Cancelled, AppError> {
            let cancelled = tx.jobs().cancel(id, now).await?;
            if cancelled == Cancelled::TooLate {
                return Err(Contradiction::JobEnded.into());
            }
            tx.audit().append(&entry, job.organisation).await?;
            Ok(cancelled)
        })
        .await?;
    cx.app.workshop().call_off(id);
    Ok(cancelled)
}

/// Lets a dead letter, or a job that was called off, run again. Operators.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`Contradiction::JobNotEnded`]
pub async fn replay(cx: &OpContext, id: JobId) -> Result<(), AppError> {
    let proof = cx.operate()?;
    let job = show(cx, id).await?;
    if !matches!(job.state, JobState::Dead | JobState::Cancelled) {
        return Err(Contradiction::JobNotEnded.into());
    }
    let entry = cx.entry(&proof, Action::JobReplayed, id.uuid(), &job.kind);
    let now = cx.app.clock().now();
    cx.system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.jobs().replay(id, now).await?;
            tx.audit().append(&entry, job.organisation).await?;
            Ok(())
        })
        .await?;
    cx.app.workshop().ring(job.queue);
    Ok(())
}

/// Lets the dead letters of a queue run again, the oldest first and at most a thousand, and returns how many. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn replay_queue(cx: &OpContext, queue: Queue) -> Result<u64, AppError> {
    let proof = cx.operate()?;
    let entry = cx.entry(&proof, Action::QueueReplayed, uuid::Uuid::nil(), queue);
    let now = cx.app.clock().now();
    let replayed = cx
        .system()
        .transaction(async |tx| -> Result<u64, AppError> {
            let replayed = tx.jobs().replay_queue(queue, now, REPLAYED_MAX).await?;
            tx.audit().append(&entry, None).await?;
            Ok(replayed)
        })
        .await?;
    cx.app.workshop().ring(queue);
    Ok(replayed)
}

/// Holds a queue back on all hosts; what runs comes to its end. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn pause(cx: &OpContext, queue: Queue) -> Result<(), AppError> {
    set_standing(cx, queue, QueueStanding::Paused, Action::QueuePaused).await
}

/// Lets a queue go on. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn resume(cx: &OpContext, queue: Queue) -> Result<(), AppError> {
    set_standing(cx, queue, QueueStanding::Running, Action::QueueResumed).await?;
    cx.app.workshop().ring(queue);
    Ok(())
}

async fn set_standing(cx: &OpContext, queue: Queue, to: QueueStanding, action: Action) -> Result<(), AppError> {
    let proof = cx.operate()?;
    let entry = cx.entry(&proof, action, uuid::Uuid::nil(), queue);
    let by = match proof.actor() {
        warren_model::audit::Actor::Account { name, .. } => name.clone(),
        warren_model::audit::Actor::LocalOperator { user } => user.clone(),
        _ => "Warren".to_owned(),
    };
    let now = cx.app.clock().now();
    cx.system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.jobs().set_standing(&proof, queue, to, (&by, now)).await?;
            tx.audit().append(&entry, None).await?;
            Ok(())
        })
        .await
}

/// One job of the organisation: its admins, and who asked for it.
///
/// # Errors
/// [`AppError::NotFound`] for everybody else.
pub async fn show_own(inside: &Inside<'_>, id: JobId) -> Result<StoredJob, AppError> {
    let missing = || AppError::NotFound(Thing::Job);
    let mut job = inside.cx.system().jobs().by_id(id).await?;
    if job.is_none() {
        // What was asked for a moment ago may stand in the organisation's outbox still.
        super::relay::carry(inside.app(), inside.organisation.id).await?;
        job = inside.cx.system().jobs().by_id(id).await?;
    }
    let job = job.ok_or_else(missing)?;
    if job.organisation != Some(inside.organisation.id) || !may_see(inside, job.author) {
        return Err(missing());
    }
    Ok(job)
}

/// Calls off a job of the organisation: its admins, and who asked for it.
///
/// # Errors
/// [`AppError::NotFound`] for everybody else, [`Contradiction::JobEnded`].
pub async fn cancel_own(inside: &Inside<'_>, id: JobId) -> Result<Cancelled, AppError> {
    let job = show_own(inside, id).await?;
    let entry = inside.cx.entry_by(inside.cx.subject.actor(), Action::JobCancelled, id.uuid(), &job.kind);
    let now = inside.app().clock().now();
    let cancelled = inside
        .cx
        .system()
        .transaction(async |tx| -> Result<Cancelled, AppError> {
            let cancelled = tx.jobs().cancel(id, now).await?;
            if cancelled == Cancelled::TooLate {
                return Err(Contradiction::JobEnded.into());
            }
            tx.audit_outbox().push(&entry, inside.organisation.id).await?;
            Ok(cancelled)
        })
        .await?;
    inside.app().relay_audit_soon();
    inside.app().workshop().call_off(id);
    Ok(cancelled)
}

fn may_see(inside: &Inside<'_>, author: Option<AccountId>) -> bool {
    let own = author.is_some() && inside.insider.account() == author;
    own || inside.authorise(warren_auth::permission::Oversee).is_ok()
}
