//! A call with everything that belongs to it: a place, a permit, a time limit, other attempts, another answer.

use std::{fmt::Display, future::Future, sync::Arc, time::Duration};

use warren_model::ambient::random_bytes;
use warren_resilience::Backoff;

use super::{
    Blame, Deadline, Dependency, Failure, Judge,
    failure::ByItself,
    gate::{Entered, Turn},
    state::Ending,
};

/// One attempt of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u8,
    /// When it is given up: pass this on to what is asked for it.
    pub deadline: Deadline,
}

/// A call that is about to be made.
#[derive(Debug)]
#[must_use = "nothing is called before `run`"]
pub struct Call<'a, J = ByItself> {
    dependency: &'a Arc<Dependency>,
    repeat: Repeat,
    deadline: Option<Deadline>,
    judge: J,
}

/// Whether a call may be made twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Once,
    Idempotent,
}

impl Dependency {
    /// A call that is made once: making it twice could do something twice.
    pub const fn once(self: &Arc<Self>) -> Call<'_> {
        Call { dependency: self, repeat: Repeat::Once, deadline: None, judge: ByItself }
    }

    /// A call that may be made twice. It is attempted again when it fails, within the budget for that.
    pub const fn idempotent(self: &Arc<Self>) -> Call<'_> {
        Call { dependency: self, repeat: Repeat::Idempotent, deadline: None, judge: ByItself }
    }

    /// Makes a call once; see [`Call::run`].
    ///
    /// # Errors
    /// See [`Call::run`].
    pub async fn call<T, E, F>(self: &Arc<Self>, work: impl FnMut(Attempt) -> F) -> Result<T, Failure<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: super::Blamed + Display,
    {
        self.once().run(work).await
    }
}

impl<'a, J> Call<'a, J> {
    /// Answers after this are of no use: no attempt takes longer, and none begins that could not end by then.
    pub const fn until(mut self, deadline: Deadline) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// `judge` says whose fault an error is.
    pub fn judged_by<E, K: Fn(&E) -> Blame>(self, judge: K) -> Call<'a, K> {
        let Self { dependency, repeat, deadline, .. } = self;
        Call { dependency, repeat, deadline, judge }
    }

    /// Makes the call.
    ///
    /// # Errors
    /// When it was refused, timed out or failed; of several attempts the last one counts that was made.
    pub async fn run<T, E, F>(self, work: impl FnMut(Attempt) -> F) -> Result<T, Failure<E>>
    where
        F: Future<Output = Result<T, E>>,
        E: Display,
        J: Judge<E>,
    {
        self.attempts(work).await.map_err(|(failure, _)| failure)
    }

    /// Makes the call; where the dependency does not do its work, `fallback` gives another answer.
    ///
    /// # Errors
    /// When the dependency did its work, and the answer was no.
    pub async fn run_or<T, E, F>(
        self,
        work: impl FnMut(Attempt) -> F,
        fallback: impl FnOnce(&Failure<E>) -> T,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: Display,
        J: Judge<E>,
    {
        let dependency = self.dependency;
        match self.attempts(work).await {
            Ok(value) => Ok(value),
            Err((Failure::Failed(error), Blame::Caller)) => Err(error),
            Err((failure, _)) => {
                dependency.state.lock().counts.fallbacks += 1;
                Ok(fallback(&failure))
            }
        }
    }

    async fn attempts<T, E, F>(self, mut work: impl FnMut(Attempt) -> F) -> Result<T, (Failure<E>, Blame)>
    where
        F: Future<Output = Result<T, E>>,
        E: Display,
        J: Judge<E>,
    {
        let (dependency, retries) = (self.dependency, &self.dependency.settings.retries);
        let mut backoff = Backoff::new(retries.wait_first, retries.wait_max);
        let (mut number, mut turn) = (1, Turn::First);
        let mut last = None;
        loop {
            let entered = match dependency.enter_in_turn(self.deadline, turn).await {
                Ok(entered) => entered,
                // What an attempt said tells more than why there was no other.
                Err(refused) => return Err(last.unwrap_or((refused.into(), Blame::Lasting))),
            };
            let limit = dependency.settings.time_limit;
            let deadline = self.deadline.map_or_else(|| Deadline::within(limit), |own| own.or_within(limit));
            let result = self.attempt(entered, deadline, work(Attempt { number, deadline })).await;
            let failed = match result {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            if self.repeat == Repeat::Once || failed.1 != Blame::Transient || number >= retries.attempts_max {
                return Err(failed);
            }
            let random = u64::from_ne_bytes(random_bytes(&*dependency.random));
            let wait = backoff.after_failure(random);
            if !dependency.may_retry(self.deadline, wait) {
                return Err(failed);
            }
            last = Some(failed);
            tokio::time::sleep(wait).await;
            (number, turn) = (number + 1, Turn::Again);
        }
    }

    async fn attempt<T, E, F>(&self, entered: Entered, deadline: Deadline, work: F) -> Result<T, (Failure<E>, Blame)>
    where
        F: Future<Output = Result<T, E>>,
        E: Display,
        J: Judge<E>,
    {
        let given = deadline.remaining();
        match tokio::time::timeout_at(deadline.instant(), work).await {
            Ok(Ok(value)) => {
                entered.succeeded();
                Ok(value)
            }
            Ok(Err(error)) => {
                let blame = self.judge.blame(&error);
                match blame {
                    Blame::Transient | Blame::Lasting => entered.failed(&error),
                    Blame::Caller => entered.succeeded(),
                }
                Err((Failure::Failed(error), blame))
            }
            Err(_) => {
                // A caller with little time is not held against the dependency; one with half of the limit is.
                let enough = given >= self.dependency.settings.time_limit / 2;
                entered.end(if enough { Ending::TimedOut(given) } else { Ending::CutShort });
                let dependency = self.dependency.name.clone();
                Err((Failure::TimedOut { dependency, after: given }, Blame::Transient))
            }
        }
    }
}

impl Dependency {
    /// Whether another attempt could end in time, and is within the budget.
    fn may_retry(&self, deadline: Option<Deadline>, wait: Duration) -> bool {
        let now = self.now();
        let mut state = self.state.lock();
        if deadline.is_some_and(|deadline| deadline.remaining() < wait + state.usual) {
            return false;
        }
        let granted = state.budget.withdraw(now).is_ok();
        if granted {
            state.counts.retried += 1;
        } else {
            state.counts.retries_refused += 1;
        }
        granted
    }
}
