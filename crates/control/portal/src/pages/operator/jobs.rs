//! `/operator/jobs`: the queues, who works on them, the jobs, and one of them.

use std::time::Duration;

use askama::Template;
use axum::{
    Router,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use warren_app::jobs::manage::{self, Filter, Overview, QueueView, StoredJob, Worker};
use warren_model::{JobId, JobState, Queue, Timestamp};

use super::{
    super::{
        job::{JobBar, state_of, tone_of},
        page::Page,
        pager::{CursorGiven, Pager},
        reader::Reader,
        shown,
        views::Choice,
    },
    owner::{OwnerShown, Owners},
};
use crate::{
    PortalState,
    conversions::jobs::{self as convert, AskedJobs},
    paging::{Asked, Paging},
    path::{Id, QueueNamed},
    problem::Rejection,
};

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/operator/jobs", get(list))
        .route("/operator/jobs/queues/{queue}/pause", post(pause))
        .route("/operator/jobs/queues/{queue}/resume", post(resume))
        .route("/operator/jobs/queues/{queue}/replay", post(replay_queue))
        .route("/operator/jobs/{job}", get(show))
        .route("/operator/jobs/{job}/cancel", post(cancel))
        .route("/operator/jobs/{job}/replay", post(replay))
}

#[derive(Template)]
#[template(path = "operator/jobs.html")]
struct List {
    page: Page,
    queues: Vec<QueueShown>,
    workers: Vec<Worker>,
    /// Places of this process in use, and all of them.
    places: String,
    totals: [(&'static str, u64); 4],
    jobs: Vec<JobShown>,
    /// Whether something was chosen.
    filtered: bool,
    queue_choices: Vec<Choice>,
    state_choices: Vec<Choice>,
    pager: Pager,
}

struct QueueShown {
    name: &'static str,
    ready: u64,
    running: u64,
    waiting: u64,
    dead: u64,
    /// Nothing while none may begin.
    delay: Option<Duration>,
    waited: Option<(Duration, Duration)>,
    ran: Option<(Duration, Duration)>,
    paused: Option<(Timestamp, String)>,
}

struct JobShown {
    id: JobId,
    kind: String,
    queue: &'static str,
    state: &'static str,
    tone: &'static str,
    progress: Option<String>,
    attempts: u16,
    attempts_max: u16,
    owner: OwnerShown,
    created_at: Timestamp,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "operator/job.html")]
struct Shown {
    page: Page,
    /// How far it is.
    job: JobBar,
    shown: JobShown,
    stored: StoredJob,
    result: Option<String>,
    can_cancel: bool,
    can_replay: bool,
}

async fn list(reader: Reader, Asked(asked): Asked<AskedJobs>, Paging(request): Paging) -> Result<Response, Rejection> {
    let page = reader.operator_page("jobs").await?;
    let organisation = asked.organisation.clone().unwrap_or_default();
    let filter = convert::read_filter(asked)?;
    let overview = manage::overview(&reader).await?;
    let found = manage::page(&reader, filter, &request).await?;
    let owners = Owners::of(&reader, found.items.iter().map(|job| job.organisation).collect()).await?;
    let Filter { queue, state, .. } = filter;
    let (queue, state) = (queue.map_or("", Queue::as_str), state.map_or("", JobState::as_str));
    let kept = [("queue", queue), ("state", state), ("organisation", &organisation)];
    let named = |family: &'static str, word: &'static str| (word.to_owned(), page.text_of(family, word));
    let (queues, states) = (Queue::ALL.iter(), JobState::ALL.iter());
    shown(&List {
        queues: overview.queues.iter().map(queue_shown).collect(),
        places: format!("{} / {}", overview.running, overview.places),
        totals: totals(&overview),
        jobs: found.items.iter().map(|job| job_shown(&page, job, &owners)).collect(),
        filtered: kept.iter().any(|(_, value)| !value.is_empty()),
        queue_choices: Choice::list(queues.map(|one| named("queue", one.as_str())), queue),
        state_choices: Choice::list(states.map(|one| named("job-state", one.as_str())), state),
        pager: Pager::of(&found, "/operator/jobs", &kept, CursorGiven::of(&request)),
        workers: overview.workers,
        page,
    })
}

async fn show(reader: Reader, Id(id): Id<JobId>) -> Result<Response, Rejection> {
    let page = reader.operator_page("jobs").await?;
    let stored = manage::show(&reader, id).await?;
    let owners = Owners::of(&reader, vec![stored.organisation]).await?;
    shown(&Shown {
        job: JobBar::of_installation(&stored),
        shown: job_shown(&page, &stored, &owners),
        result: stored.result.as_deref().map(indented),
        can_cancel: !stored.state.is_ended() && stored.stop_asked_at.is_none(),
        can_replay: matches!(stored.state, JobState::Dead | JobState::Cancelled),
        stored,
        page,
    })
}

async fn cancel(reader: Reader, Id(id): Id<JobId>) -> Result<Response, Rejection> {
    manage::cancel(&reader, id).await?;
    Ok(Redirect::to(&format!("/operator/jobs/{id}")).into_response())
}

async fn replay(reader: Reader, Id(id): Id<JobId>) -> Result<Response, Rejection> {
    manage::replay(&reader, id).await?;
    Ok(Redirect::to(&format!("/operator/jobs/{id}")).into_response())
}

async fn pause(reader: Reader, QueueNamed(queue): QueueNamed) -> Result<Response, Rejection> {
    manage::pause(&reader, queue).await?;
    Ok(Redirect::to("/operator/jobs").into_response())
}

async fn resume(reader: Reader, QueueNamed(queue): QueueNamed) -> Result<Response, Rejection> {
    manage::resume(&reader, queue).await?;
    Ok(Redirect::to("/operator/jobs").into_response())
}

async fn replay_queue(reader: Reader, QueueNamed(queue): QueueNamed) -> Result<Response, Rejection> {
    manage::replay_queue(&reader, queue).await?;
    Ok(Redirect::to("/operator/jobs").into_response())
}

fn totals(overview: &Overview) -> [(&'static str, u64); 4] {
    let sum = |of: fn(&QueueView) -> u64| overview.queues.iter().map(of).sum();
    [
        ("jobs-tally-ready", sum(|queue| queue.depth.ready)),
        ("jobs-tally-running", sum(|queue| queue.depth.running)),
        ("jobs-tally-waiting", sum(|queue| queue.depth.waiting)),
        ("jobs-tally-dead", sum(|queue| queue.depth.dead)),
    ]
}

fn queue_shown(view: &QueueView) -> QueueShown {
    let (depth, tally) = (&view.depth, &view.tally);
    let times = |half, most: Duration| (most > Duration::ZERO).then_some((half, most));
    QueueShown {
        name: depth.queue.as_str(),
        ready: depth.ready,
        running: depth.running,
        waiting: depth.waiting,
        dead: depth.dead,
        delay: (depth.ready > 0).then_some(view.delay),
        waited: times(tally.waited_p50, tally.waited_p99),
        ran: times(tally.ran_p50, tally.ran_p99),
        paused: view.paused.clone(),
    }
}

fn job_shown(page: &Page, job: &StoredJob, owners: &Owners) -> JobShown {
    let state = state_of(job);
    JobShown {
        id: job.id,
        kind: job.kind.clone(),
        queue: job.queue.as_str(),
        state,
        tone: tone_of(state),
        progress: (job.progress.total > 0).then(|| format!("{} / {}", job.progress.done, job.progress.total)),
        attempts: job.attempts,
        attempts_max: job.attempts_max,
        owner: owners.show(page, job.organisation),
        created_at: job.created_at,
        error: job.error.clone(),
    }
}

/// A result as people read it.
fn indented(result: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(result).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| result.to_owned())
}
