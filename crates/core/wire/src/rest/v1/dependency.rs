//! What Warren needs and cannot trust to be there.
//!
//! Spans of time are microseconds (`…_us`). All of it is of the process that answers, since its start.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What Warren depends on, and the tasks that it keeps going.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dependencies {
    /// By name.
    pub dependencies: Vec<Dependency>,
    /// In the order in which they were begun.
    pub tasks: Vec<SupervisedTask>,
}

/// One thing that Warren depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dependency {
    /// Its kind, and which one of its kind where there are several.
    #[schema(example = "smtp")]
    pub name: String,
    /// `closed`: calls pass; `open`: they are refused for a while; `half_open`: a few are let through to try; `forced_open` and
    /// `forced_closed`: an operator decided.
    #[schema(example = "closed")]
    pub state: String,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// When the next call is let through to try, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub next_probe_at: Option<OffsetDateTime>,
    /// How often it was opened without being well between.
    #[schema(example = 0)]
    pub openings: u32,
    /// The calls by which it is judged.
    pub window: DependencyWindow,
    pub calls: DependencyCalls,
    /// What a call that succeeds usually takes.
    #[schema(example = 180_000)]
    pub usual_us: u64,
    /// Calls under way.
    #[schema(example = 1)]
    pub in_flight: u32,
    #[schema(example = 8)]
    pub in_flight_max: u32,
    /// Callers that wait for a place.
    #[schema(example = 0)]
    pub waiting: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<DependencyFailure>,
    /// The last changes of the state, the latest first; at most 64.
    pub changes: Vec<DependencyChange>,
}

/// The calls by which a dependency is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependencyWindow {
    #[schema(example = 20)]
    pub calls: u64,
    #[schema(example = 1)]
    pub failed: u64,
    #[schema(example = 0)]
    pub slow: u64,
}

/// All calls of a dependency. Each attempt is a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependencyCalls {
    #[schema(example = 1290)]
    pub made: u64,
    #[schema(example = 1281)]
    pub succeeded: u64,
    #[schema(example = 6)]
    pub failed: u64,
    #[schema(example = 2)]
    pub timed_out: u64,
    /// Those that nobody waited for any more.
    #[schema(example = 1)]
    pub cancelled: u64,
    /// Those that took so long that it is held against the dependency.
    #[schema(example = 3)]
    pub slow: u64,
    /// Attempts after the first.
    #[schema(example = 4)]
    pub retried: u64,
    /// Further attempts that were not made because there had been too many.
    #[schema(example = 0)]
    pub retries_refused: u64,
    /// Calls that were not made because the dependency is left alone.
    #[schema(example = 0)]
    pub refused_open: u64,
    /// Calls that were not made because too many were under way.
    #[schema(example = 0)]
    pub refused_full: u64,
    /// Calls that were not made because their deadline passed.
    #[schema(example = 0)]
    pub refused_late: u64,
    /// Calls that were answered in another way.
    #[schema(example = 0)]
    pub fallbacks: u64,
}

/// A failure, and when it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DependencyFailure {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    #[schema(example = "the mail server does not answer")]
    pub text: String,
}

/// A change of a dependency's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DependencyChange {
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    #[schema(example = "closed")]
    pub from: String,
    #[schema(example = "open")]
    pub to: String,
    /// Why, in English.
    #[schema(example = "8 of the last 12 calls failed")]
    pub cause: String,
    /// The last failure at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "the mail server does not answer")]
    pub last_failure: Option<String>,
}

/// A task that is started again when it fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SupervisedTask {
    #[schema(example = "clean up")]
    pub name: String,
    /// `running`, or `waiting` to be started again.
    #[schema(example = "running")]
    pub state: String,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// How often it was started again.
    #[schema(example = 0)]
    pub restarts: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<DependencyFailure>,
}

/// Sets by hand whether a dependency is called, until it is released or the process ends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForceDependency {
    /// `open`: no call passes; `closed`: every call passes, whatever becomes of it; `release`: it decides by itself again.
    #[schema(example = "release")]
    pub force: String,
}
