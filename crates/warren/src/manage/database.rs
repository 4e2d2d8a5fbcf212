//! `warren db`: the databases.

mod status;

use clap::{Args, Subcommand};

use super::scope::Reach;
use crate::Failure;

/// The databases.
#[derive(Debug, Args)]
pub struct Db {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// How they are: connections, waits, transactions, statements, and what takes long.
    Status(status::Status),
}

impl Db {
    pub async fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Status(status) => status.run(&self.reach.console()).await,
        }
    }
}
