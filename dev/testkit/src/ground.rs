//! What one test's installation stands on: a data folder, and databases in it or on a server.

use std::path::Path;

use anyhow::Context;
use tempfile::TempDir;

use crate::servers::{FreshDatabases, ServerKind};

/// A kind of database that Warren runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    MariaDb,
    PostgreSql,
}

/// A data folder, and where the databases are; gone with the value.
#[derive(Debug)]
pub struct Ground {
    folder: TempDir,
    server: Option<FreshDatabases>,
}

impl Ground {
    /// A fresh one. Servers are those of this run.
    ///
    /// # Errors
    /// As [`FreshDatabases::of_this_run`].
    pub fn of(database: Database) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("warren-").context("cannot make a folder")?;
        let server = match database {
            Database::Sqlite => None,
            Database::MariaDb => Some(FreshDatabases::of_this_run(ServerKind::MariaDb)?),
            Database::PostgreSql => Some(FreshDatabases::of_this_run(ServerKind::PostgreSql)?),
        };
        Ok(Self { folder, server })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The databases on a server; none when they are files in the folder.
    pub const fn server(&self) -> Option<&FreshDatabases> {
        self.server.as_ref()
    }

    /// The URL of the system database on a server; none when it is a file.
    pub fn database_url(&self) -> Option<String> {
        self.server.as_ref().map(FreshDatabases::url)
    }
}
