//! What a cache counts.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

macro_rules! tally {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Counts since the process began.
        #[derive(Debug, Default)]
        pub(crate) struct Tally {
            $($(#[$doc])* pub $name: Count,)+
            load_nanoseconds: AtomicU64,
        }

        /// The counts of a [`Cache`](crate::Cache) since the process began.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct TallyView {
            $($(#[$doc])* pub $name: u64,)+
            /// The time that all loads took together.
            pub load_time: Duration,
        }

        impl Tally {
            pub fn view(&self) -> TallyView {
                TallyView {
                    $($name: self.$name.get(),)+
                    load_time: Duration::from_nanos(self.load_nanoseconds.load(Ordering::Relaxed)),
                }
            }
        }
    };
}

tally!(
    /// Served from memory and fresh, values and absences.
    hits,
    /// Not in memory, or not to be served.
    misses,
    /// Hits that say there is no such thing.
    absent_hits,
    /// Served past their time while they were loaded anew.
    stale_served,
    /// Served past their time because loading failed.
    stale_on_error,
    /// Loads that were begun by a loader.
    loads,
    /// Loads that ended with an error or a panic.
    load_failures,
    /// Callers who waited for the load of another.
    coalesced,
    /// Entries that made room for others, or whose time was over.
    evictions,
    /// Entries in memory that were asked for and had been given up.
    invalidated,
    /// Loads whose value was given up before it was there.
    overtaken,
    /// Misses that Redis answered.
    shared_hits,
    /// Values too large for Redis.
    oversized,
    /// Values from Redis that could not be read.
    unreadable,
    /// Loads without Redis, because it could not be asked or trusted.
    local_loads,
    /// Loads in another process that were waited for.
    awaited,
);

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Tally {
    pub fn load_took(&self, time: Duration) {
        self.load_nanoseconds.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}
