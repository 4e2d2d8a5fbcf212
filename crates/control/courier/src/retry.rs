//! Whether another attempt makes sense.

/// Whether and how soon to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Another attempt would end alike.
    Never,
    /// With the usual growing waits.
    Soon,
    /// A few times, with long waits: somebody has to change something first.
    Slowly,
}
