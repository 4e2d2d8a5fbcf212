//! One attempt at one job: with a time limit, and whatever happens in it, with an end that is written down.

use std::{any::Any, sync::Arc, time::Duration};

use tokio::task::{AbortHandle, JoinError};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use warren_model::{Random, ambient::random_bytes};
use warren_resilience::Backoff;
use warren_storage::{StoredJob, Verdict};

use super::{
    JobError, Outcome, Policy, Work,
    job::Progress,
    kinds::{self, Runnable},
};
use crate::App;

/// A job that is asked to stop has this long for it.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// How an attempt went.
pub(super) struct Attempted {
    pub verdict: Verdict,
    pub ran: Duration,
}

/// Runs an attempt to its end.
pub(super) async fn attempt(
    app: &App,
    job: &Arc<StoredJob>,
    progress: &Arc<Progress>,
    stop: &CancellationToken,
) -> Attempted {
    let began = tokio::time::Instant::now();
    let now = app.clock().now();
    let verdict = if job.deadline.is_some_and(|deadline| now > deadline) {
        Verdict::Dead { error: "it was not begun before its deadline".to_owned() }
    } else {
        match kinds::read(app, job) {
            Ok(runnable) => {
                let policy = runnable.policy;
                let outcome = carry_through(app, job, runnable, progress, stop).await;
                verdict(app, job, Some(policy), outcome)
            }
            Err(error) => verdict(app, job, None, Err(error)),
        }
    };
    Attempted { verdict, ran: began.elapsed() }
}

/// In a task of its own, so that a panic ends there.
async fn carry_through(
    app: &App,
    job: &Arc<StoredJob>,
    runnable: Runnable,
    progress: &Arc<Progress>,
    stop: &CancellationToken,
) -> Result<Outcome, JobError> {
    let limit = runnable.policy.time_limit;
    let work = Work::new(app.clone(), Arc::clone(job), Arc::clone(progress), stop.clone());
    let request = job.request.map(|id| id.to_string()).unwrap_or_default();
    let span = tracing::info_span!("job", job = %job.id, kind = %job.kind, attempt = job.attempts, request);
    let mut task = tokio::spawn((runnable.run)(work).instrument(span));
    let _ended_with_us = EndWithUs(task.abort_handle());
    let stopped_late = async {
        stop.cancelled().await;
        tokio::time::sleep(STOPS_WITHIN).await;
    };
    tokio::select! {
        ended = &mut task => ended.unwrap_or_else(|error| Err(panicked(error))),
        () = tokio::time::sleep(limit) => {
            Err(JobError::retry(format!("it took longer than {} s and was broken off", limit.as_secs())))
        }
        () = stopped_late => Err(JobError::Stopped),
    }
}

/// A job is not left running when nobody waits for it any more.
struct EndWithUs(AbortHandle);

impl Drop for EndWithUs {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panicked(error: JoinError) -> JobError {
    let said = error.try_into_panic().map(|panic| said_in(panic.as_ref()));
    JobError::retry(format!("it panicked: {}", said.unwrap_or_else(|_| "it was aborted".to_owned())))
}

fn said_in(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a word").to_owned()
}

/// What follows from how the attempt went.
fn verdict(app: &App, job: &StoredJob, policy: Option<Policy>, outcome: Result<Outcome, JobError>) -> Verdict {
    let now = app.clock().now();
    match outcome {
        Ok(outcome) => Verdict::Done { result: outcome.result.map(|value| value.to_string()) },
        // Whether somebody called it off or the process ends is known to who asked it to stop.
        Err(JobError::Stopped) => Verdict::Cancelled,
        Err(JobError::Postponed { reason, after }) => Verdict::Postponed { reason, run_at: now + after },
        Err(JobError::Fatal(cause)) => Verdict::Dead { error: cause.to_string() },
        Err(JobError::Retry(cause)) => match policy {
            Some(policy) if job.attempts < job.attempts_max => {
                Verdict::Retry { error: cause.to_string(), run_at: now + wait(&policy, job.attempts, app.random()) }
            }
            _ => Verdict::Dead { error: cause.to_string() },
        },
    }
}

/// How long to wait after the attempt with this number, counted from 1.
fn wait(policy: &Policy, attempts: u16, random: &dyn Random) -> Duration {
    let mut backoff = Backoff::new(policy.wait_first, policy.wait_cap);
    for _ in 1..attempts {
        backoff.after_failure(0);
    }
    backoff.after_failure(u64::from_le_bytes(random_bytes(random)))
}
