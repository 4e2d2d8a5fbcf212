//! `warren db`: where an installation's databases stand, SQLite files in the data folder or databases of a server, how they
//! are, and work on them.

mod migrate;
mod options;
mod plan;
mod relocate;
mod rollback;
mod schema;
mod seed;
mod stopped;
mod target;

use clap::Subcommand;

use crate::{
    Failure,
    manage::database::{Analyze, Status},
};

pub use options::DatabaseOptions;

/// The databases of the installation.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Tell how they are: connections, waits, transactions, statements, and what takes long. Asks the running server.
    Status(Status),
    /// Report what is slow, which indexes lack or idle, and how tables grow. Asks the running server.
    Analyze(Analyze),
    /// Bring all databases to this version's schema: the system's, one organisation's, some, then the rest.
    Migrate(migrate::Migrate),
    /// Undo the latest migrations, before an earlier version is started again.
    Rollback(rollback::Rollback),
    /// Print the SQL that migrating or rolling back would run; nothing is changed.
    Plan(plan::Plan),
    /// Tell how each database stands to this version's schema; nothing is changed.
    Schema(schema::Schema),
    /// Move all databases to a server, to another one, or back into files: compared row by row, and gone on with when stopped.
    Move(Box<relocate::Relocate>),
    /// Fill a new installation with believable data, to try Warren or to put load on it.
    Seed(Box<seed::Seed>),
}

impl Db {
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Status(command) => command.run().await,
            Self::Analyze(command) => command.run().await,
            Self::Migrate(command) => command.run().await,
            Self::Rollback(command) => command.run().await,
            Self::Plan(command) => command.run().await,
            Self::Schema(command) => command.run().await,
            Self::Move(command) => command.run().await,
            Self::Seed(command) => command.run().await,
        }
    }
}
