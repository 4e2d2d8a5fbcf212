//! What can be wrong with how caches are set up. Once they are, they have no errors but those of loaders.

/// Why there are no caches. `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Two caches have one name. A fault in the program.
    #[error("there are two caches of the name {name}; give one of them another name")]
    NameTaken { name: &'static str },
    /// The caches' parts of the memory come to more than the whole. A fault in the program.
    #[error("with the cache {name} the caches may take {percent} % of their memory; give some of them less")]
    MemoryOvercommitted { name: &'static str, percent: u32 },
}
