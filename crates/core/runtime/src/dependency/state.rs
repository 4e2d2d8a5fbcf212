//! What a dependency keeps behind its lock.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use warren_resilience::{
    AdaptiveLimit, Bulkhead, BulkheadSettings, CircuitBreaker, Fate, Freed, InvalidSetting, Outcome, Permit,
    RetryBudget, Sample, Transition,
};

use super::{AtOnce, CallCounts, Dependency, DependencySettings, DependencyStatus, PastFailure, gate::Place};

/// The share of a call in what a call usually takes.
const USUAL_OF_CALLS: u32 = 8;

#[derive(Debug)]
pub(super) struct State {
    pub breaker: CircuitBreaker,
    pub bulkhead: Bulkhead,
    pub budget: RetryBudget,
    pub line: VecDeque<Waiter>,
    /// Grows with each who waits; the line is in its order.
    pub next_in_line: u64,
    pub counts: CallCounts,
    pub usual: Duration,
    pub last_failure: Option<(String, Instant)>,
    pub changes: VecDeque<(Transition, Option<String>)>,
    limit: Option<AdaptiveLimit>,
    slow_after: Duration,
}

/// Somebody in the line.
#[derive(Debug)]
pub(super) struct Waiter {
    pub number: u64,
    pub give: oneshot::Sender<Place>,
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum Ending {
    Succeeded,
    Failed(String),
    /// No answer within this long, which is held against the dependency.
    TimedOut(Duration),
    /// No answer within the little time that its caller had.
    CutShort,
    Cancelled,
}

impl State {
    pub(super) fn new(settings: &DependencySettings, now: Instant) -> Result<Self, InvalidSetting> {
        let limit = match settings.at_once {
            AtOnce::Fixed(_) => None,
            AtOnce::Adaptive(settings) => Some(AdaptiveLimit::new(settings, now)?),
        };
        let in_use_max = match settings.at_once {
            AtOnce::Fixed(count) => count,
            AtOnce::Adaptive(settings) => settings.initial,
        };
        Ok(Self {
            breaker: CircuitBreaker::new(settings.breaker.clone(), now)?,
            bulkhead: Bulkhead::new(BulkheadSettings { in_use_max, waiting_max: settings.waiting_max })?,
            budget: RetryBudget::new(settings.retries.budget, now)?,
            line: VecDeque::new(),
            next_in_line: 0,
            counts: CallCounts::default(),
            usual: Duration::ZERO,
            last_failure: None,
            changes: VecDeque::new(),
            limit,
            slow_after: settings.breaker.slow.map_or(Duration::MAX, |slow| slow.after),
        })
    }

    /// Takes note of how a call ended that took a place at `begun`, and gives the place to the next.
    pub(super) fn end(&mut self, dependency: &Arc<Dependency>, call: Ended, now: Instant) {
        let took = now.saturating_duration_since(call.begun);
        let (outcome, fate) = self.count(call.ending, took, now);
        match outcome {
            Some(outcome) => self.breaker.record(call.permit, outcome, took, now),
            None => self.breaker.give_back(call.permit),
        }
        let sample = fate.map(|fate| Sample { latency: took, in_flight: call.in_flight, fate });
        let changed = self.limit.as_mut().zip(sample).and_then(|(limit, sample)| limit.sample(sample, now));
        if let Some(changed) = changed {
            let woken = self.bulkhead.set_limit(changed.to);
            (0..woken).for_each(|_| self.pass_on(dependency));
        }
        self.leave(dependency);
    }

    /// What it means for the breaker, and for the limit.
    fn count(&mut self, ending: Ending, took: Duration, now: Instant) -> (Option<Outcome>, Option<Fate>) {
        let counts = &mut self.counts;
        if took >= self.slow_after && !matches!(ending, Ending::Cancelled) {
            counts.slow += 1;
        }
        match ending {
            Ending::Succeeded => {
                counts.succeeded += 1;
                let known = if self.usual.is_zero() { took } else { self.usual };
                self.usual = known - known / USUAL_OF_CALLS + took / USUAL_OF_CALLS;
                (Some(Outcome::Succeeded), Some(Fate::Done))
            }
            Ending::Failed(text) => {
                counts.failed += 1;
                self.note_failure(&text, now);
                (Some(Outcome::Failed), None)
            }
            Ending::TimedOut(after) => {
                counts.timed_out += 1;
                self.note_failure(&format!("no answer within {after:.1?}"), now);
                (Some(Outcome::Failed), Some(Fate::Dropped))
            }
            Ending::CutShort => {
                counts.timed_out += 1;
                (None, None)
            }
            Ending::Cancelled => {
                counts.cancelled += 1;
                (None, None)
            }
        }
    }

    fn note_failure(&mut self, text: &str, now: Instant) {
        self.last_failure = Some((text.chars().take(PastFailure::TEXT_CHARACTERS_MAX).collect(), now));
    }

    /// Somebody has left: the place is the next one's.
    pub(super) fn leave(&mut self, dependency: &Arc<Dependency>) {
        if self.bulkhead.left() == Freed::Passed {
            self.pass_on(dependency);
        }
    }

    /// Gives a place that is counted as taken to the first in the line who is still there.
    fn pass_on(&mut self, dependency: &Arc<Dependency>) {
        loop {
            let Some(waiter) = self.line.pop_front() else {
                // All who were counted as waiting have gone meanwhile.
                let _ = self.bulkhead.left();
                return;
            };
            match waiter.give.send(Place::new(dependency.clone())) {
                Ok(()) => return,
                Err(place) => {
                    // That one is about to say so; the lock is held, so the place must not give itself back.
                    place.forget();
                    if self.bulkhead.left() == Freed::Kept {
                        return;
                    }
                }
            }
        }
    }

    /// The changes that were not told yet, which are kept from now on.
    pub(super) fn take_changes(&mut self) -> Vec<Transition> {
        let told: Vec<_> = std::iter::from_fn(|| self.breaker.poll_transition()).collect();
        for transition in &told {
            if self.changes.len() == DependencyStatus::CHANGES_MAX {
                self.changes.pop_front();
            }
            let last_failure = self.last_failure.as_ref().map(|(text, _)| text.clone());
            self.changes.push_back((*transition, last_failure));
        }
        told
    }
}

/// A call that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub permit: Permit,
    pub ending: Ending,
    pub begun: Instant,
    pub in_flight: u32,
}
