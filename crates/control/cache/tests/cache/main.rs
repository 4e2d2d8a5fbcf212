//! Caches as those who read through them see them.

mod absent;
mod bounds;
mod invalidation;
mod loads;
mod stale;
mod support;
