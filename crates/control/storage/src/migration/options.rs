//! How a schema is rolled out over all organisations.

use warren_model::OrganisationId;

use super::Losses;

/// Databases that are migrated at once, at most: each is a connection, and on SQLite a thread.
pub const PARALLEL_MAX: usize = 64;

/// How a schema is rolled out over all organisations: one of them first, then some, then all.
#[derive(Debug, Clone, Copy)]
pub struct RolloutOptions {
    /// The one that goes first; none for the oldest that is active.
    pub canary: Option<OrganisationId>,
    /// How many of a hundred follow it before the rest does.
    pub percent: u8,
    /// Databases that are migrated at once; at most [`PARALLEL_MAX`].
    pub parallel: usize,
    pub stop_after: StopAfter,
}

/// How many failures end a rollout. What is under way by then is finished; the canary's failure ends it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopAfter {
    Failures(usize),
    /// Of all organisations.
    Percent(u8),
}

/// Which way databases are brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the latest migration.
    Up,
    /// Back by so many.
    Down { migrations: usize, losses: Losses },
}

/// A part of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// One organisation.
    Canary,
    /// A few of a hundred.
    Some,
    /// All that are left.
    Rest,
}

impl Stage {
    /// Its name where progress is told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Some => "some",
            Self::Rest => "rest",
        }
    }
}

impl Default for RolloutOptions {
    /// The oldest active organisation, then ten of a hundred, eight at once; three failures end it.
    fn default() -> Self {
        Self { canary: None, percent: 10, parallel: 8, stop_after: StopAfter::Failures(3) }
    }
}

impl StopAfter {
    /// The number of failures at which a rollout over `organisations` ends; at least one.
    pub(super) fn failures(self, organisations: usize) -> usize {
        match self {
            Self::Failures(failures) => failures.max(1),
            Self::Percent(percent) => share(organisations, percent),
        }
    }
}

impl RolloutOptions {
    /// How many of `organisations` go in the first two stages together.
    pub(super) fn first(&self, organisations: usize) -> usize {
        share(organisations, self.percent)
    }
}

/// `percent` of `all`, rounded up, at least one.
fn share(all: usize, percent: u8) -> usize {
    all.saturating_mul(usize::from(percent.min(100))).div_ceil(100).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_up_and_never_nothing() {
        for (all, percent, expected) in
            [(0, 10, 1), (5, 10, 1), (11, 10, 2), (10_000, 10, 1000), (7, 100, 7), (7, 200, 7)]
        {
            assert_eq!(share(all, percent), expected, "{percent} % of {all}");
        }
        assert_eq!(StopAfter::Failures(0).failures(10), 1);
        assert_eq!(StopAfter::Percent(5).failures(100), 5);
    }
}
