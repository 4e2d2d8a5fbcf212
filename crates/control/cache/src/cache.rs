//! A typed cache: what is in memory is served from there, and everything else is loaded once, whoever asks.

use std::{fmt, future::Future, sync::Arc};

use moka::{notification::RemovalCause, sync::Cache as Entries};

use crate::{
    Definition, Held, Invalidations,
    entry::{Entry, Standing},
    flight::Flights,
    grounds::Grounds,
    key::{CacheKey, Place, PlaceRef, Scope},
    status::{CacheStatus, Watched},
    tag::Mark,
    tally::Tally,
};

/// Values of type `V` by keys of type `K`, which a loader brings or fails to with an `E`. Clones are the same cache.
pub struct Cache<K, V, E> {
    pub(crate) inner: Arc<Inner<K, V, E>>,
}

pub(crate) struct Inner<K, V, E> {
    pub definition: Definition<V>,
    pub grounds: Arc<Grounds>,
    pub entries: Entries<Place<K>, Arc<Entry<V>>>,
    pub flights: Flights<K, V, E>,
    pub tally: Arc<Tally>,
    memory_bytes_max: u64,
}

/// What memory says.
enum Look<V> {
    Serve(Arc<Entry<V>>),
    /// Serve it, and have it loaded anew.
    Refresh(Arc<Entry<V>>),
    /// Load it; what is there may be served if that fails.
    Load(Option<Arc<Entry<V>>>),
}

impl<K, V, E> Cache<K, V, E>
where
    K: CacheKey,
    V: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(definition: Definition<V>, grounds: Arc<Grounds>, memory_bytes_max: u64) -> Self {
        let tally = Arc::new(Tally::default());
        let evicted = Arc::clone(&tally);
        let longest = definition.fresh_for.max(definition.absent_for)
            + definition.stale_while_loading.max(definition.stale_on_error);
        let entries = Entries::builder()
            .name(definition.name)
            .max_capacity(memory_bytes_max)
            .weigher(|_: &Place<K>, entry: &Arc<Entry<V>>| entry.weight_bytes)
            // Tidies up only: whether an entry may be served is asked of the entry.
            .time_to_live(longest)
            .eviction_listener(move |_, _, cause| match cause {
                RemovalCause::Size | RemovalCause::Expired => evicted.evictions.add(),
                RemovalCause::Explicit | RemovalCause::Replaced => {}
            })
            .build();
        let flights = Flights::default();
        Self { inner: Arc::new(Inner { definition, grounds, entries, flights, tally, memory_bytes_max }) }
    }

    /// The value, or none when there is no such thing: from memory, or by `load`, which runs at most once at a time for one
    /// key however many ask. It runs as a task of its own, to its end, also when nobody waits any more.
    ///
    /// Nothing is served that was given up before this was called.
    ///
    /// # Errors
    /// The loader's, shared by all who waited for it, and not kept.
    ///
    /// # Panics
    /// When the loader does.
    pub async fn get<L, F>(&self, scope: Scope, key: &K, load: L) -> Result<Option<Held<V>>, E>
    where
        L: FnOnce() -> F,
        F: Future<Output = Result<crate::Loaded<V>, E>> + Send + 'static,
    {
        let place = PlaceRef { scope, key };
        let entry = match self.inner.look(place) {
            Look::Serve(entry) => entry,
            Look::Refresh(entry) => {
                self.inner.refresh(place, &entry, load);
                entry
            }
            // Apart, so that a hit does not carry what a load needs.
            Look::Load(previous) => Box::pin(self.inner.load(place, previous, load)).await?,
        };
        Ok(Held::of(entry))
    }

    /// Gives one entry up, here and everywhere; as [`Caches::invalidate`](crate::Caches::invalidate).
    pub async fn invalidate(&self, scope: Scope, key: &K) {
        let mut batch = Invalidations::new();
        batch.add_entry(self, scope, key);
        self.inner.grounds.invalidate(batch).await;
    }
}

impl<K: CacheKey, V, E> Inner<K, V, E>
where
    V: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    fn look(&self, place: PlaceRef<'_, K>) -> Look<V> {
        let Some(entry) = self.entries.get(&place) else {
            self.tally.misses.add();
            return Look::Load(None);
        };
        let now = self.grounds.timeline.now();
        match entry.standing(&self.grounds.marks, now, self.grounds.trust.outlook(now)) {
            Standing::Fresh => {
                self.tally.hits.add();
                if entry.value.is_none() {
                    self.tally.absent_hits.add();
                }
                Look::Serve(entry)
            }
            Standing::Deferred => {
                self.tally.stale_on_error.add();
                Look::Serve(entry)
            }
            Standing::Stale => {
                self.tally.stale_served.add();
                Look::Refresh(entry)
            }
            Standing::LastResort => {
                self.tally.misses.add();
                Look::Load(Some(entry))
            }
            Standing::Dead => {
                self.tally.misses.add();
                if !entry.holds(&self.grounds.marks) {
                    self.tally.invalidated.add();
                }
                Look::Load(None)
            }
        }
    }

    /// What is in memory and fresh, without counting.
    pub fn fresh(&self, place: PlaceRef<'_, K>) -> Option<Arc<Entry<V>>> {
        let entry = self.entries.get(&place)?;
        let now = self.grounds.timeline.now();
        let standing = entry.standing(&self.grounds.marks, now, self.grounds.trust.outlook(now));
        (standing == Standing::Fresh).then_some(entry)
    }
}

impl<K: CacheKey, V, E> Watched for Inner<K, V, E>
where
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    fn status(&self) -> CacheStatus {
        self.entries.run_pending_tasks();
        CacheStatus {
            name: self.definition.name,
            tier: self.definition.tier(),
            entries: self.entries.entry_count(),
            weight_bytes: self.entries.weighted_size(),
            weight_bytes_max: self.memory_bytes_max,
            loading: self.flights.count(),
            tally: self.tally.view(),
        }
    }
}

impl Invalidations {
    /// Adds one entry.
    pub fn add_entry<K: CacheKey, V, E>(&mut self, cache: &Cache<K, V, E>, scope: Scope, key: &K) {
        self.add(Mark::entry(cache.inner.definition.name, scope, key));
    }
    /// Adds all that a cache holds.
    pub fn add_cache<K, V, E>(&mut self, cache: &Cache<K, V, E>) {
        self.add(Mark::cache(cache.inner.definition.name));
    }
}

impl<K, V, E> Clone for Cache<K, V, E> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K, V, E> fmt::Debug for Cache<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cache").field(&self.inner.definition).finish()
    }
}
