//! What can be wrong with how caches are set up. Once they are, they have no errors but those of loaders.

use std::{io, path::PathBuf};

use warren_runtime::dependency::DependencyError;

/// Why there are no caches. `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Two caches have one name. A fault in the program.
    #[error("there are two caches of the name {name}; give one of them another name")]
    NameTaken { name: &'static str },
    /// The caches' parts of the memory come to more than the whole. A fault in the program.
    #[error("with the cache {name} the caches may take {percent} % of their memory; give some of them less")]
    MemoryOvercommitted { name: &'static str, percent: u32 },
    /// The URL does not read as one.
    #[error(
        "the URL of Redis cannot be used: {detail}; it reads like redis://user:password@host:6379, or rediss:// for TLS"
    )]
    RedisUrl { detail: String },
    /// The prefix would run into others' keys, or could not be written down in a rule.
    #[error(
        "the prefix {prefix:?} of keys on Redis cannot be used; give it 1 to 40 letters, digits, hyphens or underscores"
    )]
    RedisPrefix { prefix: String },
    /// The file with certificates cannot be used.
    #[error("the certificates in {} cannot be used: {source}; give a file that is readable, in PEM", path.display())]
    RedisCa { path: PathBuf, source: io::Error },
    /// Certificates for a connection without any.
    #[error("certificates for Redis were given, and its URL is not encrypted; let it begin with rediss://")]
    RedisCaWithoutTls,
    /// The library refuses what it was told.
    #[error("Redis cannot be set up: {source}")]
    Redis { source: redis::RedisError },
    /// There are too many dependencies. A fault in the program.
    #[error(transparent)]
    Dependency(#[from] DependencyError),
}
