//! What caches tell of themselves.

use crate::{Tier, tally::TallyView};

/// All caches of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachesStatus {
    pub memory_bytes_max: u64,
    /// In the order in which they were made.
    pub caches: Vec<CacheStatus>,
}

/// One cache of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheStatus {
    pub name: &'static str,
    pub tier: Tier,
    /// In memory, with those whose time is over and that were not tidied up yet.
    pub entries: u64,
    pub weight_bytes: u64,
    pub weight_bytes_max: u64,
    /// Loads under way.
    pub loading: usize,
    pub tally: TallyView,
}

/// Has a status.
pub(crate) trait Watched: Send + Sync {
    fn status(&self) -> CacheStatus;
}
