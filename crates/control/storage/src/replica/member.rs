//! One replica: how it is, how far it has come, and what it was used for.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Place, engine::DatabaseUrl, pool::Budget};

/// A server that follows the primary.
#[derive(Debug)]
pub(super) struct Member {
    pub url: DatabaseUrl,
    pub place: Place,
    /// The connections that it may have in all.
    pub budget: Arc<Budget>,
    standing: Mutex<Standing>,
    served: AtomicU64,
    fallbacks: [AtomicU64; Fallback::ALL.len()],
}

#[derive(Debug, Clone)]
struct Standing {
    condition: Condition,
    /// Everything that was committed before this is on it.
    caught_up_to: Option<Instant>,
    /// Grows when it may have lost what it had, as one does that is started again.
    life: u64,
    /// What was logged last.
    told: Option<ReplicaState>,
}

/// What is known of a replica, how far behind it is apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nobody has looked yet.
    Unknown,
    Follows,
    Unreachable(Arc<str>),
    /// A read failed on it; the next look decides.
    Failed(Fallback),
    TakesWrites,
    OfAnother,
    Untellable(Arc<str>),
}

/// How a replica is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaState {
    /// Nobody has looked at it yet.
    Starting,
    /// It is read from.
    Healthy,
    /// It is further behind than the bound allows, or nobody can tell because the primary does not answer.
    Lagging,
    /// It does not answer.
    Unreachable(Arc<str>),
    /// A read failed on it, and nobody has looked at it since.
    Failed(Fallback),
    /// It takes writes, so it follows nobody any more: it was promoted, or it is not set to be read only.
    TakesWrites,
    /// It is not a copy of this primary.
    OfAnother,
    /// How far it has come cannot be told, for this reason.
    Untellable(Arc<str>),
}

/// Why a read that was sent to a replica was sent to the primary after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fallback {
    /// No connection came in time.
    NoConnection,
    /// The connection broke.
    Disconnected,
    /// What was read was in the way of what was to be replayed, or the server ended the statement for another reason.
    Cancelled,
    /// No answer came in time.
    TimedOut,
    /// It refused the statement, as it does when the database or a table has not come to it yet.
    Refused,
}

impl Fallback {
    pub const ALL: [Self; 5] = [Self::NoConnection, Self::Disconnected, Self::Cancelled, Self::TimedOut, Self::Refused];

    /// Its name in metrics and log lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoConnection => "no_connection",
            Self::Disconnected => "disconnected",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Refused => "refused",
        }
    }
}

impl ReplicaState {
    /// Its name in metrics and log lines.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Lagging => "lagging",
            Self::Unreachable(_) => "unreachable",
            Self::Failed(_) => "failed",
            Self::TakesWrites => "takes_writes",
            Self::OfAnother => "of_another",
            Self::Untellable(_) => "untellable",
        }
    }
}

impl fmt::Display for ReplicaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("nobody has looked at it yet"),
            Self::Healthy => f.write_str("it is read from"),
            Self::Lagging => f.write_str("it is too far behind the primary, or the primary does not answer"),
            Self::Unreachable(cause) => write!(f, "it does not answer: {cause}"),
            Self::Failed(reason) => write!(f, "a read failed on it ({})", reason.as_str()),
            Self::TakesWrites => f.write_str(
                "it takes writes, so it is no replica: have it follow the primary and set it to be read only, or leave it out",
            ),
            Self::OfAnother => f.write_str("it is not a copy of this primary: correct its URL, or leave it out"),
            Self::Untellable(cause) => write!(f, "how far it has come cannot be told: {cause}"),
        }
    }
}

/// What reads may rely on: everything committed before `caught_up_to` is there, as long as the life is the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    pub caught_up_to: Instant,
    pub life: u64,
}

impl Member {
    pub fn new(url: DatabaseUrl, connections_max: u32) -> Self {
        Self {
            place: url.place(),
            url,
            budget: Budget::new(connections_max, None),
            standing: Mutex::new(Standing { condition: Condition::Unknown, caught_up_to: None, life: 0, told: None }),
            served: AtomicU64::new(0),
            fallbacks: Default::default(),
        }
    }

    /// Whether it may be read from now, and how fresh it is.
    pub fn fresh(&self, lag_max: Duration, now: Instant) -> Option<Fresh> {
        let standing = self.standing();
        let caught_up_to = standing.caught_up_to?;
        let is_fresh =
            standing.condition == Condition::Follows && now.saturating_duration_since(caught_up_to) <= lag_max;
        is_fresh.then_some(Fresh { caught_up_to, life: standing.life })
    }

    /// Notes that it was looked at and has everything up to `caught_up_to`. One that was started again, or has less than it
    /// had, begins a new life.
    pub fn follows(&self, caught_up_to: Reached, lag_max: Duration) {
        let mut standing = self.standing();
        let was = standing.caught_up_to;
        standing.caught_up_to = match caught_up_to {
            Reached::Until(at) => Some(at),
            Reached::LessThanAnyOf(oldest) => was.filter(|was| *was < oldest),
        };
        if standing.condition != Condition::Follows || standing.caught_up_to < was {
            standing.life += 1;
        }
        standing.condition = Condition::Follows;
        self.tell(&mut standing, lag_max);
    }

    /// Notes that it cannot be read from.
    pub fn is_no_use(&self, condition: Condition, lag_max: Duration) {
        let mut standing = self.standing();
        if matches!(condition, Condition::TakesWrites | Condition::OfAnother) {
            standing.caught_up_to = None;
        }
        standing.condition = condition;
        self.tell(&mut standing, lag_max);
    }

    /// Notes that a read failed on it for a reason that the next one would meet too.
    pub fn failed(&self, reason: Fallback, lag_max: Duration) {
        let mut standing = self.standing();
        if standing.condition == Condition::Follows {
            standing.condition = Condition::Failed(reason);
            self.tell(&mut standing, lag_max);
        }
    }

    pub fn served_one(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    pub fn fell_back(&self, reason: Fallback) {
        self.fallbacks[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Logs a change of state, once.
    fn tell(&self, standing: &mut Standing, lag_max: Duration) {
        let state = standing.state(lag_max);
        let same = |told: &ReplicaState| std::mem::discriminant(told) == std::mem::discriminant(&state);
        if standing.told.as_ref().is_some_and(same) {
            return;
        }
        if state == ReplicaState::Healthy {
            tracing::info!(replica = %self.place, "a replica is read from");
        } else {
            tracing::warn!(replica = %self.place, state = %state, "a replica is not read from; reads go elsewhere");
        }
        standing.told = Some(state);
    }

    pub fn status(&self, lag_max: Duration) -> ReplicaStatus {
        let standing = self.standing().clone();
        ReplicaStatus {
            place: self.place.clone(),
            state: standing.state(lag_max),
            staleness: standing.caught_up_to.map(|at| at.elapsed()),
            connections: self.budget.now(),
            served: self.served.load(Ordering::Relaxed),
            fallbacks: Fallback::ALL.map(|reason| (reason, self.fallbacks[reason as usize].load(Ordering::Relaxed))),
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn state(&self, lag_max: Duration) -> ReplicaState {
        match &self.condition {
            Condition::Unknown => ReplicaState::Starting,
            Condition::Follows if self.caught_up_to.is_some_and(|at| at.elapsed() <= lag_max) => ReplicaState::Healthy,
            Condition::Follows => ReplicaState::Lagging,
            Condition::Unreachable(cause) => ReplicaState::Unreachable(Arc::clone(cause)),
            Condition::Failed(reason) => ReplicaState::Failed(*reason),
            Condition::TakesWrites => ReplicaState::TakesWrites,
            Condition::OfAnother => ReplicaState::OfAnother,
            Condition::Untellable(cause) => ReplicaState::Untellable(Arc::clone(cause)),
        }
    }
}

/// How far a replica has come, by the moments at which the primary was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// Everything that was committed before this.
    Until(Instant),
    /// Less than at the first of the moments that are remembered.
    LessThanAnyOf(Instant),
}

/// How a replica is, and what it was used for since the start.
#[derive(Debug, Clone)]
pub struct ReplicaStatus {
    /// Its system database.
    pub place: Place,
    pub state: ReplicaState,
    /// How old what is read from it is at most; none while nobody knows.
    pub staleness: Option<Duration>,
    /// Connections to it, and the most that there may be.
    pub connections: (u32, u32),
    /// Reads that it answered.
    pub served: u64,
    /// Reads that were sent to it and then to the primary.
    pub fallbacks: [(Fallback, u64); Fallback::ALL.len()],
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG_MAX: Duration = Duration::from_secs(2);

    fn member() -> Member {
        Member::new("postgresql://db2/warren".parse().unwrap(), 8)
    }

    #[test]
    fn a_replica_is_read_from_within_the_bound_and_not_past_it() {
        let member = member();
        let now = Instant::now();
        assert!(member.fresh(LAG_MAX, now).is_none(), "before anybody has looked");
        member.follows(Reached::Until(now), LAG_MAX);
        assert_eq!(member.fresh(LAG_MAX, now + LAG_MAX).unwrap().caught_up_to, now);
        assert!(member.fresh(LAG_MAX, now + LAG_MAX + Duration::from_millis(1)).is_none());
    }

    #[test]
    fn a_replica_that_failed_is_not_read_from_until_somebody_has_looked() {
        let member = member();
        let now = Instant::now();
        member.follows(Reached::Until(now), LAG_MAX);
        let before = member.fresh(LAG_MAX, now).unwrap();
        member.failed(Fallback::Disconnected, LAG_MAX);
        assert!(member.fresh(LAG_MAX, now).is_none());
        assert_eq!(member.status(LAG_MAX).state, ReplicaState::Failed(Fallback::Disconnected));
        member.follows(Reached::Until(now), LAG_MAX);
        let after = member.fresh(LAG_MAX, now).unwrap();
        assert_ne!(before.life, after.life, "it may have been started again and be behind where it was");
    }

    #[test]
    fn a_replica_that_has_less_than_it_had_is_believed_what_it_says_now() {
        let member = member();
        let first = Instant::now();
        let second = first + Duration::from_millis(500);
        member.follows(Reached::Until(second), LAG_MAX);
        let before = member.fresh(LAG_MAX, second).unwrap();
        member.follows(Reached::Until(first), LAG_MAX);
        let after = member.fresh(LAG_MAX, second).unwrap();
        assert_eq!(after.caught_up_to, first);
        assert_ne!(before.life, after.life);
        member.follows(Reached::LessThanAnyOf(first), LAG_MAX);
        assert!(member.fresh(LAG_MAX, second).is_none());
    }

    #[test]
    fn one_that_takes_writes_is_never_read_from_whatever_it_had() {
        let member = member();
        let now = Instant::now();
        member.follows(Reached::Until(now), LAG_MAX);
        member.is_no_use(Condition::TakesWrites, LAG_MAX);
        assert!(member.fresh(LAG_MAX, now).is_none());
        assert_eq!(member.status(LAG_MAX).staleness, None);
    }
}
