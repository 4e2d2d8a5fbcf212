//! What Warren depends on and cannot trust to be there: databases, Redis, mail servers, others' webhooks.
//!
//! A [`Dependency`] composes the policies of `warren_resilience`: a breaker, a bulkhead with a bounded line, a time limit,
//! and a budget for other attempts. [`Dependencies`] knows all of them.
//!
//! Invariants
//! - Every call that was let in ends exactly once, also when it is dropped; its place and its permit go to others.
//! - Nobody in the line is overtaken, and nobody waits longer than the settings and their own deadline say.
//! - A change of a breaker is logged here and nowhere else.

mod call;
mod deadline;
mod failure;
mod gate;
mod name;
mod registry;
mod settings;
mod state;
mod status;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tracing::{debug, info, warn};
use warren_model::Random;
use warren_resilience::{BreakerState, InvalidSetting, Transition};

use self::state::State;
pub use self::{
    call::{Attempt, Call},
    deadline::Deadline,
    failure::{Blame, Blamed, ByItself, Failure, Judge, Refused},
    gate::Entered,
    name::DependencyName,
    registry::{Dependencies, DependencyError, Force},
    settings::{AtOnce, DependencySettings, RetrySettings},
    status::{CallCounts, DependencyStatus, PastChange, PastFailure},
};

/// One thing that Warren depends on. Made by [`Dependencies::add`].
#[derive(Debug)]
pub struct Dependency {
    name: DependencyName,
    settings: DependencySettings,
    random: Arc<dyn Random>,
    state: Mutex<State>,
}

impl Dependency {
    fn new(
        name: DependencyName,
        settings: DependencySettings,
        random: Arc<dyn Random>,
    ) -> Result<Arc<Self>, InvalidSetting> {
        settings.check()?;
        let state = Mutex::new(State::new(&settings, tokio::time::Instant::now().into_std())?);
        Ok(Arc::new(Self { name, settings, random, state }))
    }

    /// Its name.
    pub const fn name(&self) -> &DependencyName {
        &self.name
    }

    /// How long one attempt may take.
    pub const fn time_limit(&self) -> Duration {
        self.settings.time_limit
    }

    /// As it is now.
    pub fn status(&self) -> DependencyStatus {
        let now = self.now();
        let ago = |at: Instant| now.saturating_duration_since(at);
        let mut state = self.state.lock();
        let breaker = state.breaker.status(now);
        let changes = state.changes.iter().map(|(transition, last_failure)| PastChange {
            transition: *transition,
            last_failure: last_failure.clone(),
            ago: ago(transition.at),
        });
        DependencyStatus {
            name: self.name.clone(),
            state: breaker.state,
            state_for: ago(breaker.since),
            next_probe_in: breaker.next_probe_in,
            openings: breaker.openings,
            window: breaker.window,
            calls: state.counts,
            usual: state.usual,
            in_flight: state.bulkhead.in_use(),
            in_flight_max: state.bulkhead.limit(),
            waiting: state.bulkhead.waiting(),
            last_failure: state
                .last_failure
                .as_ref()
                .map(|(text, at)| PastFailure { text: text.clone(), ago: ago(*at) }),
            changes: changes.collect(),
        }
    }

    /// Does an operator's will.
    pub fn force(&self, force: Force) {
        let now = self.now();
        self.locked(|state| match force {
            Force::Open => state.breaker.force_open(now),
            Force::Closed => state.breaker.force_closed(now),
            Force::Release => state.breaker.release(now),
        });
    }

    /// The clock that tests can stop.
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    /// Works on the state, and tells of changes when the lock is free again.
    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let result = work(&mut state);
        let told = state.take_changes();
        if !told.is_empty() {
            let last_failure = state.last_failure.as_ref().map(|(text, _)| text.clone()).unwrap_or_default();
            drop(state);
            told.iter().for_each(|transition| self.tell(transition, &last_failure));
        }
        result
    }

    #[cold]
    fn tell(&self, Transition { from, to, cause, .. }: &Transition, last_failure: &str) {
        let dependency = self.name.as_str();
        match (from, to) {
            // Said once: each look at what is still broken would be a line otherwise.
            (BreakerState::HalfOpen, BreakerState::Open) | (_, BreakerState::HalfOpen) => {
                debug!(dependency, %cause, last_failure, state = %to, "a dependency is looked at");
            }
            (_, BreakerState::Open | BreakerState::ForcedOpen) => {
                warn!(dependency, %cause, last_failure, state = %to, "a dependency is left alone: calls are refused");
            }
            (_, BreakerState::Closed | BreakerState::ForcedClosed) => {
                info!(dependency, %cause, state = %to, "a dependency is called again");
            }
        }
    }
}
