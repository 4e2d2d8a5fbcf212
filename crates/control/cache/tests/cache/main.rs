//! Caches as those who read through them see them.

mod absent;
mod bounds;
mod invalidation;
mod loads;
mod redis;
mod stale;
mod support;
