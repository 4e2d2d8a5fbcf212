//! Records that come and go in bulk: tables of text, what is wrong in their lines, and how far work on them got.

pub mod csv;
mod problem;
mod progress;

pub use problem::{LineError, LineProblem};
pub(crate) use progress::Interrupted;
pub use progress::{Proceed, Progress, Unobserved};
