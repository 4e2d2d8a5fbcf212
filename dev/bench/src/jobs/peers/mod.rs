//! The queues of others.

#[cfg(feature = "queues")]
mod apalis;
mod bullmq;
#[cfg(feature = "queues")]
mod graphile;
#[cfg(feature = "queues")]
mod postgres;
#[cfg(feature = "queues")]
mod river;

use warren_storage::Engine;

use super::course::{Figures, Lengths};

/// How they are set, beside what is said of all.
pub const SETTINGS: &str = "The peers are set to their favour where their defaults are not meant for speed: apalis-sqlite is \
    woken by SQLite's update hook, takes 100 jobs at a time, and has its `synchronous=OFF` undone; riverqueue waits 1 ms \
    between fetches in place of 100; graphile_worker takes 100 jobs at a time into its local queue; BullMQ runs in a Node \
    process of its own, where it is also asked. riverqueue and graphile_worker have 10 connections, Warren 8. Of the queues, \
    only Warren's keeps organisations apart: it looks for whose turn it is with each batch that it takes.";

/// Somebody else's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    #[cfg(feature = "queues")]
    Apalis,
    #[cfg(feature = "queues")]
    River,
    #[cfg(feature = "queues")]
    Graphile,
    BullMq,
}

impl Peer {
    #[cfg(feature = "queues")]
    pub const ALL: &[Self] = &[Self::Apalis, Self::River, Self::Graphile, Self::BullMq];
    #[cfg(not(feature = "queues"))]
    pub const ALL: &[Self] = &[Self::BullMq];

    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "queues")]
            Self::Apalis => "apalis-sqlite 1.0",
            #[cfg(feature = "queues")]
            Self::River => "riverqueue 0.5",
            #[cfg(feature = "queues")]
            Self::Graphile => "graphile_worker 0.14",
            Self::BullMq => bullmq::NAME,
        }
    }

    /// Where it keeps its jobs.
    pub const fn on(self) -> &'static str {
        match self {
            #[cfg(feature = "queues")]
            Self::Apalis => "SQLite",
            #[cfg(feature = "queues")]
            Self::River | Self::Graphile => "PostgreSQL",
            Self::BullMq => "Redis",
        }
    }

    /// Whether its figures stand behind Warren's on `engine`.
    pub fn stands_beside(self, engine: Engine) -> bool {
        let beside = match self {
            #[cfg(feature = "queues")]
            Self::Apalis => Engine::Sqlite,
            #[cfg(feature = "queues")]
            Self::River | Self::Graphile => Engine::PostgreSql,
            Self::BullMq => Engine::PostgreSql,
        };
        beside == engine
    }

    /// Takes it over the course.
    ///
    /// # Errors
    /// When a server does not start, or the queue refuses or is stuck.
    pub fn measure(self, lengths: Lengths) -> anyhow::Result<Figures> {
        match self {
            #[cfg(feature = "queues")]
            Self::Apalis => super::runtime()?.block_on(apalis::measure(lengths)),
            #[cfg(feature = "queues")]
            Self::River => super::runtime()?.block_on(river::measure(lengths)),
            #[cfg(feature = "queues")]
            Self::Graphile => super::runtime()?.block_on(graphile::measure(lengths)),
            Self::BullMq => bullmq::measure(lengths),
        }
    }
}
