//! Values that go to Redis and come back.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    cache::Inner,
    cluster::{Asked, Cluster, LEASE_FOR, Lease, SharedValue, VALUE_BYTES_MAX},
    definition::{Codec, Keep},
    entry::{Entry, Times},
    key::{CacheKey, Place},
    moment::Moment,
};

const POLL_AFTER_FIRST: Duration = Duration::from_millis(4);
const POLL_AFTER_MAX: Duration = Duration::from_millis(50);

/// What became of looking for a value beyond this process.
pub(crate) enum Fetched<V> {
    Entry(Arc<Entry<V>>),
    /// This process loads for all; what is there may be served if that fails.
    Load(Lease, Option<Arc<Entry<V>>>),
    /// This process loads for itself.
    Alone,
}

impl<K: CacheKey, V, E> Inner<K, V, E>
where
    V: Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    fn beyond(&self) -> Option<(Codec<V>, &Cluster)> {
        self.definition.codec.zip(self.grounds.cluster.as_deref())
    }

    /// Looks for a value on Redis, and waits while another process loads it.
    pub async fn fetch(&self, place: &Place<K>) -> Fetched<V> {
        let Some((codec, cluster)) = self.beyond() else { return Fetched::Alone };
        let name = cluster.value_name(self.definition.name, codec.version, place.scope, &place.key);
        let begun_at = self.grounds.timeline.now();
        let mut pause = POLL_AFTER_FIRST;
        loop {
            let (begun, at) = (self.grounds.marks.sequence(), self.grounds.timeline.now());
            let entry = |value| self.received(codec, value, begun, at);
            match cluster.ask(&self.grounds, &name).await {
                Some(Asked::Value(value, lease)) => {
                    return match entry(value) {
                        Some(entry) => Fetched::Entry(entry),
                        None => Fetched::Load(lease, None),
                    };
                }
                Some(Asked::Load(lease, stale)) => return Fetched::Load(lease, stale.and_then(entry)),
                Some(Asked::Wait(left)) if at.since(begun_at) < LEASE_FOR => {
                    if pause == POLL_AFTER_FIRST {
                        self.tally.awaited.add();
                    }
                    sleep(pause.min(left.max(Duration::from_millis(1)))).await;
                    pause = (pause * 2).min(POLL_AFTER_MAX);
                }
                Some(Asked::Wait(_)) | None => {
                    self.tally.local_loads.add();
                    return Fetched::Alone;
                }
            }
        }
    }

    /// An entry with a value from Redis; none when it cannot be read.
    fn received(
        &self,
        codec: Codec<V>,
        value: SharedValue,
        begun: crate::marks::Sequence,
        at: Moment,
    ) -> Option<Arc<Entry<V>>> {
        let read = match &value.body {
            None => None,
            Some(body) => match (codec.read)(body) {
                Ok(read) => Some(read),
                Err(error) => {
                    self.tally.unreadable.add();
                    // Once: what one release wrote, all of its processes wrote.
                    if self.tally.unreadable.get() == 1 {
                        tracing::warn!(cache = self.definition.name, %error, "a value on Redis cannot be read, and is loaded");
                    }
                    return None;
                }
            },
        };
        let (stale, error) = match &read {
            Some(_) => (self.definition.stale_while_loading, self.definition.stale_on_error),
            None => (Duration::ZERO, Duration::ZERO),
        };
        let read_at = at.before(value.age);
        let (fresh_until, last) = (read_at + value.fresh, read_at + value.kept);
        let times = Times {
            read_at,
            fresh_until,
            stale_until: (fresh_until + stale).min(last),
            error_until: (fresh_until + error).min(last),
        };
        Some(self.made(read, value.marks, begun, times))
    }

    /// Puts what was loaded where the other processes find it.
    pub async fn share(&self, lease: Lease, entry: &Entry<V>, keep: Keep) {
        let Some((codec, cluster)) = self.beyond() else { return };
        match self.written(codec, entry, keep) {
            Some(value) => cluster.fill(lease, &value).await,
            None => cluster.release(lease).await,
        }
    }

    /// Has another process try.
    pub async fn give_back(&self, lease: Lease) {
        if let Some((_, cluster)) = self.beyond() {
            cluster.release(lease).await;
        }
    }

    fn written(&self, codec: Codec<V>, entry: &Entry<V>, keep: Keep) -> Option<SharedValue> {
        if keep == Keep::NotKept {
            return None;
        }
        let body = match entry.value.as_ref().map(codec.write).transpose() {
            Ok(body) => body,
            Err(error) => {
                tracing::warn!(cache = self.definition.name, %error, "a value cannot be written for Redis");
                return None;
            }
        };
        if body.as_ref().is_some_and(|body| body.len() > VALUE_BYTES_MAX) {
            self.tally.oversized.add();
            return None;
        }
        let Times { read_at, fresh_until, stale_until, error_until } = entry.times;
        let last = fresh_until.max(stale_until).max(error_until);
        Some(SharedValue {
            body,
            marks: entry.marks.clone(),
            age: self.grounds.timeline.now().since(read_at),
            fresh: fresh_until.since(read_at),
            kept: last.since(read_at),
        })
    }
}
