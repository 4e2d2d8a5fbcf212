//! The connections that one server may have in all, shared by the tenants' pools so that none starves another.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::oneshot;
use warren_runtime::dependency::Dependency;

use super::{Inner, Pool};

/// How many connections a server may have, and who waits for one of them.
#[derive(Debug)]
pub(crate) struct Budget {
    max: u32,
    /// How the server is called; without it, every connection is tried.
    server: Option<Arc<Dependency>>,
    state: Mutex<State>,
    hungry: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    used: u32,
    line: VecDeque<oneshot::Sender<Slot>>,
    pools: Vec<Weak<Inner>>,
}

/// The right to one connection. Dropping it passes it on.
#[derive(Debug)]
pub(crate) struct Slot(Weak<Budget>);

impl Budget {
    pub fn new(max: u32, server: Option<Arc<Dependency>>) -> Arc<Self> {
        Arc::new(Self { max: max.max(1), server, state: Mutex::default(), hungry: AtomicUsize::new(0) })
    }

    /// How the server is called.
    pub(super) const fn server(&self) -> Option<&Arc<Dependency>> {
        self.server.as_ref()
    }

    /// The connections that there are, and the most that there may be.
    pub fn now(&self) -> (u32, u32) {
        (self.state().used, self.max)
    }

    pub(super) fn join(&self, pool: &Pool) {
        let mut state = self.state();
        state.pools.retain(|pool| pool.strong_count() > 0);
        state.pools.push(Arc::downgrade(&pool.0));
    }

    /// A right, in the order of asking. Where none is left, the connection that was idle for longest gives its own up.
    pub async fn take(self: &Arc<Self>, asking: &Pool) -> Slot {
        let coming = {
            let mut state = self.state();
            if state.used < self.max && state.line.is_empty() {
                state.used += 1;
                return Slot(Arc::downgrade(self));
            }
            let (give, coming) = oneshot::channel();
            state.line.push_back(give);
            self.hungry.fetch_add(1, Ordering::AcqRel);
            coming
        };
        self.yield_oldest_idle(asking);
        let slot = coming.await;
        self.hungry.fetch_sub(1, Ordering::AcqRel);
        // The sender lives in a budget that `self` keeps alive.
        slot.unwrap_or(Slot(Weak::new()))
    }

    /// How many wait for a right.
    pub fn waiting(&self) -> usize {
        self.hungry.load(Ordering::Acquire)
    }

    /// A right, if one is free at once and nobody waits for it.
    pub fn take_free(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.state();
        if state.used >= self.max || !state.line.is_empty() {
            return None;
        }
        state.used += 1;
        Some(Slot(Arc::downgrade(self)))
    }

    /// Whether somebody waits for a right.
    pub(super) fn has_hungry(&self) -> bool {
        self.waiting() > 0
    }

    /// What a pool may keep while others wait: an equal part, at least one.
    pub(super) fn fair_share(&self) -> u32 {
        let state = self.state();
        let pools = state.pools.iter().filter_map(Weak::upgrade).count();
        (self.max / u32::try_from(pools).unwrap_or(u32::MAX).max(1)).max(1)
    }

    fn yield_oldest_idle(&self, asking: &Pool) {
        let pools: Vec<Pool> = self.state().pools.iter().filter_map(Weak::upgrade).map(Pool).collect();
        let others = pools.iter().filter(|pool| !Arc::ptr_eq(&pool.0, &asking.0));
        let oldest = others.filter_map(|pool| Some((pool.idle_since()?, pool))).min_by_key(|(since, _)| *since);
        if let Some((_, pool)) = oldest {
            pool.yield_idle();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(budget) = self.0.upgrade() else { return };
        let mut state = budget.state();
        while let Some(next) = state.line.pop_front() {
            match next.send(Self(Arc::downgrade(&budget))) {
                Ok(()) => return,
                // Nobody waits there any more; the right in it goes to the next, and not through this again.
                Err(mut unwanted) => unwanted.0 = Weak::new(),
            }
        }
        state.used -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_is_not_free_at_once_is_refused_and_comes_back_when_dropped() {
        let budget = Budget::new(1, None);
        let slot = budget.take_free();
        assert!(slot.is_some() && budget.take_free().is_none());
        drop(slot);
        assert_eq!(budget.now(), (0, 1));
        assert!(budget.take_free().is_some());
    }
}
