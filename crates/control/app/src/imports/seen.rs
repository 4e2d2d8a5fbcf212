//! Lines of one file that say the same.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::records::csv::LINES_MAX;

/// What lines were about, as far as it has to be told apart: 64 bits of a hash each. Among a million lines two that differ are taken
/// for the same once in 37 million files.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<u64, u32>);

impl Seen {
    /// The earlier line that was about the same as this one; none if it is the first.
    pub fn earlier(&mut self, about: &[&[u8]], line: u64) -> Option<u64> {
        let mut hasher = Sha256::new();
        for part in about {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let hash = hasher.finalize();
        let key = u64::from_le_bytes(hash[..8].try_into().expect("a hash is longer"));
        let first = *self.0.entry(key).or_insert(u32::try_from(line).unwrap_or(u32::MAX));
        debug_assert!(self.0.len() as u64 <= LINES_MAX);
        (u64::from(first) != line).then_some(u64::from(first))
    }
}
