//! Values kept for a while, so that what is read again and again does not reach the database each time.
//!
//! Invariants
//! - Every key is a [`Scope`] with a typed key of one cache. There is no way to ask with bare text, so an entry of one
//!   organisation is not found from another.
//! - At most one load of a key is under way in a process, and it is nobody's: who goes away takes nothing from others.
//! - Nothing is served that was given up before it was asked for: not by a load that began before, not as a stale value, not
//!   in place of an error.
//! - Nothing here knows of databases. A change is told after its commit, by [`Caches::invalidate`].

mod cache;
mod caches;
mod cluster;
mod config;
mod definition;
mod entry;
mod error;
mod flight;
mod grounds;
mod keeping;
mod key;
mod marks;
mod moment;
mod sharing;
mod status;
mod tag;
mod tally;
mod trust;

pub use cache::Cache;
pub use caches::{Caches, build};
pub use cluster::{
    CALL_WITHIN, CERTAIN_FOR, CONNECT_WITHIN, FORGOTTEN_AFTER, HEARTBEAT_EVERY, LEASE_FOR, OWED_MARKS_MAX,
    SETTLES_WITHIN, SILENT_AFTER, STALENESS_MAX, TOLD_WITHIN, VALUE_BYTES_MAX,
};
pub use config::{Config, RedisConfig, RedisUrl};
pub use definition::{Definition, Loaded, Tier};
pub use entry::{Held, RETRY_AFTER};
pub use error::CacheError;
pub use flight::{JOINED_WITHIN, REFRESHES_MAX};
pub use key::{CacheKey, KeyDigest, Scope};
pub use marks::MARKS_MAX;
pub use status::{CacheStatus, CachesStatus, ClusterState, ClusterStatus};
pub use tag::{INVALIDATIONS_MAX, Invalidations, TAGS_MAX, Tag, Topic};
pub use tally::TallyView;
pub use trust::CAUTIOUS_FRESHNESS;
