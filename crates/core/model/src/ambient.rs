//! Time and randomness as parameters, so that everything which depends on them can be tested.

/// A moment in UTC. Stored as microseconds since the Unix epoch.
pub type Timestamp = time::OffsetDateTime;

/// Where the present moment comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present moment in UTC.
    fn now(&self) -> Timestamp;
}

/// Where unpredictable bytes come from. Implementations must be cryptographically secure outside of tests.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// Fills the whole of `buffer`.
    fn fill(&self, buffer: &mut [u8]);
}

/// `N` bytes from `random`.
pub fn random_bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
