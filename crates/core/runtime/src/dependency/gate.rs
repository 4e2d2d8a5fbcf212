//! The way in: a permit of the breaker and a place of the bulkhead, waited for in turn.

use std::{mem, sync::Arc, time::Instant};

use tokio::sync::oneshot;
use warren_resilience::{Permit, Refusal};

use super::{
    Deadline, Dependency, Refused,
    state::{Ended, Ending, State, Waiter},
};

/// A place of the bulkhead, on its way to who waited for it. Dropped on the way, it goes to the next.
#[derive(Debug)]
pub(super) struct Place(Option<Arc<Dependency>>);

impl Place {
    pub(super) const fn new(dependency: Arc<Dependency>) -> Self {
        Self(Some(dependency))
    }

    /// Lets go of the place without giving it back.
    pub(super) fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(dependency) = self.0.take() {
            dependency.state.lock().leave(&dependency);
        }
    }
}

/// A call under way. Say what became of it; dropped, it counts as nothing and its place and permit go to others.
#[derive(Debug)]
#[must_use = "say what became of the call"]
pub struct Entered {
    dependency: Arc<Dependency>,
    permit: Option<Permit>,
    begun: Instant,
    in_flight: u32,
}

impl Entered {
    /// The dependency did its work; also where it said no for good reasons.
    pub fn succeeded(self) {
        self.end(Ending::Succeeded);
    }

    /// The dependency did not do its work. The first 300 characters of `text` are shown to operators: no secrets.
    pub fn failed(self, text: impl std::fmt::Display) {
        self.end(Ending::Failed(text.to_string()));
    }

    /// There was no answer in time.
    pub fn timed_out(self) {
        let after = self.dependency.now().saturating_duration_since(self.begun);
        self.end(Ending::TimedOut(after));
    }

    pub(super) fn end(mut self, ending: Ending) {
        self.end_once(ending);
    }

    fn end_once(&mut self, ending: Ending) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.dependency.now();
        let call = Ended { permit, ending, begun: self.begun, in_flight: self.in_flight };
        self.dependency.locked(|state| state.end(&self.dependency, call, now));
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.end_once(Ending::Cancelled);
    }
}

/// Whether a call is the first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    Again,
}

enum Asked {
    Entered(Entered),
    Waits(InLine),
}

impl Dependency {
    /// Leave for one call, waited for while too many are under way. For callers that cannot be put into a closure; the time
    /// limit is theirs to keep.
    ///
    /// # Errors
    /// When the call is not to be made.
    pub async fn enter(self: &Arc<Self>) -> Result<Entered, Refused> {
        self.enter_in_turn(None, Turn::First).await
    }

    /// The same, waiting no longer than until `deadline`.
    ///
    /// # Errors
    /// When the call is not to be made.
    pub async fn enter_before(self: &Arc<Self>, deadline: Deadline) -> Result<Entered, Refused> {
        self.enter_in_turn(Some(deadline), Turn::First).await
    }

    pub(super) async fn enter_in_turn(
        self: &Arc<Self>,
        deadline: Option<Deadline>,
        turn: Turn,
    ) -> Result<Entered, Refused> {
        if deadline.is_some_and(Deadline::is_over) {
            return Err(self.out_of_time());
        }
        let in_line = match self.ask(turn)? {
            Asked::Entered(entered) => return Ok(entered),
            Asked::Waits(in_line) => in_line,
        };
        let until = deadline.map_or_else(
            || Deadline::within(self.settings.wait_max),
            |deadline| deadline.or_within(self.settings.wait_max),
        );
        match tokio::time::timeout_at(until.instant(), in_line.place()).await {
            Ok(Some(place)) => self.enter_at(place),
            Ok(None) | Err(_) if deadline.is_some_and(Deadline::is_over) => Err(self.out_of_time()),
            Ok(None) | Err(_) => Err(self.locked(|state| self.full(state))),
        }
    }

    fn ask(self: &Arc<Self>, turn: Turn) -> Result<Asked, Refused> {
        let now = self.now();
        self.locked(|state| {
            if turn == Turn::First {
                state.budget.deposit(now);
            }
            let permit = self.permit(state, now)?;
            match state.bulkhead.enter() {
                warren_resilience::Place::Taken => Ok(Asked::Entered(self.entered(state, permit, now))),
                warren_resilience::Place::Waits => {
                    // Whoever waits has no permit meanwhile: others could be the ones by whom is decided.
                    state.breaker.give_back(permit);
                    let (give, place) = oneshot::channel();
                    let number = state.next_in_line;
                    state.next_in_line += 1;
                    state.line.push_back(Waiter { number, give });
                    Ok(Asked::Waits(InLine { dependency: self.clone(), number, place }))
                }
                warren_resilience::Place::Full => {
                    state.breaker.give_back(permit);
                    Err(self.full(state))
                }
            }
        })
    }

    fn enter_at(self: &Arc<Self>, place: Place) -> Result<Entered, Refused> {
        let now = self.now();
        let entered = self.locked(|state| {
            let permit = self.permit(state, now)?;
            Ok(self.entered(state, permit, now))
        });
        match &entered {
            Ok(_) => place.forget(),
            Err(_) => drop(place),
        }
        entered
    }

    fn permit(&self, state: &mut State, now: Instant) -> Result<Permit, Refused> {
        state.breaker.permit(now).map_err(|refusal: Refusal| {
            state.counts.refused_open += 1;
            Refused::Open { dependency: self.name.clone(), retry_after: refusal.retry_after() }
        })
    }

    fn entered(self: &Arc<Self>, state: &mut State, permit: Permit, now: Instant) -> Entered {
        state.counts.made += 1;
        let in_flight = state.bulkhead.in_use();
        Entered { dependency: self.clone(), permit: Some(permit), begun: now, in_flight }
    }

    fn full(&self, state: &mut State) -> Refused {
        state.counts.refused_full += 1;
        Refused::Full { dependency: self.name.clone() }
    }

    fn out_of_time(&self) -> Refused {
        self.state.lock().counts.refused_late += 1;
        Refused::OutOfTime { dependency: self.name.clone() }
    }
}

/// A place in the line, which is left when this is dropped.
struct InLine {
    dependency: Arc<Dependency>,
    number: u64,
    place: oneshot::Receiver<Place>,
}

impl InLine {
    /// The place, when it is this one's turn.
    async fn place(mut self) -> Option<Place> {
        (&mut self.place).await.ok()
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        let mut state = self.dependency.state.lock();
        if let Ok(index) = state.line.binary_search_by_key(&self.number, |waiter| waiter.number) {
            let gone = state.line.remove(index);
            state.bulkhead.gave_up();
            drop(state);
            mem::drop(gone);
        }
        // Otherwise a place was sent: it goes back with the receiver, after the lock.
    }
}
