//! `/operator/dependencies`: what Warren needs and cannot trust to be there, and the tasks that it keeps going.

use std::time::Duration;

use askama::Template;
use axum::{
    Router,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use warren_app::{AppError, Thing, dependencies};
use warren_model::Timestamp;
use warren_resilience::{BreakerState, Cause};
use warren_runtime::{
    dependency::{DependencyStatus, Force, PastChange, PastFailure},
    supervise::{TaskState, TaskStatus},
};

use super::super::{
    confirm::Confirm,
    form::Refusal,
    page::{Page, input_id},
    pager::encoded,
    reader::Reader,
    shown,
};
use crate::{
    PortalState,
    conversions::dependencies::{before, force},
    path::DependencyNamed,
    problem::Rejection,
};

/// Changes that are shown of each.
const CHANGES_MAX: usize = 20;

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/operator/dependencies", get(list))
        .route("/operator/dependencies/{dependency}/{force}", get(ask).post(submit))
}

#[derive(Template)]
#[template(path = "operator/dependencies.html")]
struct List {
    page: Page,
    dependencies: Vec<DependencyShown>,
    tasks: Vec<TaskShown>,
}

struct DependencyShown {
    name: String,
    /// The name in identifiers of elements, and in addresses.
    id: String,
    address: String,
    state: &'static str,
    tone: &'static str,
    forced: bool,
    since: Timestamp,
    next_probe_at: Option<Timestamp>,
    window: (u64, u64, u64),
    made: u64,
    failed: u64,
    refused: u64,
    usual: Option<Duration>,
    in_flight: u32,
    in_flight_max: u32,
    waiting: u32,
    last_failure: Option<FailureShown>,
    changes: Vec<ChangeShown>,
}

struct FailureShown {
    text: String,
    at: Timestamp,
}

struct ChangeShown {
    at: Timestamp,
    to: &'static str,
    tone: &'static str,
    cause: String,
    failure: Option<String>,
}

struct TaskShown {
    name: &'static str,
    state: &'static str,
    tone: &'static str,
    since: Timestamp,
    restarts: u64,
    last_failure: Option<FailureShown>,
}

async fn list(reader: Reader) -> Result<Response, Rejection> {
    let page = reader.operator_page("dependencies").await?;
    let now = reader.app.clock().now();
    let (all, tasks) = (dependencies::status(&reader)?, dependencies::tasks(&reader)?);
    shown(&List {
        dependencies: all.iter().map(|one| dependency_shown(&page, one, now)).collect(),
        tasks: tasks.iter().map(|one| task_shown(one, now)).collect(),
        page,
    })
}

/// Which dependency, and what is to be done with it, as the address says.
async fn ask(
    reader: Reader,
    DependencyNamed(name): DependencyNamed,
    axum::extract::Path((_, word)): axum::extract::Path<(String, String)>,
) -> Result<Response, Rejection> {
    let page = reader.operator_page("dependencies").await?;
    let word = word_of(read(&word)?);
    if dependencies::status(&reader)?.iter().all(|one| one.name.as_str() != name) {
        return Err(AppError::NotFound(Thing::Dependency).into());
    }
    shown(&Confirm {
        heading: page.text_with(&format!("force-{word}-question"), "name", &name),
        consequence: page.text(&format!("force-{word}-consequence")),
        action: page.text(&format!("force-{word}")),
        back: "/operator/dependencies".to_owned(),
        back_name: page.text("dependencies"),
        revision: 0,
        refusal: Refusal::default(),
        page,
    })
}

async fn submit(
    reader: Reader,
    DependencyNamed(name): DependencyNamed,
    axum::extract::Path((_, word)): axum::extract::Path<(String, String)>,
) -> Result<Response, Rejection> {
    dependencies::force(&reader, &name, read(&word)?).await?;
    Ok(Redirect::to("/operator/dependencies").into_response())
}

fn read(word: &str) -> Result<Force, Rejection> {
    force(word).ok_or_else(|| Rejection::from(AppError::NotFound(Thing::Page)))
}

const fn word_of(force: Force) -> &'static str {
    match force {
        Force::Open => "open",
        Force::Closed => "closed",
        Force::Release => "release",
    }
}

fn dependency_shown(page: &Page, status: &DependencyStatus, now: Timestamp) -> DependencyShown {
    let (state, tone) = state(status.state);
    let (window, calls) = (&status.window, &status.calls);
    DependencyShown {
        name: status.name.to_string(),
        id: input_id(&status.name.as_str().replace([':', '/', '[', ']'], "-")),
        address: encoded(status.name.as_str()),
        state,
        tone,
        forced: status.is_forced(),
        since: before(now, status.state_for),
        next_probe_at: status.next_probe_in.map(|wait| now + wait),
        window: (window.calls, window.failed, window.slow),
        made: calls.made,
        failed: calls.failed + calls.timed_out,
        refused: calls.refused_open + calls.refused_full + calls.refused_late,
        usual: Some(status.usual).filter(|usual| *usual > Duration::ZERO),
        in_flight: status.in_flight,
        in_flight_max: status.in_flight_max,
        waiting: status.waiting,
        last_failure: status.last_failure.as_ref().map(|past| failure_shown(past, now)),
        changes: status.changes.iter().rev().take(CHANGES_MAX).map(|past| change_shown(page, past, now)).collect(),
    }
}

fn change_shown(page: &Page, past: &PastChange, now: Timestamp) -> ChangeShown {
    let (to, tone) = state(past.transition.to);
    ChangeShown {
        at: before(now, past.ago),
        to,
        tone,
        cause: cause(page, &past.transition.cause),
        failure: past.last_failure.clone(),
    }
}

/// Why a state changed, as a sentence.
fn cause(page: &Page, cause: &Cause) -> String {
    let counted = |key: &str, bad: u64, calls: u64| {
        page.locale.text(key, &[("bad", bad.to_string()), ("calls", calls.to_string())])
    };
    match cause {
        Cause::Failures(counts) => counted("cause-failures", counts.failed, counts.calls),
        Cause::SlowCalls(counts) => counted("cause-slow-calls", counts.slow, counts.calls),
        Cause::WaitOver => page.text("cause-wait-over"),
        Cause::ProbeFailed => page.text("cause-probe-failed"),
        Cause::ProbeSlow => page.text("cause-probe-slow"),
        Cause::ProbesSucceeded => page.text("cause-probes-succeeded"),
        Cause::Forced => page.text("cause-forced"),
        Cause::Released => page.text("cause-released"),
    }
}

fn task_shown(status: &TaskStatus, now: Timestamp) -> TaskShown {
    let (state, tone) = match status.state {
        TaskState::Running => ("running", "good"),
        TaskState::Waiting => ("waiting", "bad"),
    };
    TaskShown {
        name: status.name,
        state,
        tone,
        since: before(now, status.state_for),
        restarts: status.restarts,
        last_failure: status.last_failure.as_ref().map(|past| failure_shown(past, now)),
    }
}

fn failure_shown(past: &PastFailure, now: Timestamp) -> FailureShown {
    FailureShown { text: past.text.clone(), at: before(now, past.ago) }
}

/// The word for a state in catalogues, and its colour.
const fn state(state: BreakerState) -> (&'static str, &'static str) {
    match state {
        BreakerState::Closed => ("closed", "good"),
        BreakerState::Open => ("open", "bad"),
        BreakerState::HalfOpen => ("half-open", "warn"),
        BreakerState::ForcedOpen => ("forced-open", "warn"),
        BreakerState::ForcedClosed => ("forced-closed", "warn"),
    }
}
