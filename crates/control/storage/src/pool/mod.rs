//! Connections to one database: first come first served, opened in the background, each with a record of who has it.
//!
//! Somebody who asks takes an idle connection or stands in line. A line makes new connections open in the background, up to
//! the bound, and whichever comes free first, an old one or a new one, goes to the head of the line: a spike is served by the
//! connections that are there instead of waiting for those being made
//! (<https://github.com/brettwooldridge/HikariCP/blob/dev/documents/Welcome-To-The-Jungle.md>).

mod budget;
mod give_back;
mod histogram;
mod lease;
mod probe;
mod record;
mod tally;

use std::{
    collections::VecDeque,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, oneshot};

pub(crate) use self::{
    budget::{Budget, Slot},
    histogram::Histogram,
    lease::Lease,
    record::LeaseRecord,
    tally::{Counts, PoolTally},
};
pub use self::{
    histogram::HistogramView,
    probe::PoolProbe,
    record::{LeaseView, Phase},
    tally::PoolTallyView,
};
use crate::{
    StorageError, WorkContext,
    engine::{Connection, Fault, Role, Target},
};

/// What bounds a pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub connections_max: u32,
    /// Those that stand in line at most; more are told at once that storage is busy.
    pub waiters_max: usize,
    /// How long anybody stands in line.
    pub acquire_timeout: Duration,
    /// A connection that nobody used this long is closed; none are if it is not given.
    pub idle_max: Option<Duration>,
    /// A connection this old is closed instead of being used again.
    pub lifetime_max: Option<Duration>,
}

/// Connections to one database. Clones are handles to the same pool.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    target: Target,
    role: Role,
    bounds: Bounds,
    /// The connections that the whole server may have; none on SQLite.
    budget: Option<Arc<Budget>>,
    state: Mutex<State>,
    /// Rung when a connection is closed.
    fewer: Notify,
    tally: PoolTally,
}

#[derive(Debug, Default)]
struct State {
    idle: VecDeque<Physical>,
    line: VecDeque<Waiter>,
    /// Open connections and those being opened.
    open: u32,
    opening: u32,
    leases: Vec<Arc<LeaseRecord>>,
    closed: bool,
}

#[derive(Debug)]
struct Waiter {
    since: Instant,
    give: oneshot::Sender<Result<Held, StorageError>>,
}

/// An open connection with its place in the server's budget.
#[derive(Debug)]
pub(crate) struct Physical {
    pub connection: Connection,
    slot: Option<Slot>,
    born: Instant,
    idle_since: Instant,
}

/// A connection taken out of its pool; it goes back when dropped, unless it was taken out of this too.
#[derive(Debug)]
struct Held {
    pool: Pool,
    physical: Option<Physical>,
}

/// How a pool is now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections in somebody's hands.
    pub active: u32,
    pub idle: u32,
    /// Connections being opened.
    pub opening: u32,
    /// Those who stand in line.
    pub waiting: u32,
    pub connections_max: u32,
}

impl PoolState {
    /// The two together.
    #[must_use]
    pub const fn with(self, other: &Self) -> Self {
        Self {
            active: self.active + other.active,
            idle: self.idle + other.idle,
            opening: self.opening + other.opening,
            waiting: self.waiting + other.waiting,
            connections_max: self.connections_max + other.connections_max,
        }
    }
}

/// What the watch looks at, taken in one look.
#[derive(Debug)]
pub(crate) struct Glance {
    pub now: PoolState,
    /// How long the one at the head of the line has been standing there.
    pub head_waited: Option<Duration>,
    pub leases: Vec<Arc<LeaseRecord>>,
}

impl Pool {
    pub fn new(target: Target, role: Role, bounds: Bounds, budget: Option<Arc<Budget>>, tally: PoolTally) -> Self {
        let pool = Self(Arc::new(Inner {
            target,
            role,
            bounds,
            budget,
            state: Mutex::default(),
            fewer: Notify::new(),
            tally,
        }));
        if let Some(budget) = &pool.0.budget {
            budget.join(&pool);
        }
        pool
    }

    /// A connection, in the order of asking.
    ///
    /// # Errors
    /// [`StorageError::Busy`] when none comes free in time, the line is full or the pool is closed; what connecting gives when
    /// there is no connection at all.
    pub async fn acquire(
        &self,
        work: &WorkContext,
        place: Option<&'static Location<'static>>,
    ) -> Result<Lease, StorageError> {
        let asked = Instant::now();
        let coming = {
            let mut state = self.state();
            if state.closed {
                return Err(StorageError::Busy);
            }
            if state.line.is_empty()
                && let Some(physical) = self.usable_idle(&mut state)
            {
                drop(state);
                self.0.tally.acquired(Duration::ZERO);
                return Ok(Lease::new(self.held(physical), work, place));
            }
            state.line.retain(|waiter| !waiter.give.is_closed());
            if state.line.len() >= self.0.bounds.waiters_max {
                self.0.tally.turned_away();
                return Err(StorageError::Busy);
            }
            let (give, coming) = oneshot::channel();
            state.line.push_back(Waiter { since: asked, give });
            self.open_for_the_line(&mut state);
            coming
        };
        match tokio::time::timeout(self.0.bounds.acquire_timeout, coming).await {
            Ok(Ok(Ok(held))) => {
                self.0.tally.acquired(asked.elapsed());
                Ok(Lease::new(held, work, place))
            }
            Ok(Ok(Err(error))) => Err(error),
            Ok(Err(_)) => Err(StorageError::Busy),
            Err(_) => {
                self.0.tally.timed_out();
                Err(StorageError::Busy)
            }
        }
    }

    /// The idle connection used last, so that those not needed grow old and are closed.
    fn usable_idle(&self, state: &mut State) -> Option<Physical> {
        while let Some(physical) = state.idle.pop_back() {
            if self.0.bounds.lifetime_max.is_none_or(|max| physical.born.elapsed() < max) {
                return Some(physical);
            }
            self.forget(state, physical);
        }
        None
    }

    /// Begins to open as many connections as stand in line for, within the bound.
    fn open_for_the_line(&self, state: &mut State) {
        let wanted = u32::try_from(state.line.len()).unwrap_or(u32::MAX);
        while state.opening < wanted && state.open < self.0.bounds.connections_max && !state.closed {
            state.open += 1;
            state.opening += 1;
            tokio::spawn(self.clone().open_one());
        }
    }

    async fn open_one(self) {
        // The count is put right even if connecting panics.
        let opening = Opening { pool: self.clone(), settled: false };
        let slot = match &self.0.budget {
            Some(budget) => Some(budget.take(&self).await),
            None => None,
        };
        if !self.is_wanted() {
            return opening.failed(None);
        }
        let entered = match self.0.budget.as_ref().and_then(|budget| budget.server()) {
            // A server that does not answer is not asked by everybody in line, each for as long as that takes.
            Some(server) => match server.enter().await {
                Ok(entered) => Some(entered),
                Err(refused) => {
                    let place = self.0.target.place();
                    return opening.failed(Some(StorageError::Unreachable { place, source: Arc::new(refused) }));
                }
            },
            None => None,
        };
        let begun = Instant::now();
        match self.0.target.connect(self.0.role).await {
            Ok(connection) => {
                self.0.tally.connected(begun.elapsed());
                if let Some(entered) = entered {
                    entered.succeeded();
                }
                opening.succeeded(connection, slot);
            }
            Err(error) => {
                self.0.tally.connect_failed();
                if let Some(entered) = entered {
                    match Fault::of(&error) {
                        Fault::Unreachable | Fault::Disconnected => entered.failed(&error),
                        // The server did its work by saying no.
                        _ => entered.succeeded(),
                    }
                }
                opening.failed(Some(StorageError::from_driver(&Arc::new(error), &self.0.target.place())));
            }
        }
    }

    /// Whether anybody still stands in line.
    fn is_wanted(&self) -> bool {
        let mut state = self.state();
        state.line.retain(|waiter| !waiter.give.is_closed());
        !state.line.is_empty() && !state.closed
    }

    fn held(&self, physical: Physical) -> Held {
        Held { pool: self.clone(), physical: Some(physical) }
    }

    /// How it is now and who has its connections.
    pub fn glance(&self) -> Glance {
        let state = self.state();
        let head = state.line.iter().find(|waiter| !waiter.give.is_closed());
        Glance {
            now: state.view(self.0.bounds.connections_max),
            head_waited: head.map(|waiter| waiter.since.elapsed()),
            leases: state.leases.clone(),
        }
    }

    pub fn tally(&self) -> &PoolTally {
        &self.0.tally
    }

    pub fn target(&self) -> &Target {
        &self.0.target
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn view(&self, connections_max: u32) -> PoolState {
        let idle = u32::try_from(self.idle.len()).unwrap_or(u32::MAX);
        let waiting = self.line.iter().filter(|waiter| !waiter.give.is_closed()).count();
        PoolState {
            active: self.open.saturating_sub(self.opening).saturating_sub(idle),
            idle,
            opening: self.opening,
            waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
            connections_max,
        }
    }
}

/// A connection being opened.
struct Opening {
    pool: Pool,
    settled: bool,
}

impl Opening {
    fn succeeded(mut self, connection: Connection, slot: Option<Slot>) {
        self.settled = true;
        self.pool.state().opening -= 1;
        let now = Instant::now();
        self.pool.give_back(Physical { connection, slot, born: now, idle_since: now });
    }

    /// With no connection left, everybody in line hears why; otherwise they wait for those that are there.
    fn failed(mut self, error: Option<StorageError>) {
        self.settled = true;
        let told = {
            let mut state = self.pool.state();
            state.opening -= 1;
            state.open -= 1;
            if state.open == state.opening && error.is_some() {
                std::mem::take(&mut state.line)
            } else {
                VecDeque::new()
            }
        };
        self.pool.0.fewer.notify_waiters();
        if let Some(error) = error {
            for waiter in told {
                let _ = waiter.give.send(Err(error.clone()));
            }
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.settled {
            let mut state = self.pool.state();
            state.opening -= 1;
            state.open -= 1;
        }
    }
}
