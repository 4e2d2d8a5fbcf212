//! The database engines: how each is reached, what its errors mean, and where an installation's databases stand on it.

mod address;
mod connection;
mod fault;
pub(crate) mod folder;
pub(crate) mod server;
mod site;

use sea_orm::DbBackend;

pub(crate) use address::{BUSY_TIMEOUT, Role, STATEMENT_TIME_MAX, Target};
pub use address::{DatabaseUrl, DatabaseUrlError};
pub(crate) use connection::{Answer, Connection, decoding};
pub(crate) use fault::Fault;
pub use fault::RetryCause;
pub(crate) use site::{Found, Site};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The embedded default: a file for each database.
    Sqlite,
    /// MariaDB or MySQL.
    MariaDb,
    PostgreSql,
}

impl Engine {
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::MariaDb, Self::PostgreSql];

    /// Its name in URLs, metrics and log lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::MariaDb => "mariadb",
            Self::PostgreSql => "postgresql",
        }
    }

    pub(crate) const fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::MariaDb => DbBackend::MySql,
            Self::PostgreSql => DbBackend::Postgres,
        }
    }

    /// Whether one writer at a time is all that the engine takes.
    pub(crate) const fn writes_alone(self) -> bool {
        matches!(self, Self::Sqlite)
    }
}
