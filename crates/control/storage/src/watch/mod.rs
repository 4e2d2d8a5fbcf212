//! The watch over the databases: one look a second at every open pool, which closes what is not needed, suspects what takes
//! long, and warns of what runs out before it has.
//!
//! A look takes the lock of each pool once and for as long as it takes to read a few numbers; logging and comparing happen
//! outside of it. The order of locks is the watch's own, then a pool's, then a connection's record.

mod limits;
mod shortage;
mod suspicion;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use warren_model::OrganisationId;

pub use self::{
    limits::WatchLimits,
    shortage::{Shortage, ShortageOf, ShortageSign},
    suspicion::{SuspicionKind, SuspicionState, SuspicionView},
};
use self::{
    shortage::{Judgement, Line, Turn, sign_in_window},
    suspicion::{Arisen, SuspicionCounts, Suspicions},
};
use crate::{
    Databases,
    database::Pools,
    pool::{Pool, PoolTallyView},
};
pub(crate) use suspicion::Suspected;

/// How many looks make a window, over which waits are judged and use is measured.
const WINDOW_LOOKS: u32 = 10;

/// What the watch remembers from look to look.
#[derive(Debug)]
pub(crate) struct Watch {
    limits: WatchLimits,
    state: Mutex<State>,
    suspicions: SuspicionCounts,
    shortages: [AtomicU64; ShortageOf::NAMES.len()],
}

#[derive(Debug)]
struct State {
    looks: u32,
    window_began: Instant,
    pools: HashMap<PoolKey, Watched>,
    server: Judgement,
    tenants: Judgement,
    /// Those who had waited in vain for an open database when the window began.
    tenants_refused: u64,
    suspicions: Suspicions,
}

/// Whose pool it is (none: the system's), and what it is for.
type PoolKey = (Option<OrganisationId>, &'static str);

#[derive(Debug)]
struct Watched {
    pools: Arc<Pools>,
    /// The look that met it last.
    met_at: u32,
    judgement: Judgement,
    /// What was counted when the window began.
    before: PoolTallyView,
    sign: Option<ShortageSign>,
    recent: Recent,
}

/// How a pool was used in the last whole window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recent {
    /// How long the window was; zero before there was one.
    pub over: Duration,
    /// Connections given out.
    pub acquired: u64,
    /// How long those waited together who got one.
    pub waited: Duration,
    /// How long connections were used together; it is counted when they are given back.
    pub used: Duration,
    /// Those who got none.
    pub refused: u64,
}

impl Recent {
    /// How many connections were in use on average, in thousandths.
    pub fn busy_thousandths(&self) -> u64 {
        let thousandths = (self.used.as_micros() * 1000).checked_div(self.over.as_micros()).unwrap_or(0);
        u64::try_from(thousandths).unwrap_or(u64::MAX)
    }
    /// How long somebody waited on average.
    pub fn mean_wait(&self) -> Duration {
        let micros = u64::try_from(self.waited.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(micros.checked_div(self.acquired).unwrap_or(0))
    }
}

/// What the watch knows at one moment.
#[derive(Debug, Clone)]
pub(crate) struct WatchView {
    pub shortages: Vec<Shortage>,
    pub shortages_counted: Vec<(&'static str, u64)>,
    pub suspicions: Vec<SuspicionView>,
    pub suspicions_counted: Vec<(SuspicionKind, u64)>,
    pub recent: HashMap<(Option<OrganisationId>, &'static str), Recent>,
}

impl Databases {
    /// Takes one look at every open pool: closes connections that nobody used for long, suspects and logs what takes long, and
    /// warns of what runs out. To be called once a second; it does not wait for anything.
    pub fn watch_once(&self) {
        let (system_kind, _) = self.kinds();
        let mut open = vec![(None, Arc::clone(self.system_models().pools()))];
        open.extend(self.tenants().open_now().into_iter().map(|(id, pools)| (Some(id), pools)));
        let watch = self.watch();
        let mut look = Look { limits: &watch.limits, arisen: Vec::new(), turns: Vec::new() };
        {
            let mut state = watch.state();
            state.looks = state.looks.wrapping_add(1);
            let window = if state.looks.is_multiple_of(WINDOW_LOOKS) { Window::Ends } else { Window::Goes };
            for (organisation, pools) in &open {
                for (role, pool) in pools.each() {
                    look.at(&mut state, (*organisation, role), pools, pool, window);
                }
            }
            // What this look did not meet was closed.
            let looks = state.looks;
            state.pools.retain(|_, watched| watched.met_at == looks);
            let budget = system_kind.budget.as_ref();
            look.note(ShortageOf::Server, |limits| {
                state.server.look(Line::of(budget.map_or(0, |budget| budget.waiting())), None, limits)
            });
            let (waiting, refused) = self.tenants().crowd();
            let sign = (refused > state.tenants_refused).then_some(ShortageSign::Refusals);
            look.note(ShortageOf::OpenTenants, |limits| state.tenants.look(Line::of(waiting), sign, limits));
            if window == Window::Ends {
                (state.window_began, state.tenants_refused) = (Instant::now(), refused);
            }
        }
        watch.tell(look);
    }
}

/// Whether a look is the last one of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    Goes,
    Ends,
}

/// What one look brings.
struct Look<'a> {
    limits: &'a WatchLimits,
    arisen: Vec<Arisen>,
    turns: Vec<(ShortageOf, Turn)>,
}

impl Look<'_> {
    fn at(&mut self, state: &mut State, key: PoolKey, pools: &Arc<Pools>, pool: &Pool, window: Window) {
        pool.close_idle();
        let glance = pool.glance();
        let now = Instant::now();
        for record in &glance.leases {
            let found = record.suspect(self.limits, now);
            self.arisen.extend(found.into_iter().map(|found| Arisen::new(record, found, pools.place(), key.0)));
        }
        let over = now.saturating_duration_since(state.window_began);
        let watched = state.pools.entry(key).or_insert_with(|| Watched::new(pools));
        // One that was closed and opened again begins anew.
        if !Arc::ptr_eq(&watched.pools, pools) {
            *watched = Watched::new(pools);
        }
        watched.met_at = state.looks;
        if window == Window::Ends {
            watched.close_window(pool.tally().view(), over, self.limits);
        }
        let (line, sign) = (Line::before(&glance, self.limits), watched.sign);
        let judgement = &mut watched.judgement;
        self.note(of_pool(key, pools), |limits| judgement.look(line, sign, limits));
    }

    fn note(&mut self, of: ShortageOf, look: impl FnOnce(&WatchLimits) -> Option<Turn>) {
        if let Some(turn) = look(self.limits) {
            self.turns.push((of, turn));
        }
    }
}

fn of_pool((organisation, role): PoolKey, pools: &Pools) -> ShortageOf {
    ShortageOf::Pool { database: pools.place().clone(), organisation, role }
}

impl Watched {
    fn new(pools: &Arc<Pools>) -> Self {
        Self {
            pools: Arc::clone(pools),
            met_at: 0,
            judgement: Judgement::default(),
            before: PoolTallyView::default(),
            sign: None,
            recent: Recent::default(),
        }
    }

    fn close_window(&mut self, now: PoolTallyView, over: Duration, limits: &WatchLimits) {
        let before = std::mem::replace(&mut self.before, now);
        self.sign = sign_in_window(&before, &now, limits);
        let refused = |tally: &PoolTallyView| tally.timeouts + tally.turned_away;
        let waited = now.waited.since(&before.waited);
        self.recent = Recent {
            over,
            acquired: waited.count(),
            waited: Duration::from_micros(waited.sum_micros),
            used: Duration::from_micros(now.used.since(&before.used).sum_micros),
            refused: refused(&now).saturating_sub(refused(&before)),
        };
    }
}

impl Watch {
    pub fn new(limits: WatchLimits) -> Self {
        let state = State {
            looks: 0,
            window_began: Instant::now(),
            pools: HashMap::new(),
            server: Judgement::default(),
            tenants: Judgement::default(),
            tenants_refused: 0,
            suspicions: Suspicions::default(),
        };
        Self { limits, state: Mutex::new(state), suspicions: SuspicionCounts::default(), shortages: Default::default() }
    }

    /// Logs, counts and remembers what a look brought.
    fn tell(&self, look: Look<'_>) {
        for (of, turn) in &look.turns {
            let database = match of {
                ShortageOf::Pool { database, .. } => Some(tracing::field::display(database)),
                ShortageOf::Server | ShortageOf::OpenTenants => None,
            };
            match turn {
                Turn::Began(sign) => {
                    let counted = ShortageOf::NAMES.iter().position(|name| *name == of.as_str());
                    if let Some(counter) = counted.and_then(|at| self.shortages.get(at)) {
                        counter.fetch_add(1, Ordering::Relaxed);
                    }
                    tracing::warn!(database, of = of.as_str(), sign = sign.as_str(), "connections are running out");
                }
                Turn::Ended(after) => {
                    let lasted_s = after.as_secs();
                    tracing::info!(database, of = of.as_str(), lasted_s, "connections suffice again");
                }
            }
        }
        for arisen in &look.arisen {
            self.suspicions.count(arisen.view.kind);
            arisen.log();
        }
        if !look.arisen.is_empty() {
            let mut state = self.state();
            look.arisen.into_iter().for_each(|arisen| state.suspicions.remember(arisen));
        }
    }

    pub fn view(&self) -> WatchView {
        let state = self.state();
        let of_pools = state.pools.iter();
        let mut shortages: Vec<Shortage> = of_pools
            .filter_map(|(key, watched)| watched.judgement.lasting(|| of_pool(*key, &watched.pools)))
            .chain(state.server.lasting(|| ShortageOf::Server))
            .chain(state.tenants.lasting(|| ShortageOf::OpenTenants))
            .collect();
        shortages.sort_by_key(|shortage| shortage.since);
        let counted = |at: usize| self.shortages[at].load(Ordering::Relaxed);
        WatchView {
            shortages,
            shortages_counted: ShortageOf::NAMES.iter().enumerate().map(|(at, name)| (*name, counted(at))).collect(),
            suspicions: state.suspicions.view(),
            suspicions_counted: self.suspicions.view(),
            recent: state.pools.iter().map(|(key, watched)| (*key, watched.recent)).collect(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
