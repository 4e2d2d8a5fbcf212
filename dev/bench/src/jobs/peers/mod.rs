//! The queues of others.

mod bullmq;

use warren_storage::Engine;

use super::course::{Figures, Lengths};

/// How they are set, beside what is said of all.
pub const SETTINGS: &str = "BullMQ runs in a Node process of its own, where it is also asked. Only Warren's queue keeps \
    organisations apart: it looks for whose turn it is with each batch that it takes.";

/// Somebody else's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    BullMq,
}

impl Peer {
    pub const ALL: &[Self] = &[Self::BullMq];

    pub const fn name(self) -> &'static str {
        match self {
            Self::BullMq => bullmq::NAME,
        }
    }

    /// Where it keeps its jobs.
    pub const fn on(self) -> &'static str {
        match self {
            Self::BullMq => "Redis",
        }
    }

    /// Whether its figures stand behind Warren's on `engine`.
    pub fn stands_beside(self, engine: Engine) -> bool {
        let beside = match self {
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
            Self::BullMq => bullmq::measure(lengths),
        }
    }
}
