//! Pure policies for parts that fail. Each takes time and randomness as parameters; none sleeps, spawns or does I/O.

mod backoff;

pub use backoff::Backoff;
