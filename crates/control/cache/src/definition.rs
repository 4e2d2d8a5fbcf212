//! What a cache keeps, for how long, and where.

use std::{fmt, marker::PhantomData, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use crate::tag::{TAGS_MAX, Tag};

/// Part of a time to live that chance takes off, so that what was loaded together does not expire together.
pub(crate) const JITTER: f64 = 0.1;

/// How far values of a cache may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// This process's memory alone. For what must not leave it.
    Memory,
    /// Redis too, where there is one.
    Shared,
}

impl Tier {
    /// The word for it in figures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Shared => "shared",
        }
    }
}

/// What one cache is like. A constant beside the use case that reads through it.
pub struct Definition<V> {
    pub(crate) name: &'static str,
    pub(crate) fresh_for: Duration,
    pub(crate) absent_for: Duration,
    pub(crate) stale_while_loading: Duration,
    pub(crate) stale_on_error: Duration,
    pub(crate) memory_percent: u8,
    pub(crate) weigh: fn(&V) -> usize,
    pub(crate) codec: Option<Codec<V>>,
    value: PhantomData<fn() -> V>,
}

/// How values go to Redis and come back.
pub(crate) struct Codec<V> {
    /// In every key on Redis, so that no release reads what another wrote differently.
    pub version: u32,
    pub write: fn(&V) -> Result<Vec<u8>, serde_json::Error>,
    pub read: fn(&[u8]) -> Result<V, serde_json::Error>,
}

impl<V> Clone for Codec<V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<V> Copy for Codec<V> {}

impl<V> Definition<V> {
    /// A cache whose values stay in memory. `name` is unique in the program; `fresh_for` is how long a value is served
    /// without another load, at most: up to a tenth less.
    pub const fn in_memory(name: &'static str, fresh_for: Duration) -> Self {
        Self {
            name,
            fresh_for,
            absent_for: Duration::ZERO,
            stale_while_loading: Duration::ZERO,
            stale_on_error: Duration::ZERO,
            memory_percent: 5,
            weigh: |_| size_of::<V>(),
            codec: None,
            value: PhantomData,
        }
    }

    /// A cache whose values go to Redis as JSON. Count `version` up whenever what serde makes of `V` changes.
    pub const fn shared(name: &'static str, version: u32, fresh_for: Duration) -> Self
    where
        V: Serialize + DeserializeOwned,
    {
        let mut definition = Self::in_memory(name, fresh_for);
        definition.codec = Some(Codec {
            version,
            write: |value| serde_json::to_vec(value),
            read: |bytes| serde_json::from_slice(bytes),
        });
        definition
    }

    /// How long it is believed that there is no such thing; without this, absence is not kept.
    #[must_use]
    pub const fn absent_for(mut self, span: Duration) -> Self {
        self.absent_for = span;
        self
    }

    /// How long after its time a value is still served while it is loaded anew behind. Never one that was given up, and
    /// never while other processes may not be heard.
    #[must_use]
    pub const fn stale_while_loading(mut self, span: Duration) -> Self {
        self.stale_while_loading = span;
        self
    }

    /// How long after its time a value is served when it cannot be loaded. Never one that was given up as far as is known.
    #[must_use]
    pub const fn stale_on_error(mut self, span: Duration) -> Self {
        self.stale_on_error = span;
        self
    }

    /// The part of the memory for caches that this one may take; 5 unless said otherwise. All together may take 100.
    #[must_use]
    pub const fn memory_percent(mut self, percent: u8) -> Self {
        self.memory_percent = percent;
        self
    }

    /// The bytes that a value takes with all it owns; without this, those of the type alone.
    #[must_use]
    pub const fn weigh(mut self, weigh: fn(&V) -> usize) -> Self {
        self.weigh = weigh;
        self
    }

    pub(crate) const fn tier(&self) -> Tier {
        match self.codec {
            None => Tier::Memory,
            Some(_) => Tier::Shared,
        }
    }
}

impl<V> fmt::Debug for Definition<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("name", &self.name).field("tier", &self.tier()).finish_non_exhaustive()
    }
}

/// What a load brought.
#[derive(Debug, Clone)]
pub struct Loaded<V> {
    pub(crate) value: Option<V>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) fresh_for_max: Option<Duration>,
    pub(crate) keep: Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Kept,
    /// Given to those who wait, and forgotten.
    NotKept,
}

impl<V> Loaded<V> {
    /// There is such a thing.
    pub const fn found(value: V) -> Self {
        Self { value: Some(value), tags: Vec::new(), fresh_for_max: None, keep: Keep::Kept }
    }
    /// There is no such thing.
    pub const fn absent() -> Self {
        Self { value: None, tags: Vec::new(), fresh_for_max: None, keep: Keep::Kept }
    }
    /// The value, or its absence.
    pub fn from_option(value: Option<V>) -> Self {
        value.map_or_else(Self::absent, Self::found)
    }
    /// It depends on `tag` as well. With more than [`TAGS_MAX`] it is not kept.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        if self.tags.len() >= TAGS_MAX {
            self.keep = Keep::NotKept;
        } else if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
        self
    }
    /// It is true for so long at most, as a session is that ends soon.
    #[must_use]
    pub const fn fresh_for_at_most(mut self, span: Duration) -> Self {
        self.fresh_for_max = Some(span);
        self
    }
    /// Those who wait get it; nobody after them does.
    #[must_use]
    pub const fn not_kept(mut self) -> Self {
        self.keep = Keep::NotKept;
        self
    }
}
