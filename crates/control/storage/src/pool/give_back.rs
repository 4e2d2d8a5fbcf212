//! How connections come back to their pool: to the head of the line, to rest, to a tenant that has none, or to their end.

use std::{sync::Arc, time::Instant};

use super::{Held, LeaseRecord, Physical, Pool, State};
use crate::engine::Connection;

impl Pool {
    /// Takes a connection back that is as good as new.
    pub(super) fn give_back(&self, mut physical: Physical) {
        let now = Instant::now();
        let is_old = self.0.bounds.lifetime_max.is_some_and(|max| now - physical.born >= max);
        let mut state = self.state();
        if is_old || self.owes_it_to_another(&state) {
            self.forget(&mut state, physical);
            self.open_for_the_line(&mut state);
            return;
        }
        while let Some(waiter) = state.line.pop_front() {
            match waiter.give.send(Ok(self.held(physical))) {
                Ok(()) => return,
                // That one has gone; the connection goes to the next.
                Err(returned) => {
                    let Some(back) = returned.ok().and_then(Held::into_physical) else { return };
                    physical = back;
                }
            }
        }
        physical.idle_since = now;
        state.idle.push_back(physical);
        drop(state);
        self.0.fewer.notify_waiters();
    }

    /// Closes a connection that is of no use any more. `others` of its age may be as bad.
    pub(super) fn discard(&self, physical: Physical, others: Others) {
        self.0.tally.broken();
        let mut state = self.state();
        let born_before = Instant::now();
        self.forget(&mut state, physical);
        if others == Others::Suspect {
            let idle = std::mem::take(&mut state.idle);
            for physical in idle.into_iter().filter(|physical| physical.born <= born_before) {
                self.forget(&mut state, physical);
            }
        }
        self.open_for_the_line(&mut state);
    }

    /// Whether another tenant, which has no connection, is to have this one's place on the server.
    fn owes_it_to_another(&self, state: &State) -> bool {
        let Some(budget) = &self.0.budget else { return false };
        budget.has_hungry() && (state.line.is_empty() || state.open > budget.fair_share())
    }

    /// Counts a connection out and closes it in the background.
    pub(super) fn forget(&self, state: &mut State, physical: Physical) {
        state.open -= 1;
        self.0.tally.closed();
        self.0.fewer.notify_waiters();
        let Physical { connection, slot, .. } = physical;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = tokio::time::timeout(super::lease::CLEAN_WITHIN, connection.close()).await;
                drop(slot);
            });
        }
    }

    /// Closes the connections that nobody used for the configured time.
    pub fn close_idle(&self) {
        let Some(idle_max) = self.0.bounds.idle_max else { return };
        let mut state = self.state();
        while state.idle.front().is_some_and(|physical| physical.idle_since.elapsed() >= idle_max) {
            let Some(physical) = state.idle.pop_front() else { break };
            self.forget(&mut state, physical);
        }
    }

    /// Since when the connection that was not used for longest has been idle.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        self.state().idle.front().map(|physical| physical.idle_since)
    }

    /// Takes the place on the server of the connection that was not used for longest.
    pub(super) fn yield_idle(&self) -> bool {
        let mut state = self.state();
        let Some(physical) = state.idle.pop_front() else { return false };
        self.forget(&mut state, physical);
        true
    }

    pub(super) fn register(&self, record: Arc<LeaseRecord>) {
        self.state().leases.push(record);
    }

    pub(super) fn unregister(&self, record: &Arc<LeaseRecord>) {
        let mut state = self.state();
        if let Some(index) = state.leases.iter().position(|other| Arc::ptr_eq(other, record)) {
            state.leases.swap_remove(index);
        }
    }

    /// Lets nobody in any more, waits until every connection is back, and gives them out to be closed.
    pub async fn drain(&self) -> Vec<Connection> {
        let line = {
            let mut state = self.state();
            state.closed = true;
            std::mem::take(&mut state.line)
        };
        for waiter in line {
            let _ = waiter.give.send(Err(crate::StorageError::Busy));
        }
        loop {
            let fewer = self.0.fewer.notified();
            tokio::pin!(fewer);
            fewer.as_mut().enable();
            {
                let mut state = self.state();
                let idle = u32::try_from(state.idle.len()).unwrap_or(u32::MAX);
                if state.open <= idle {
                    state.open = 0;
                    return state.idle.drain(..).map(|physical| physical.connection).collect();
                }
            }
            fewer.await;
        }
    }

    /// Lets nobody in any more, and closes every connection once it is back.
    pub async fn close(&self) {
        for connection in self.drain().await {
            let _ = tokio::time::timeout(super::lease::CLEAN_WITHIN, connection.close()).await;
        }
    }
}

/// What a broken connection says of the others in its pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Sound,
    Suspect,
}

impl Held {
    /// The connection, which no longer goes back by itself.
    pub fn into_physical(mut self) -> Option<Physical> {
        self.physical.take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(physical) = self.physical.take() {
            self.pool.give_back(physical);
        }
    }
}
