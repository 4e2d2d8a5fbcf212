//! Which versions of the desired state still wait for something to come into force.

use std::collections::BTreeMap;

/// The version of work that no `Applied` waits for: retries, restored state, expiry.
pub(crate) const UNCOUNTED: u64 = 0;

/// How much is outstanding for each version.
#[derive(Debug, Default)]
pub(crate) struct Pending(BTreeMap<u64, usize>);

impl Pending {
    pub fn add(&mut self, version: u64) {
        if version != UNCOUNTED {
            *self.0.entry(version).or_default() += 1;
        }
    }
    pub fn release(&mut self, version: u64) {
        if let Some(count) = self.0.get_mut(&version) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&version);
            }
        }
    }
    /// The highest version up to which nothing is outstanding, given that `latest` was the last to arrive.
    pub fn in_force(&self, latest: u64) -> u64 {
        self.0.first_key_value().map_or(latest, |(oldest, _)| (oldest - 1).min(latest))
    }
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
