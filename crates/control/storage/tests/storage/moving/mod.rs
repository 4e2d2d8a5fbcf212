//! Moving an installation from any kind of database to any other: what arrives, what is refused, and what a kill leaves.

mod filled;
mod killed;
mod refused;
mod round_trip;

use std::sync::Arc;

use warren_runtime::SystemClock;
use warren_storage::{MoveError, MoveProgress, Moved, Relocation};
use warren_testkit::ground::Ground;

use crate::world::config;

/// Moves between two grounds, as the installation that all tests here are.
async fn relocate(from: &Ground, to: &Ground) -> Result<Moved, MoveError> {
    relocation(from, to).run(Arc::new(SystemClock), &Arc::new(MoveProgress::default())).await
}

fn relocation(from: &Ground, to: &Ground) -> Relocation {
    Relocation { source: config(from).standing, target: config(to).standing, installation: "ours".into() }
}
