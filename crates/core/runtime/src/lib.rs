//! Process plumbing that every part of Warren stands on.
//!
//! Invariants
//! - The one place that reads the system's clock and random generator; the rest receives them.
//! - Files are written whole or not at all, and are readable by their owner only.

pub mod ambient;
pub mod dependency;
pub mod files;
pub mod lock;
pub mod secret;
pub mod shutdown;
pub mod supervise;
pub mod telemetry;

pub use ambient::{SystemClock, SystemRandom};
pub use secret::Secret;
pub use shutdown::Shutdown;
