//! What Warren depends on. Inside, times are spans up to now; outside, they are moments.

use std::time::Duration;

use warren_app::AppError;
use warren_model::{Invalid, Timestamp};
use warren_runtime::{
    dependency::{CallCounts, DependencyStatus, Force, PastChange, PastFailure},
    supervise::{TaskState, TaskStatus},
};
use warren_wire::rest::v1;

use super::jobs::micros;

/// # Errors
/// [`AppError::Invalid`]
pub fn read_force(body: &v1::ForceDependency) -> Result<Force, AppError> {
    force(&body.force).ok_or(AppError::field("force", Invalid::Unknown { known: "open, closed, release" }))
}

/// What a word has an operator do.
pub fn force(text: &str) -> Option<Force> {
    match text {
        "open" => Some(Force::Open),
        "closed" => Some(Force::Closed),
        "release" => Some(Force::Release),
        _ => None,
    }
}

pub fn dependencies(all: &[DependencyStatus], tasks: &[TaskStatus], now: Timestamp) -> v1::Dependencies {
    v1::Dependencies {
        dependencies: all.iter().map(|one| dependency(one, now)).collect(),
        tasks: tasks.iter().map(|one| task(one, now)).collect(),
    }
}

pub fn dependency(status: &DependencyStatus, now: Timestamp) -> v1::Dependency {
    let window = status.window;
    v1::Dependency {
        name: status.name.to_string(),
        state: word(status.state.word()),
        since: before(now, status.state_for),
        next_probe_at: status.next_probe_in.map(|wait| now + wait),
        openings: status.openings,
        window: v1::DependencyWindow { calls: window.calls, failed: window.failed, slow: window.slow },
        calls: calls(&status.calls),
        usual_us: micros(status.usual),
        in_flight: status.in_flight,
        in_flight_max: status.in_flight_max,
        waiting: status.waiting,
        last_failure: status.last_failure.as_ref().map(|past| failure(past, now)),
        changes: status.changes.iter().rev().map(|past| change(past, now)).collect(),
    }
}

const fn calls(counts: &CallCounts) -> v1::DependencyCalls {
    v1::DependencyCalls {
        made: counts.made,
        succeeded: counts.succeeded,
        failed: counts.failed,
        timed_out: counts.timed_out,
        cancelled: counts.cancelled,
        slow: counts.slow,
        retried: counts.retried,
        retries_refused: counts.retries_refused,
        refused_open: counts.refused_open,
        refused_full: counts.refused_full,
        refused_late: counts.refused_late,
        fallbacks: counts.fallbacks,
    }
}

fn change(past: &PastChange, now: Timestamp) -> v1::DependencyChange {
    let transition = &past.transition;
    v1::DependencyChange {
        at: before(now, past.ago),
        from: word(transition.from.word()),
        to: word(transition.to.word()),
        cause: transition.cause.to_string(),
        last_failure: past.last_failure.clone(),
    }
}

fn task(status: &TaskStatus, now: Timestamp) -> v1::SupervisedTask {
    let state = match status.state {
        TaskState::Running => "running",
        TaskState::Waiting => "waiting",
    };
    v1::SupervisedTask {
        name: status.name.to_owned(),
        state: state.to_owned(),
        since: before(now, status.state_for),
        restarts: status.restarts,
        last_failure: status.last_failure.as_ref().map(|past| failure(past, now)),
    }
}

fn failure(past: &PastFailure, now: Timestamp) -> v1::DependencyFailure {
    v1::DependencyFailure { at: before(now, past.ago), text: past.text.clone() }
}

/// The moment that lies `ago` before `now`; `now` where the clock cannot tell.
pub fn before(now: Timestamp, ago: Duration) -> Timestamp {
    time::Duration::try_from(ago).ok().and_then(|ago| now.checked_sub(ago)).unwrap_or(now)
}

/// A state as the API writes it: `half_open`.
fn word(state: &str) -> String {
    state.replace([' ', '-'], "_")
}
