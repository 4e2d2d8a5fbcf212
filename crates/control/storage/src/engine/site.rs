//! Where the databases of an installation stand: files in a folder, or databases of one server named after the system's.

use std::path::PathBuf;

use warren_model::OrganisationId;

use super::{DatabaseUrl, Target, address::Server, folder, server};
use crate::StorageError;

/// The place of all databases of an installation.
#[derive(Debug, Clone)]
pub(crate) enum Site {
    /// `system.sqlite` and `tenants/<id>.sqlite` in this folder.
    Folder(PathBuf),
    /// `<name>` and `<name>_<id>` on this server.
    Server(DatabaseUrl),
}

/// A database that stands there, and whose it is.
#[derive(Debug)]
pub(crate) enum Found {
    Tenant(OrganisationId),
    /// What a creation that was killed left behind.
    Unfinished(PathBuf),
}

impl Site {
    pub fn system(&self) -> Target {
        match self {
            Self::Folder(folder) => Target::File(folder.join("system.sqlite")),
            Self::Server(url) => match &url.0 {
                Server::MariaDb(options) => Target::MariaDb(options.clone()),
                Server::PostgreSql(options) => Target::PostgreSql(options.clone()),
            },
        }
    }

    pub fn tenant(&self, id: OrganisationId) -> Target {
        match self {
            Self::Folder(folder) => Target::File(folder.join("tenants").join(format!("{id}.sqlite"))),
            Self::Server(_) => self.system().beside(&id),
        }
    }

    /// Makes what has to be there before any database.
    pub fn prepare(&self) -> Result<(), StorageError> {
        match self {
            Self::Folder(folder) => folder::prepare(&folder.join("tenants")),
            Self::Server(_) => Ok(()),
        }
    }

    /// The databases of organisations that stand there, whether or not an organisation knows of them.
    pub async fn found(&self) -> Result<Vec<Found>, StorageError> {
        match self {
            Self::Folder(folder) => folder::found(&folder.join("tenants")),
            Self::Server(_) => server::found(&self.system()).await,
        }
    }
}

impl Target {
    /// Whether the database is there.
    pub async fn exists(&self) -> Result<bool, StorageError> {
        match self {
            Self::File(path) => folder::exists(path),
            Self::MariaDb(_) | Self::PostgreSql(_) => server::exists(self).await,
        }
    }

    /// Removes the database with all that it holds.
    pub async fn remove(&self) -> Result<(), StorageError> {
        match self {
            Self::File(path) => folder::remove(path),
            Self::MariaDb(_) | Self::PostgreSql(_) => server::remove(self).await,
        }
    }

    /// Whose database it is, by its name; none for the system's.
    pub fn organisation(&self) -> Option<OrganisationId> {
        let name = match self {
            Self::File(path) => path.file_stem()?.to_str()?,
            Self::MariaDb(options) => options.get_database()?.rsplit('_').next()?,
            Self::PostgreSql(options) => options.get_database()?.rsplit('_').next()?,
        };
        name.parse().ok()
    }

    /// The database of an organisation whose system database this is.
    fn beside(&self, id: &OrganisationId) -> Self {
        let named = |system: Option<&str>| format!("{}_{}", system.unwrap_or_default(), id.uuid().simple());
        match self {
            Self::MariaDb(options) => {
                Self::MariaDb(Box::new((**options).clone().database(&named(options.get_database()))))
            }
            Self::PostgreSql(options) => {
                Self::PostgreSql(Box::new((**options).clone().database(&named(options.get_database()))))
            }
            Self::File(path) => Self::File(path.clone()),
        }
    }
}
