//! What entries are found by: whose they are, the cache's name and a typed key. There is no way to ask with bare text.

use std::hash::Hash;

use moka::Equivalent;
use sha2::{Digest, Sha256};
use warren_model::{
    AccountId, AuditId, DeviceId, Email, GatewayId, LinkId, NetworkId, OrganisationId, OrganisationSlug, RequestId,
    SessionId,
};

/// Whose an entry is. Every key has one, so that an organisation's entry cannot be found from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The installation's own: accounts, sessions, settings.
    Installation,
    /// One organisation's.
    Organisation(OrganisationId),
}

impl Scope {
    pub(crate) fn describe(self, to: &mut KeyDigest) {
        match self {
            Self::Installation => to.part(b"installation"),
            Self::Organisation(id) => {
                to.part(b"organisation");
                to.part(id.uuid().as_bytes());
            }
        }
    }
}

/// What can be a key. Equal keys describe themselves alike in every process and version, different ones differently.
pub trait CacheKey: Eq + Hash + Clone + Send + Sync + 'static {
    /// Adds what the key consists of, part by part.
    fn describe(&self, to: &mut KeyDigest);
}

/// The SHA-256 digest (FIPS 180-4) of a key's parts, each with its length. What others may read on Redis is this.
#[derive(Debug, Clone)]
pub struct KeyDigest(Sha256);

impl KeyDigest {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }
    /// Adds one part.
    pub fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

macro_rules! identifier_keys {
    ($($name:ident),+ $(,)?) => {$(
        impl CacheKey for $name {
            fn describe(&self, to: &mut KeyDigest) { to.part(self.uuid().as_bytes()); }
        }
    )+};
}

identifier_keys!(OrganisationId, AccountId, SessionId, LinkId, NetworkId, DeviceId, GatewayId, AuditId, RequestId);

macro_rules! number_keys {
    ($($name:ident),+ $(,)?) => {$(
        impl CacheKey for $name {
            fn describe(&self, to: &mut KeyDigest) { to.part(&self.to_be_bytes()); }
        }
    )+};
}

number_keys!(u8, u16, u32, u64, i32, i64);

macro_rules! name_keys {
    ($($name:ident),+ $(,)?) => {$(
        impl CacheKey for $name {
            fn describe(&self, to: &mut KeyDigest) { to.part(self.as_str().as_bytes()); }
        }
    )+};
}

name_keys!(OrganisationSlug, Email);

/// There is one entry in each scope.
impl CacheKey for () {
    fn describe(&self, to: &mut KeyDigest) {
        to.part(b"");
    }
}

/// Digests of secrets.
impl<const N: usize> CacheKey for [u8; N] {
    fn describe(&self, to: &mut KeyDigest) {
        to.part(self);
    }
}

impl<T: CacheKey> CacheKey for Option<T> {
    fn describe(&self, to: &mut KeyDigest) {
        match self {
            None => to.part(b"none"),
            Some(key) => {
                to.part(b"some");
                key.describe(to);
            }
        }
    }
}

impl<A: CacheKey, B: CacheKey> CacheKey for (A, B) {
    fn describe(&self, to: &mut KeyDigest) {
        self.0.describe(to);
        self.1.describe(to);
    }
}

impl<A: CacheKey, B: CacheKey, C: CacheKey> CacheKey for (A, B, C) {
    fn describe(&self, to: &mut KeyDigest) {
        self.0.describe(to);
        self.1.describe(to);
        self.2.describe(to);
    }
}

/// Where an entry of one cache is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place<K> {
    pub scope: Scope,
    pub key: K,
}

/// A [`Place`] that borrows its key, so that a hit copies nothing. Hashes alike: same fields in the same order.
#[derive(Debug, Hash)]
pub(crate) struct PlaceRef<'a, K> {
    pub scope: Scope,
    pub key: &'a K,
}

impl<K: Clone> PlaceRef<'_, K> {
    pub fn owned(self) -> Place<K> {
        Place { scope: self.scope, key: self.key.clone() }
    }
}

impl<K> Clone for PlaceRef<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for PlaceRef<'_, K> {}

impl<K: Eq> Equivalent<Place<K>> for PlaceRef<'_, K> {
    fn equivalent(&self, place: &Place<K>) -> bool {
        self.scope == place.scope && *self.key == place.key
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    fn digest(key: &impl CacheKey) -> [u8; 32] {
        let mut digest = KeyDigest::new();
        key.describe(&mut digest);
        digest.finish()
    }

    #[test]
    fn different_keys_describe_themselves_differently() {
        let (one, other): (OrganisationSlug, OrganisationSlug) = ("ab".parse().unwrap(), "bc".parse().unwrap());
        assert_eq!(digest(&one), digest(&one.clone()));
        assert_ne!(digest(&one), digest(&other));
        // Parts keep to themselves: moving a byte from one to the next is another key.
        assert_ne!(digest(&([1, 2], [3])), digest(&([1], [2, 3])));
        assert_ne!(digest(&(Some(1_u8), None::<u8>)), digest(&(None::<u8>, Some(1_u8))));
        assert_ne!(digest(&1_u32), digest(&1_u64));
    }

    #[test]
    fn a_borrowed_place_is_found_by_the_hash_of_the_owned_one() {
        let state = std::hash::RandomState::new();
        let borrowed = PlaceRef { scope: Scope::Installation, key: &(7_u32, [1_u8; 4]) };
        let owned = borrowed.owned();
        assert_eq!(state.hash_one(borrowed), state.hash_one(&owned));
        assert!(borrowed.equivalent(&owned));
    }
}
