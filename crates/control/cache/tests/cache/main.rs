//! Caches as those who read through them see them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod absent;
mod bounds;
mod invalidation;
mod loads;
mod redis;
mod stale;
mod support;
