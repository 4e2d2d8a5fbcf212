//! What caches tell of themselves.

use std::time::Duration;

use crate::{Tier, tally::TallyView};

/// All caches of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachesStatus {
    pub memory_bytes_max: u64,
    /// In the order in which they were made.
    pub caches: Vec<CacheStatus>,
    /// None for a process without Redis.
    pub cluster: Option<ClusterStatus>,
}

/// The way to the other processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStatus {
    /// Host and port of Redis.
    pub url: String,
    pub state: ClusterState,
    /// What the last heartbeat took.
    pub round_trip: Option<Duration>,
    /// What was last wrong, in words for an operator.
    pub last_trouble: Option<String>,
    /// Things given up that the others were not told yet.
    pub owed: usize,
    /// Batches that the others were told.
    pub told: u64,
    /// Batches that the others told.
    pub heard: u64,
    /// How often everything was given up because Redis began anew, the start of the process among them.
    pub renewals: u64,
}

/// Whether all that other processes give up is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// Not yet since the process began.
    Connecting,
    /// It is; Redis is used.
    Certain,
    /// Redis has begun anew, and others may not be back.
    Settling,
    /// So many other processes have not been heard for a while.
    OthersSilent(u64),
    /// Redis cannot be used.
    Apart,
    /// The process has said farewell.
    Closed,
}

impl ClusterState {
    /// The word for it in figures and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Certain => "certain",
            Self::Settling => "settling",
            Self::OthersSilent(_) => "others_silent",
            Self::Apart => "apart",
            Self::Closed => "closed",
        }
    }
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
