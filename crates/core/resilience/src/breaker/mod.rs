//! A circuit breaker (Nygard, "Release It!", 2018, chapter 5; windows and rates as in resilience4j 2): what keeps failing is
//! left alone for a while, and tried carefully before it is trusted again.

mod outcomes;
mod probes;
mod settings;
mod transition;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

pub use self::{
    outcomes::Counts,
    settings::{BreakerSettings, SlowCalls, Window},
    transition::{BreakerState, Cause, Transition},
};
use self::{
    outcomes::Outcomes,
    probes::{ProbeId, Probes, Progress},
};
use crate::InvalidSetting;

/// Transitions that nobody has asked for; older ones are forgotten.
const TRANSITIONS_MAX: usize = 8;

/// Leave to make one call. Report what became of it with [`CircuitBreaker::record`], or give it back.
#[derive(Debug)]
#[must_use = "a permit is reported, or given back"]
pub struct Permit {
    generation: u32,
    probe: Option<ProbeId>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The part did its work; also where it said no for good reasons.
    Succeeded,
    /// The part did not do its work.
    Failed,
}

/// No leave: the call is not to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Open: the next call may be permitted after this long.
    Open { retry_after: Duration },
    /// Half-open, and all permits are out: one of them expires after this long, unless it is reported sooner.
    Probing { retry_after: Duration },
    /// An operator has every call refused.
    Forced,
}

impl Refusal {
    /// After how long another call makes sense, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Open { retry_after } | Self::Probing { retry_after } => Some(*retry_after),
            Self::Forced => None,
        }
    }
}

/// A breaker as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerStatus {
    /// Whether calls pass.
    pub state: BreakerState,
    /// The last change of the state.
    pub since: Instant,
    /// The calls by which it judges.
    pub window: Counts,
    /// How often it has opened without being well between; a forced opening is none.
    pub openings: u32,
    /// Until the next call is permitted, when it is open.
    pub next_probe_in: Option<Duration>,
}

/// Permits calls while they succeed, refuses them for a growing wait when too many failed or took long, and then permits
/// a few by which it decides.
///
/// All memory is taken at construction; a call in the closed state costs a few nanoseconds. It is for one thread at a
/// time: put it behind a mutex, and let go of that during the call. Moments may come out of order or jump; it neither
/// panics nor waits longer than its settings say, counted from the earliest moment it was told since.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    state: BreakerState,
    /// Grows with each change of the state: results of calls that began before it say nothing about what came since.
    generation: u32,
    slow_after: Duration,
    outcomes: Outcomes,
    probes: Probes,
    since: Instant,
    wait: Duration,
    openings: u32,
    transitions: VecDeque<Transition>,
    settings: BreakerSettings,
}

impl CircuitBreaker {
    /// A closed breaker that knows of no call.
    ///
    /// # Errors
    /// When a setting lies outside its limits.
    pub fn new(settings: BreakerSettings, now: Instant) -> Result<Self, InvalidSetting> {
        settings.check()?;
        Ok(Self {
            state: BreakerState::Closed,
            generation: 0,
            slow_after: settings.slow.map_or(Duration::MAX, |slow| slow.after),
            outcomes: Outcomes::new(settings.window, now),
            probes: Probes::new(settings.probes, settings.probe_expires_after),
            since: now,
            wait: Duration::ZERO,
            openings: 0,
            transitions: VecDeque::with_capacity(TRANSITIONS_MAX),
            settings,
        })
    }

    /// Leave for one call.
    ///
    /// # Errors
    /// When the call is not to be made, with the wait until another one makes sense.
    #[inline]
    pub fn permit(&mut self, now: Instant) -> Result<Permit, Refusal> {
        match self.state {
            BreakerState::Closed | BreakerState::ForcedClosed => {
                Ok(Permit { generation: self.generation, probe: None })
            }
            BreakerState::ForcedOpen => Err(Refusal::Forced),
            BreakerState::Open | BreakerState::HalfOpen => self.permit_probe(now),
        }
    }

    /// Takes note of what became of a call, and how long it took. The result of a call that began in an earlier state, or
    /// of a probe that has expired, is not counted.
    #[inline]
    pub fn record(&mut self, permit: Permit, outcome: Outcome, took: Duration, now: Instant) {
        if permit.generation != self.generation {
            return;
        }
        if let Some(probe) = permit.probe {
            return self.record_probe(probe, outcome, took, now);
        }
        let (failed, slow) = (u64::from(outcome == Outcome::Failed), u64::from(took >= self.slow_after));
        let counts = self.outcomes.add(Counts { calls: 1, failed, slow }, now);
        if counts.failed + counts.slow > 0 {
            self.judge(counts, now);
        }
    }

    /// Takes back the permit of a call that was not made, or that nobody waited for: it counts as nothing.
    pub fn give_back(&mut self, permit: Permit) {
        if let Permit { generation, probe: Some(probe) } = permit
            && generation == self.generation
        {
            self.probes.give_back(probe);
        }
    }

    /// The oldest change of the state that has not been asked for yet. At most eight are kept.
    pub fn poll_transition(&mut self) -> Option<Transition> {
        self.transitions.pop_front()
    }

    /// Refuses every call until [`CircuitBreaker::release`].
    pub fn force_open(&mut self, now: Instant) {
        self.force(BreakerState::ForcedOpen, now);
    }

    /// Permits every call until [`CircuitBreaker::release`].
    pub fn force_closed(&mut self, now: Instant) {
        self.force(BreakerState::ForcedClosed, now);
    }

    /// Leaves a forced breaker to itself: from open it goes on half-open, from closed it goes on closed with an empty
    /// window. Does nothing where nothing is forced.
    pub fn release(&mut self, now: Instant) {
        match self.state {
            BreakerState::ForcedOpen => self.probe(Cause::Released, now),
            BreakerState::ForcedClosed => self.close(Cause::Released, now),
            BreakerState::Closed | BreakerState::Open | BreakerState::HalfOpen => {}
        }
    }

    /// Whether calls pass.
    #[inline]
    pub const fn state(&self) -> BreakerState {
        self.state
    }

    /// The breaker as it is now.
    pub fn status(&mut self, now: Instant) -> BreakerStatus {
        let next_probe_in = (self.state == BreakerState::Open).then(|| self.wait_left(now));
        let window = self.outcomes.counts(now);
        BreakerStatus { state: self.state, since: self.since, window, openings: self.openings, next_probe_in }
    }

    #[cold]
    fn permit_probe(&mut self, now: Instant) -> Result<Permit, Refusal> {
        if self.state == BreakerState::Open {
            let retry_after = self.wait_left(now);
            if !retry_after.is_zero() {
                return Err(Refusal::Open { retry_after });
            }
            self.probe(Cause::WaitOver, now);
        }
        let probe = self.probes.take(now).map_err(|retry_after| Refusal::Probing { retry_after })?;
        Ok(Permit { generation: self.generation, probe: Some(probe) })
    }

    #[cold]
    fn record_probe(&mut self, probe: ProbeId, outcome: Outcome, took: Duration, now: Instant) {
        if self.probes.give_back(probe).is_none() {
            return;
        }
        match outcome {
            Outcome::Failed => self.open(Cause::ProbeFailed, now),
            Outcome::Succeeded if took >= self.slow_after => self.open(Cause::ProbeSlow, now),
            Outcome::Succeeded => {
                if self.probes.succeeded() == Progress::AllSucceeded {
                    self.close(Cause::ProbesSucceeded, now);
                }
            }
        }
    }

    fn judge(&mut self, counts: Counts, now: Instant) {
        if counts.calls < u64::from(self.settings.calls_min) || self.state != BreakerState::Closed {
            return;
        }
        let reaches = |part: u64, percent: u8| part * 100 >= u64::from(percent) * counts.calls;
        if reaches(counts.failed, self.settings.failure_percent) {
            self.open(Cause::Failures(counts), now);
        } else if self.settings.slow.is_some_and(|slow| reaches(counts.slow, slow.percent)) {
            self.open(Cause::SlowCalls(counts), now);
        }
    }

    #[cold]
    fn open(&mut self, cause: Cause, now: Instant) {
        // Who was well for as long as the last wait starts with a short one.
        if self.state == BreakerState::Closed && now.saturating_duration_since(self.since) >= self.wait {
            self.openings = 0;
        }
        let doubled = self.settings.open_first.saturating_mul(1 << self.openings.min(20));
        self.wait = doubled.min(self.settings.open_max);
        self.openings = self.openings.saturating_add(1);
        self.go(BreakerState::Open, cause, now);
    }

    fn probe(&mut self, cause: Cause, now: Instant) {
        self.probes.begin();
        self.go(BreakerState::HalfOpen, cause, now);
    }

    fn close(&mut self, cause: Cause, now: Instant) {
        self.outcomes.clear(now);
        self.go(BreakerState::Closed, cause, now);
    }

    fn force(&mut self, state: BreakerState, now: Instant) {
        if self.state != state {
            self.outcomes.clear(now);
            self.go(state, Cause::Forced, now);
        }
    }

    fn go(&mut self, to: BreakerState, cause: Cause, now: Instant) {
        if self.transitions.len() == TRANSITIONS_MAX {
            self.transitions.pop_front();
        }
        self.transitions.push_back(Transition { from: self.state, to, at: now, cause });
        self.generation = self.generation.wrapping_add(1);
        (self.state, self.since) = (to, now);
    }

    fn wait_left(&mut self, now: Instant) -> Duration {
        // The clock went back: the wait begins anew, and does not last until the clock has caught up.
        self.since = self.since.min(now);
        self.wait.saturating_sub(now.saturating_duration_since(self.since))
    }
}
