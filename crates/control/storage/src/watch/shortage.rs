//! Shortages: connections, or places for open databases, that are about to run out, told before anybody is turned away.

use std::{
    fmt,
    time::{Duration, Instant},
};

use warren_model::OrganisationId;

use super::WatchLimits;
use crate::{
    Place,
    pool::{Glance, PoolTallyView},
};

/// Looks without a sign of it after which a shortage is over.
const CALM_LOOKS: u32 = 5;
/// Fewer waits than this within a window say nothing about the usual one.
const WAITS_MIN: u64 = 20;

/// What is short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShortageOf {
    /// The connections of one database.
    Pool { database: Place, organisation: Option<OrganisationId>, role: &'static str },
    /// The connections that the server may have in all.
    Server,
    /// The places for organisations' open databases.
    OpenTenants,
}

/// By what it was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShortageSign {
    /// All is in use, and those in line hardly move.
    Line,
    /// More than one in a hundred waited for too long.
    LongWaits,
    /// Some waited in vain.
    Refusals,
}

impl ShortageOf {
    pub const NAMES: [&str; 3] = ["pool", "server", "open_tenants"];

    /// Its name in metrics and in the API.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pool { .. } => Self::NAMES[0],
            Self::Server => Self::NAMES[1],
            Self::OpenTenants => Self::NAMES[2],
        }
    }
}

impl ShortageSign {
    /// Its name in log lines and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::LongWaits => "long_waits",
            Self::Refusals => "refusals",
        }
    }
}

/// A shortage that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    pub of: ShortageOf,
    pub sign: ShortageSign,
    pub since: Instant,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            ShortageOf::Pool { database, .. } => write!(f, "the connections to {database} are running out"),
            ShortageOf::Server => f.write_str("the connections that the database server may have are running out"),
            ShortageOf::OpenTenants => f.write_str("the places for organisations' open databases are running out"),
        }
    }
}

/// What a look changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Began(ShortageSign),
    Ended(Duration),
}

/// Whether something is short, judged look by look.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// Looks in a row that found a line.
    lines: u32,
    calm: u32,
    lasting: Option<(ShortageSign, Instant)>,
}

/// Whether a line was seen that hardly moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    None,
    Stands,
}

impl Line {
    pub fn before(glance: &Glance, limits: &WatchLimits) -> Self {
        let is_full = glance.now.active >= glance.now.connections_max;
        let stands = glance.head_waited.is_some_and(|waited| waited >= limits.head_waited);
        if is_full && stands { Self::Stands } else { Self::None }
    }

    pub const fn of(waiting: usize) -> Self {
        if waiting > 0 { Self::Stands } else { Self::None }
    }
}

impl Judgement {
    /// Takes in one look: the line, and what the last window was a sign of.
    pub fn look(&mut self, line: Line, window: Option<ShortageSign>, limits: &WatchLimits) -> Option<Turn> {
        self.lines = if line == Line::Stands { self.lines + 1 } else { 0 };
        let sign = if self.lines >= limits.line_looks { Some(ShortageSign::Line) } else { window };
        match (self.lasting, sign) {
            (None, Some(sign)) => {
                (self.lasting, self.calm) = (Some((sign, Instant::now())), 0);
                Some(Turn::Began(sign))
            }
            (Some((_, since)), None) => {
                self.calm += 1;
                (self.calm >= CALM_LOOKS).then(|| {
                    self.lasting = None;
                    Turn::Ended(since.elapsed())
                })
            }
            (_, Some(_)) => {
                self.calm = 0;
                None
            }
            (None, None) => None,
        }
    }

    pub fn lasting(&self, of: impl FnOnce() -> ShortageOf) -> Option<Shortage> {
        self.lasting.map(|(sign, since)| Shortage { of: of(), sign, since })
    }
}

/// What a window says of a pool: `before` is what was counted up to its beginning, `now` up to its end.
pub(super) fn sign_in_window(
    before: &PoolTallyView,
    now: &PoolTallyView,
    limits: &WatchLimits,
) -> Option<ShortageSign> {
    let refused = |tally: &PoolTallyView| tally.timeouts + tally.turned_away;
    if refused(now) > refused(before) {
        return Some(ShortageSign::Refusals);
    }
    let waited = now.waited.since(&before.waited);
    let most = Duration::from_micros(waited.within_micros(0.99).unwrap_or(0));
    (waited.count() >= WAITS_MIN && most > limits.waited).then_some(ShortageSign::LongWaits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: WatchLimits = WatchLimits::USUAL;

    #[test]
    fn a_line_is_warned_of_when_it_stands_and_over_when_it_stays_away() {
        let mut judgement = Judgement::default();
        for _ in 1..LIMITS.line_looks {
            assert_eq!(judgement.look(Line::Stands, None, &LIMITS), None);
        }
        assert_eq!(judgement.look(Line::Stands, None, &LIMITS), Some(Turn::Began(ShortageSign::Line)));
        assert_eq!(judgement.look(Line::Stands, None, &LIMITS), None, "it is told once");
        for _ in 1..CALM_LOOKS {
            assert_eq!(judgement.look(Line::None, None, &LIMITS), None);
        }
        assert!(matches!(judgement.look(Line::None, None, &LIMITS), Some(Turn::Ended(_))));
        assert_eq!(judgement.lasting(|| ShortageOf::Server), None);
    }

    #[test]
    fn a_line_that_comes_and_goes_is_no_shortage() {
        let mut judgement = Judgement::default();
        for _ in 0..50 {
            assert_eq!(judgement.look(Line::Stands, None, &LIMITS), None);
            assert_eq!(judgement.look(Line::Stands, None, &LIMITS), None);
            assert_eq!(judgement.look(Line::None, None, &LIMITS), None);
        }
    }
}
