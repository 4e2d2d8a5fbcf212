//! What each author has been shown and has written, so that nothing they read later is older.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::WorkContext;

/// Authors that are remembered at once. When there are more within the lag bound, everybody reads from the primary for as
/// long as it takes the replicas to catch up with that moment.
const AUTHORS_MAX: usize = 16_384;
/// Those who are too old to matter are looked for at most this often.
const SWEEP_EVERY: Duration = Duration::from_millis(100);

/// What authors have to see. An author is a session or an account, and the request itself where there is none.
#[derive(Debug)]
pub(super) struct Authors {
    /// What is older than this is on every replica that may be read from.
    kept: Duration,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    by_author: HashMap<Uuid, Seen>,
    /// What those have to see who could not be remembered.
    everybody: Option<Instant>,
    swept: Instant,
}

/// What an author has to see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Everything that was committed before this: they wrote it, or read it from the primary.
    pub until: Option<Instant>,
    /// The replica read from last. It never goes back by itself; another one may be behind it.
    pub last: Option<LastRead>,
}

/// When a replica was read from, and in which life of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastRead {
    pub replica: usize,
    pub life: u64,
    pub at: Instant,
}

impl Seen {
    /// What a replica must have, the one that was read from last excepted.
    fn of_another(&self) -> Option<Instant> {
        self.until.max(self.last.map(|last| last.at))
    }

    /// Whether the `replica` in this `life` has what has to be seen, when it has everything up to `caught_up_to`.
    pub fn allows(&self, replica: usize, life: u64, caught_up_to: Instant) -> bool {
        let needed = match self.last {
            Some(last) if last.replica == replica && last.life == life => self.until,
            _ => self.of_another(),
        };
        needed.is_none_or(|needed| caught_up_to >= needed)
    }

    /// The latest moment that matters here.
    fn latest(&self) -> Option<Instant> {
        self.of_another()
    }
}

impl Authors {
    /// Remembers for `kept`, which is the bound on the lag of replicas that are read from.
    pub fn new(kept: Duration) -> Self {
        Self::of_at_most(AUTHORS_MAX, kept)
    }

    fn of_at_most(most: usize, kept: Duration) -> Self {
        let state = State { by_author: HashMap::new(), everybody: None, swept: Instant::now() };
        Self { kept, most, state: Mutex::new(state) }
    }

    /// What the author of `work` has to see.
    pub fn seen(&self, work: &WorkContext) -> Seen {
        let state = self.state();
        let own = key(work).and_then(|key| state.by_author.get(&key).copied()).unwrap_or_default();
        Seen { until: own.until.max(state.everybody), ..own }
    }

    /// Notes that the author of `work` wrote until `at`, or read from the primary.
    pub fn saw_the_primary(&self, work: &WorkContext, at: Instant) {
        self.note(work, at, |seen| seen.until = seen.until.max(Some(at)));
    }

    /// Notes that the author of `work` read from a replica.
    pub fn saw_a_replica(&self, work: &WorkContext, last: LastRead) {
        self.note(work, last.at, |seen| seen.last = Some(last));
    }

    fn note(&self, work: &WorkContext, at: Instant, change: impl FnOnce(&mut Seen)) {
        let Some(key) = key(work) else { return };
        let mut state = self.state();
        if let Some(seen) = state.by_author.get_mut(&key) {
            return change(seen);
        }
        if state.by_author.len() >= self.most && at.saturating_duration_since(state.swept) >= SWEEP_EVERY {
            state.swept = at;
            let kept = self.kept;
            let matters = |seen: &Seen| seen.latest().is_some_and(|latest| at.saturating_duration_since(latest) < kept);
            state.by_author.retain(|_, seen| matters(seen));
        }
        if state.by_author.len() >= self.most {
            state.everybody = state.everybody.max(Some(at));
            return;
        }
        change(state.by_author.entry(key).or_default());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Under what an author is remembered; none for work of Warren's own.
fn key(work: &WorkContext) -> Option<Uuid> {
    work.author().or_else(|| work.request().map(|request| request.uuid()))
}

#[cfg(test)]
mod tests {
    use warren_model::RequestId;

    use super::*;

    const KEPT: Duration = Duration::from_secs(2);

    fn work(author: u128) -> WorkContext {
        WorkContext::of_request(RequestId::from_uuid(Uuid::from_u128(1)), Some(Uuid::from_u128(author)))
    }

    #[test]
    fn who_wrote_reads_where_it_is_and_others_do_as_before() {
        let authors = Authors::new(KEPT);
        let before = Instant::now();
        let wrote = before + Duration::from_millis(10);
        authors.saw_the_primary(&work(7), wrote);
        assert!(!authors.seen(&work(7)).allows(0, 1, before));
        assert!(authors.seen(&work(7)).allows(0, 1, wrote));
        assert!(authors.seen(&work(8)).allows(0, 1, before));
        assert_eq!(authors.seen(&WorkContext::BACKGROUND), Seen::default());
    }

    #[test]
    fn who_has_read_from_a_replica_goes_to_another_only_when_that_is_not_behind_it() {
        let authors = Authors::new(KEPT);
        let before = Instant::now();
        let read = before + Duration::from_millis(10);
        authors.saw_a_replica(&work(7), LastRead { replica: 0, life: 1, at: read });
        let seen = authors.seen(&work(7));
        assert!(seen.allows(0, 1, before), "the same one does not go back");
        assert!(!seen.allows(0, 2, before), "unless it was started again");
        assert!(!seen.allows(1, 1, before));
        assert!(seen.allows(1, 1, read));
    }

    #[test]
    fn when_there_are_too_many_authors_everybody_has_to_see_the_last_write() {
        let authors = Authors::of_at_most(2, KEPT);
        let begin = Instant::now();
        for author in 1..=3 {
            authors.saw_the_primary(&work(author), begin + SWEEP_EVERY);
        }
        assert!(!authors.seen(&work(99)).allows(0, 1, begin));
        // Those who are remembered are forgotten once they are too old to matter, and there is room again.
        let later = begin + SWEEP_EVERY + KEPT + SWEEP_EVERY;
        authors.saw_the_primary(&work(4), later);
        assert!(!authors.seen(&work(4)).allows(0, 1, begin + KEPT));
        assert!(authors.seen(&work(99)).allows(0, 1, begin + KEPT));
    }
}
