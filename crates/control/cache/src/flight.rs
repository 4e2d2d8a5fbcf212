//! Loads under way: one for each key, which all who want the key wait for.
//!
//! A load is a task of its own, so that a caller who goes away takes nothing from those who wait. Who comes after something
//! was given up does not take what a load brings that began before: they look whether it still holds, and load again if not.

use std::{
    collections::HashMap,
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tracing::{Instrument, error};

use crate::{
    Loaded,
    cache::Inner,
    cluster::Lease,
    definition::Keep,
    entry::{Entry, Standing},
    key::{CacheKey, Place, PlaceRef},
    marks::Sequence,
    moment::Moment,
    sharing::Fetched,
    trust::CAUTIOUS_FRESHNESS,
};

/// A load that takes longer than this is left to itself, and the next who comes begins another.
pub const JOINED_WITHIN: Duration = Duration::from_secs(10);
/// Loads behind stale values that a cache has under way at once; past that, the stale ones are served without.
pub const REFRESHES_MAX: usize = 32;

/// The loads of one cache.
pub(crate) struct Flights<K, V, E> {
    under_way: Mutex<HashMap<Place<K>, Flight<V, E>>>,
    next: AtomicU64,
    refreshes: Arc<Semaphore>,
}

struct Flight<V, E> {
    number: u64,
    begun: Sequence,
    started: Moment,
    end: Receiver<V, E>,
}

type Receiver<V, E> = watch::Receiver<Option<End<V, E>>>;

/// How a load ended.
pub(crate) enum End<V, E> {
    Loaded(Arc<Entry<V>>),
    Failed {
        error: E,
        /// What may be served all the same.
        instead: Option<Arc<Entry<V>>>,
    },
    Panicked,
}

/// What came of asking for a load.
enum Boarding<V, E, L> {
    /// It was there meanwhile.
    Found(Arc<Entry<V>>),
    Begun(Receiver<V, E>),
    /// Another's; the loader was not needed.
    Joined(Receiver<V, E>, L),
}

impl<K, V, E> Default for Flights<K, V, E> {
    fn default() -> Self {
        let refreshes = Arc::new(Semaphore::new(REFRESHES_MAX));
        Self { under_way: Mutex::default(), next: AtomicU64::new(0), refreshes }
    }
}

impl<K, V, E> Flights<K, V, E> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Place<K>, Flight<V, E>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are under way.
    pub fn count(&self) -> usize {
        self.lock().len()
    }
}

impl<K, V, E> Inner<K, V, E>
where
    K: CacheKey,
    V: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// Waits for a load that the caller may take: any that holds still, or one that began after they came.
    pub async fn load<L, F>(
        self: &Arc<Self>,
        place: PlaceRef<'_, K>,
        previous: Option<Arc<Entry<V>>>,
        mut load: L,
    ) -> Result<Arc<Entry<V>>, E>
    where
        L: FnOnce() -> F,
        F: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
    {
        let arrived = self.grounds.marks.sequence();
        let mut begun_from = Sequence(0);
        loop {
            let mut end = match self.board(place, begun_from, previous.clone(), None, load) {
                Boarding::Found(entry) => return Ok(entry),
                Boarding::Begun(mut end) => return self.take(landed(&mut end).await),
                Boarding::Joined(end, unused) => {
                    load = unused;
                    end
                }
            };
            self.tally.coalesced.add();
            match landed(&mut end).await {
                End::Loaded(entry) if entry.begun < arrived && !entry.holds(&self.grounds.marks) => {
                    begun_from = arrived;
                }
                end => return self.take(end),
            }
        }
    }

    /// Loads behind a stale value, unless somebody does.
    pub fn refresh<L, F>(self: &Arc<Self>, place: PlaceRef<'_, K>, stale: &Arc<Entry<V>>, load: L)
    where
        L: FnOnce() -> F,
        F: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
    {
        if let Ok(permit) = Arc::clone(&self.flights.refreshes).try_acquire_owned() {
            self.board(place, Sequence(0), Some(Arc::clone(stale)), Some(permit), load);
        }
    }

    /// Joins a load that began at `begun_from` or later, or begins one.
    fn board<L, F>(
        self: &Arc<Self>,
        place: PlaceRef<'_, K>,
        begun_from: Sequence,
        previous: Option<Arc<Entry<V>>>,
        permit: Option<OwnedSemaphorePermit>,
        load: L,
    ) -> Boarding<V, E, L>
    where
        L: FnOnce() -> F,
        F: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
    {
        let place = place.owned();
        let started = self.grounds.timeline.now();
        let mut flights = self.flights.lock();
        match flights.get(&place) {
            Some(flight)
                if flight.begun >= begun_from && started.since(flight.started) < self.joined_within(started) =>
            {
                return Boarding::Joined(flight.end.clone(), load);
            }
            Some(_) => {}
            // One may have ended between the look into memory and now.
            None => {
                if let Some(entry) = self.fresh(PlaceRef { scope: place.scope, key: &place.key }) {
                    return Boarding::Found(entry);
                }
            }
        }
        let number = self.flights.next.fetch_add(1, Ordering::Relaxed);
        let begun = self.grounds.marks.sequence();
        let (sender, end) = watch::channel(None);
        flights.insert(place.clone(), Flight { number, begun, started, end: end.clone() });
        drop(flights);
        let landing = Landing { inner: Arc::clone(self), place, number, sender, _permit: permit };
        let loading = load();
        tokio::spawn(
            async move {
                let (end, afterwards) = landing.inner.bring(&landing.place, previous, loading).await;
                let inner = Arc::clone(&landing.inner);
                landing.land(end.clone());
                inner.finish(end, afterwards).await;
            }
            .in_current_span(),
        );
        Boarding::Begun(end)
    }

    /// What a load may not have heard of is at most as old as what is served from memory then.
    fn joined_within(&self, now: Moment) -> Duration {
        if self.grounds.trust.is_certain(now) { JOINED_WITHIN } else { CAUTIOUS_FRESHNESS }
    }

    /// Finds the value on Redis, or runs the loader and keeps what it brings.
    async fn bring<F>(&self, place: &Place<K>, previous: Option<Arc<Entry<V>>>, loading: F) -> (End<V, E>, Afterwards)
    where
        F: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
    {
        let (lease, stale) = match self.fetch(place).await {
            Fetched::Entry(entry) => {
                self.tally.shared_hits.add();
                self.keep(place, &entry, Keep::Kept);
                return (End::Loaded(entry), Afterwards::Nothing);
            }
            Fetched::Load(lease, stale) => (Some(lease), stale),
            Fetched::Alone => (None, None),
        };
        let begun = self.grounds.marks.sequence();
        match self.run(loading).await {
            Ok(Ok((loaded, read_at))) => {
                let (entry, keep) = self.entry_of(place, loaded, begun, read_at);
                self.keep(place, &entry, keep);
                (End::Loaded(entry), lease.map_or(Afterwards::Nothing, |lease| Afterwards::Share(lease, keep)))
            }
            Ok(Err(error)) => {
                let instead = [previous, stale].into_iter().flatten().find(|entry| self.is_last_resort(entry));
                (End::Failed { error, instead }, lease.map_or(Afterwards::Nothing, Afterwards::GiveBack))
            }
            Err(Panicked) => (End::Panicked, lease.map_or(Afterwards::Nothing, Afterwards::GiveBack)),
        }
    }

    /// What nobody has to wait for.
    async fn finish(&self, end: End<V, E>, afterwards: Afterwards) {
        match (afterwards, end) {
            (Afterwards::Share(lease, keep), End::Loaded(entry)) => self.share(lease, &entry, keep).await,
            (Afterwards::Share(lease, _) | Afterwards::GiveBack(lease), _) => self.give_back(lease).await,
            (Afterwards::Nothing, _) => {}
        }
    }

    /// The loader's result, with the moment at which it began.
    async fn run<F>(&self, loading: F) -> Result<Result<(Loaded<V>, Moment), E>, Panicked>
    where
        F: Future<Output = Result<Loaded<V>, E>>,
    {
        self.tally.loads.add();
        let started = self.grounds.timeline.now();
        let result = AssertUnwindSafe(loading).catch_unwind().await;
        self.tally.load_took(self.grounds.timeline.now().since(started));
        match result {
            Ok(Ok(loaded)) => Ok(Ok((loaded, started))),
            Ok(Err(error)) => {
                self.tally.load_failures.add();
                Ok(Err(error))
            }
            Err(_) => {
                self.tally.load_failures.add();
                error!(cache = self.definition.name, "the loader of an entry panicked");
                Err(Panicked)
            }
        }
    }

    /// Whether what was there before may be served as loading failed; it is then, for a moment, without another attempt.
    fn is_last_resort(&self, entry: &Entry<V>) -> bool {
        let now = self.grounds.timeline.now();
        let usable = entry.standing(&self.grounds.marks, now, self.grounds.trust.outlook(now)) != Standing::Dead
            && now < entry.times.error_until;
        if usable {
            entry.defer(now);
        }
        usable
    }

    fn take(&self, end: End<V, E>) -> Result<Arc<Entry<V>>, E> {
        match end {
            End::Loaded(entry) => Ok(entry),
            End::Failed { instead: Some(entry), .. } if entry.holds(&self.grounds.marks) => {
                self.tally.stale_on_error.add();
                Ok(entry)
            }
            End::Failed { error, .. } => Err(error),
            End::Panicked => resume_unwind(Box::new(format!(
                "the loader of an entry of the cache {} panicked",
                self.definition.name
            ))),
        }
    }
}

struct Panicked;

/// What is done with the right to load for other processes.
enum Afterwards {
    Nothing,
    Share(Lease, Keep),
    GiveBack(Lease),
}

/// Waits until a load has ended.
async fn landed<V, E: Clone>(end: &mut Receiver<V, E>) -> End<V, E> {
    match end.wait_for(Option::is_some).await {
        Ok(end) => end.clone().unwrap_or(End::Panicked),
        Err(_) => End::Panicked,
    }
}

/// Ends a load for those who wait, however it ends.
struct Landing<K: CacheKey, V, E> {
    inner: Arc<Inner<K, V, E>>,
    place: Place<K>,
    number: u64,
    sender: watch::Sender<Option<End<V, E>>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<K: CacheKey, V, E> Landing<K, V, E> {
    fn land(self, end: End<V, E>) {
        // Nobody joins any more; what was loaded is in memory already.
        self.leave();
        self.sender.send_replace(Some(end));
    }

    fn leave(&self) {
        let mut flights = self.inner.flights.lock();
        if flights.get(&self.place).is_some_and(|flight| flight.number == self.number) {
            flights.remove(&self.place);
        }
    }
}

impl<K: CacheKey, V, E> Drop for Landing<K, V, E> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<V, E: Clone> Clone for End<V, E> {
    fn clone(&self) -> Self {
        match self {
            Self::Loaded(entry) => Self::Loaded(Arc::clone(entry)),
            Self::Failed { error, instead } => Self::Failed { error: error.clone(), instead: instead.clone() },
            Self::Panicked => Self::Panicked,
        }
    }
}
