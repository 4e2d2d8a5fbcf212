//! The policies, moved through time by hand, and their invariants under anything that may happen.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod adaptive_limit;
mod breaker;
mod breaker_properties;
mod bulkhead;
mod hysteresis;
mod retry_budget;
mod shedder;

use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
