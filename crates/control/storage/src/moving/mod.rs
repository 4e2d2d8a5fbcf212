//! Moves an installation's databases to another place, of any engine: copied, compared row by row, and only then in force.
//!
//! The order makes it safe to be killed at any point. First the target is marked as unfinished, so that nobody starts on it;
//! then each organisation's database is copied, compared and noted, and the system database last; then the source is marked as
//! moved, and at the very end the target's mark goes. A move that was killed is run again: what is noted, and has not changed
//! in the source since, stays.

mod claim;
mod copy;
mod database;
mod error;
mod look;
mod mark;
mod order;
mod page;
mod progress;
mod relocation;
mod sql;
mod table;
mod verify;

pub use error::MoveError;
pub(crate) use mark::refuse_marked;
pub use progress::{MoveProgress, MoveProgressView};
pub use relocation::{Moved, Relocation, back_out};
pub(crate) use table::Table;
