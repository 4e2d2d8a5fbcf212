//! What caches are given.

/// Bounds of the caches of a process.
#[derive(Debug, Clone)]
pub struct Config {
    /// What all caches together may keep in memory.
    pub memory_bytes_max: u64,
}

impl Config {
    /// Memory alone.
    pub const fn in_memory(memory_bytes_max: u64) -> Self {
        Self { memory_bytes_max }
    }
}
