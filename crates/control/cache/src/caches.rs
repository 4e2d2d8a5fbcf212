//! The caches of a process.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use warren_model::Random;
use warren_runtime::{dependency::Dependencies, supervise::Tasks};

use crate::{
    Cache, CacheError, Config, Definition, Invalidations, Tag,
    cluster::Cluster,
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

/// Makes ready what caches stand on; they are made one by one by [`Caches::cache`]. Redis need not be there: it is looked for
/// until it is. Call within a runtime.
///
/// # Errors
/// When Redis cannot be used as it is configured: the file with certificates, the prefix.
pub fn build(
    config: &Config,
    random: Arc<dyn Random>,
    dependencies: &Dependencies,
    tasks: &Tasks,
) -> Result<Caches, CacheError> {
    let cluster = config.redis.as_ref().map(|redis| Cluster::new(redis, Arc::clone(&random), dependencies));
    let cluster = cluster.transpose()?.map(Arc::new);
    let trust = if cluster.is_some() { Trust::nobody_heard() } else { Trust::alone() };
    let grounds = Grounds { marks: Marks::default(), timeline: Timeline::begin(), trust, random, cluster };
    let grounds = Arc::new(grounds);
    if let Some(cluster) = &grounds.cluster {
        cluster.begin(&grounds, tasks);
    }
    Ok(Caches(Arc::new(Inner { memory_bytes_max: config.memory_bytes_max, grounds, made: Mutex::default() })))
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

    /// Gives up what a committed change made untrue. When this returns, no cache of this process serves any of it, and
    /// other processes do not either, if they could be told within [`TOLD_WITHIN`](crate::TOLD_WITHIN); otherwise they are
    /// told as soon as that is possible. The same holds when the caller does not wait for the end of this.
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
        let cluster = self.0.grounds.cluster.as_ref().map(|cluster| cluster.status());
        CachesStatus { memory_bytes_max: self.0.memory_bytes_max, caches, cluster }
    }

    /// Tells the other processes what they do not know yet, and says farewell to them. Call when nothing commits any more;
    /// a process that ends without is waited for by the others, who are cautious for as long.
    pub async fn close(&self) {
        if let Some(cluster) = &self.0.grounds.cluster {
            cluster.close().await;
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(cluster) = &self.grounds.cluster {
            cluster.abandon();
        }
    }
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caches").field("memory_bytes_max", &self.0.memory_bytes_max).finish_non_exhaustive()
    }
}
