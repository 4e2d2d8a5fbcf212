//! Pure policies for parts that fail. Each takes time and randomness as parameters; none sleeps, spawns or does I/O.
//!
//! Invariants
//! - Settings are checked at construction, and the memory that a policy needs is taken then.
//! - A moment may lie before the last one, or far after it: nothing panics, and no wait becomes longer than its setting.

mod adaptive_limit;
mod backoff;
mod breaker;
mod bulkhead;
mod hysteresis;
mod retry_budget;
mod ring;
mod setting;
mod shedder;

pub use adaptive_limit::{AdaptiveLimit, AdaptiveLimitSettings, Fate, LimitChanged, Sample};
pub use backoff::Backoff;
pub use breaker::{
    BreakerSettings, BreakerState, BreakerStatus, Cause, CircuitBreaker, Counts, Outcome, Permit, Refusal, SlowCalls,
    Transition, Window,
};
pub use bulkhead::{Bulkhead, BulkheadSettings, Freed, Place};
pub use hysteresis::{Decision, Hysteresis, HysteresisSettings, Reason};
pub use retry_budget::{BudgetSpent, RetryBudget, RetryBudgetSettings};
pub use setting::{InvalidSetting, SPAN_MAX, SPAN_MIN};
pub use shedder::{Priority, Shedder, ShedderSettings, Verdict};
