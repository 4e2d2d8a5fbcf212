//! Makes the jobs that schedules ask for, each once, however many processes look.

use std::time::Duration;

use time::macros::datetime;
use tokio::task::JoinHandle;
use warren_model::{JobId, Schedule, Timestamp};
use warren_runtime::Shutdown;
use warren_storage::{JobSchedule, NewJob, StorageError};

use super::kinds;
use crate::{App, AppError, worker::every};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The last moment that databases keep.
const NEVER: Timestamp = datetime!(9999-12-31 0:00 UTC);
/// Schedules that are served in one look.
const BATCH_MAX: u64 = 100;

pub(super) fn spawn(app: &App, shutdown: &Shutdown) -> JoinHandle<()> {
    every(app, shutdown, "schedules", LOOK_EVERY, |app| Box::pin(async move { look(&app).await }))
}

async fn look(app: &App) {
    if let Err(cause) = serve(app).await {
        tracing::warn!(%cause, "schedules wait: they cannot be read or served; it is tried again");
    }
}

async fn serve(app: &App) -> Result<(), AppError> {
    for schedule in app.system().schedules().due(app.clock().now(), BATCH_MAX).await? {
        match come(app, &schedule).await {
            // Another process was faster.
            Ok(_) | Err(AppError::Stale) => {}
            Err(cause) => {
                tracing::warn!(%cause, schedule = %schedule.id, "a schedule could not be served; it is tried again")
            }
        }
    }
    Ok(())
}

/// Makes the job of a schedule that is due, and says when it comes next. What was missed while nothing ran comes once.
pub(super) async fn come(app: &App, schedule: &JobSchedule) -> Result<JobId, AppError> {
    let now = app.clock().now();
    let cadence: Schedule = schedule.cadence.parse().map_err(|invalid| AppError::field("cadence", invalid))?;
    // A cadence that never comes again waits for ever.
    let next = cadence.next_after(now.max(schedule.next_at)).unwrap_or(NEVER);
    let policy = kinds::find(app, &schedule.kind).map(|kind| kind.policy);
    let job = NewJob {
        id: JobId::generate(now, app.random()),
        queue: schedule.queue,
        priority: policy.map_or(warren_model::JobPriority::Normal, |policy| policy.priority),
        organisation: schedule.organisation,
        kind: schedule.kind.clone(),
        version: schedule.version,
        payload: schedule.payload.clone(),
        created_at: now,
        run_at: now,
        attempts_max: policy.map_or(1, |policy| policy.attempts_max),
        deadline: None,
        unique: None,
        author: schedule.author,
        request: None,
        schedule: Some(schedule.id),
    };
    app.system()
        .transaction(async |tx| -> Result<(), AppError> {
            match tx.schedules().came(schedule.id, schedule.next_at, next, (job.id, now)).await {
                Err(StorageError::Stale) => return Err(AppError::Stale),
                other => other?,
            }
            app.enqueue(tx, &job).await?;
            Ok(())
        })
        .await?;
    Ok(job.id)
}
