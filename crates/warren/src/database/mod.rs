//! `warren db`: where an installation's databases stand, SQLite files in the data folder or databases of a server, and work on
//! them that needs no running server.

mod options;
mod relocate;
mod target;

use clap::Subcommand;

use crate::Failure;

pub use options::DatabaseOptions;

/// The databases of the installation.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Move all databases to a server, to another one, or back into files: compared row by row, and gone on with when stopped.
    Move(Box<relocate::Relocate>),
}

impl Db {
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Move(command) => command.run().await,
        }
    }
}
