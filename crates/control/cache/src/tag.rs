//! What entries depend on, so that they can be given up together.

use std::collections::BTreeSet;

use warren_model::{AccountId, DeviceId, GatewayId, NetworkId, OrganisationId, SessionId};

use crate::key::{CacheKey, KeyDigest, Scope};

/// Tags of one entry; with more than these it is not kept.
pub const TAGS_MAX: usize = 16;
/// What one batch of invalidations names; past that it gives everything up.
pub const INVALIDATIONS_MAX: usize = 1024;

/// A thing that entries are made from. When it changes, all that carry the tag are given up, in whichever cache they are.
///
/// Entries of an organisation carry its tag by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    Organisation(OrganisationId),
    Account(AccountId),
    Session(SessionId),
    Network(NetworkId),
    Device(DeviceId),
    Gateway(GatewayId),
    /// All of one sort: the devices of an organisation, as a list of them depends on each and on those yet to come.
    Topic(Scope, Topic),
}

/// A sort of things, named once in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Topic(&'static str);

impl Topic {
    /// The sort of this name; no two may have the same.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }
}

/// What stands for a tag, a key, a cache or a scope where invalidations are noted: 64 bits of its SHA-256 digest. Two that
/// fall together cost a load now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mark(pub u64);

impl Mark {
    fn of(sort: &'static str, describe: impl FnOnce(&mut KeyDigest)) -> Self {
        let mut digest = KeyDigest::new();
        digest.part(sort.as_bytes());
        describe(&mut digest);
        let [a, b, c, d, e, f, g, h, ..] = digest.finish();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// Of everything that is the scope's.
    pub fn scope(scope: Scope) -> Self {
        Self::of("scope", |to| scope.describe(to))
    }

    /// Of everything that the cache of this name holds.
    pub fn cache(name: &'static str) -> Self {
        Self::of("cache", |to| to.part(name.as_bytes()))
    }

    /// Of one entry.
    pub fn entry<K: CacheKey>(name: &'static str, scope: Scope, key: &K) -> Self {
        Self::of("entry", |to| {
            to.part(name.as_bytes());
            scope.describe(to);
            key.describe(to);
        })
    }
}

impl From<Tag> for Mark {
    fn from(tag: Tag) -> Self {
        match tag {
            Tag::Organisation(id) => Self::scope(Scope::Organisation(id)),
            Tag::Account(id) => Self::of("account", |to| id.describe(to)),
            Tag::Session(id) => Self::of("session", |to| id.describe(to)),
            Tag::Network(id) => Self::of("network", |to| id.describe(to)),
            Tag::Device(id) => Self::of("device", |to| id.describe(to)),
            Tag::Gateway(id) => Self::of("gateway", |to| id.describe(to)),
            Tag::Topic(scope, topic) => Self::of("topic", |to| {
                to.part(topic.0.as_bytes());
                scope.describe(to);
            }),
        }
    }
}

/// What a transaction makes untrue. Collect it while the transaction runs, and hand it to
/// [`Caches::invalidate`](crate::Caches::invalidate) once it is committed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invalidations(pub(crate) Which);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    Marks(BTreeSet<Mark>),
    Everything,
}

impl Default for Which {
    fn default() -> Self {
        Self::Marks(BTreeSet::new())
    }
}

impl Which {
    /// Adds `mark`; everything, when there are `most` already.
    pub fn add(&mut self, mark: Mark, most: usize) {
        let Self::Marks(marks) = self else { return };
        if marks.len() >= most && !marks.contains(&mark) {
            *self = Self::Everything;
        } else {
            marks.insert(mark);
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self, most: usize) {
        match other {
            Self::Everything => *self = Self::Everything,
            Self::Marks(marks) => marks.into_iter().for_each(|mark| self.add(mark, most)),
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Marks(marks) if marks.is_empty())
    }
}

impl Invalidations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Everything that all caches hold.
    pub const fn everything() -> Self {
        Self(Which::Everything)
    }
    /// Adds what carries `tag`.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        self.add_tag(tag);
        self
    }
    /// Adds what carries `tag`.
    pub fn add_tag(&mut self, tag: Tag) {
        self.add(tag.into());
    }
    /// Adds all that is the scope's.
    pub fn add_scope(&mut self, scope: Scope) {
        self.add(Mark::scope(scope));
    }
    /// Adds what `other` has.
    pub fn merge(&mut self, other: Self) {
        self.0.merge(other.0, INVALIDATIONS_MAX);
    }
    /// Whether there is nothing to give up.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(crate) fn add(&mut self, mark: Mark) {
        self.0.add(mark, INVALIDATIONS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_names_too_much_gives_everything_up() {
        let mut batch = Invalidations::new();
        assert!(batch.is_empty());
        for number in 0..INVALIDATIONS_MAX as u64 {
            batch.add(Mark(number));
            batch.add(Mark(number));
        }
        assert_ne!(batch, Invalidations::everything());
        batch.add(Mark(u64::MAX));
        assert_eq!(batch, Invalidations::everything());
        batch.add(Mark(0));
        assert_eq!(batch, Invalidations::everything());
    }

    #[test]
    fn an_organisations_tag_is_that_of_its_scope() {
        let id = OrganisationId::from_uuid(uuid::Uuid::from_u128(7));
        assert_eq!(Mark::from(Tag::Organisation(id)), Mark::scope(Scope::Organisation(id)));
        let topic = Topic::new("devices");
        assert_ne!(
            Mark::from(Tag::Topic(Scope::Organisation(id), topic)),
            Mark::from(Tag::Topic(Scope::Installation, topic))
        );
        assert_ne!(
            Mark::from(Tag::Account(AccountId::from_uuid(id.uuid()))),
            Mark::from(Tag::Device(DeviceId::from_uuid(id.uuid())))
        );
    }
}
