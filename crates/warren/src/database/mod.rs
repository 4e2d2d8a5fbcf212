//! `warren db`: where an installation's databases stand, and work on them that needs no running server.

mod migrate;
mod options;
mod plan;
mod rollback;
mod schema;
mod stopped;

use clap::Subcommand;

use crate::Failure;

pub use options::DatabaseOptions;

/// The databases of the installation.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Bring all databases to this version's schema: the system's, one organisation's, some, then the rest.
    Migrate(migrate::Migrate),
    /// Undo the latest migrations, before an earlier version is started again.
    Rollback(rollback::Rollback),
    /// Print the SQL that migrating or rolling back would run; nothing is changed.
    Plan(plan::Plan),
    /// Tell how each database stands to this version's schema; nothing is changed.
    Schema(schema::Schema),
}

impl Db {
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Migrate(command) => command.run().await,
            Self::Rollback(command) => command.run().await,
            Self::Plan(command) => command.run().await,
            Self::Schema(command) => command.run().await,
        }
    }
}
