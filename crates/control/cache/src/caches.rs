//! The caches of a process.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use warren_model::Random;

use crate::{
    Cache, CacheError, Config, Definition, Invalidations, Tag,
    grounds::Grounds,
    key::CacheKey,
    marks::Marks,
    moment::Timeline,
    status::{CachesStatus, Watched},
    trust::Trust,
};

/// All caches of a process. Clones are the same.
#[derive(Clone)]
pub struct Caches(Arc<Inner>);

struct Inner {
    memory_bytes_max: u64,
    grounds: Arc<Grounds>,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    caches: Vec<(&'static str, Arc<dyn Watched>)>,
    percent: u32,
}

/// Makes ready what caches stand on; they are made one by one by [`Caches::cache`].
///
/// # Errors
/// None yet.
pub fn build(config: &Config, random: Arc<dyn Random>) -> Result<Caches, CacheError> {
    let grounds = Grounds { marks: Marks::default(), timeline: Timeline::begin(), trust: Trust::alone(), random };
    Ok(Caches(Arc::new(Inner {
        memory_bytes_max: config.memory_bytes_max,
        grounds: Arc::new(grounds),
        made: Mutex::default(),
    })))
}

impl Caches {
    /// Makes the cache of a definition.
    ///
    /// # Errors
    /// When there is one of this name, or the caches would take more memory than they have.
    pub fn cache<K, V, E>(&self, definition: Definition<V>) -> Result<Cache<K, V, E>, CacheError>
    where
        K: CacheKey,
        V: Send + Sync + 'static,
        E: Clone + Send + Sync + 'static,
    {
        let name = definition.name;
        let mut made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.caches.iter().any(|(other, _)| *other == name) {
            return Err(CacheError::NameTaken { name });
        }
        let percent = made.percent + u32::from(definition.memory_percent);
        if percent > 100 {
            return Err(CacheError::MemoryOvercommitted { name, percent });
        }
        let bytes = self.0.memory_bytes_max.saturating_mul(u64::from(definition.memory_percent)) / 100;
        let cache = Cache::new(definition, Arc::clone(&self.0.grounds), bytes);
        made.percent = percent;
        made.caches.push((name, Arc::clone(&cache.inner) as Arc<dyn Watched>));
        Ok(cache)
    }

    /// Gives up what a committed change made untrue. When this returns, no cache of this process serves any of it.
    pub async fn invalidate(&self, batch: Invalidations) {
        self.0.grounds.invalidate(batch).await;
    }

    /// Gives up what carries one tag.
    pub async fn invalidate_tag(&self, tag: Tag) {
        self.invalidate(Invalidations::new().tag(tag)).await;
    }

    /// What there is to tell of all caches.
    pub fn status(&self) -> CachesStatus {
        let made = self.0.made.lock().unwrap_or_else(PoisonError::into_inner);
        let caches = made.caches.iter().map(|(_, cache)| cache.status()).collect();
        CachesStatus { memory_bytes_max: self.0.memory_bytes_max, caches }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches").field("memory_bytes_max", &self.0.memory_bytes_max).finish_non_exhaustive()
    }
}
