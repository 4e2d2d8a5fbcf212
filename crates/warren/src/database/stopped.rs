//! The databases of an installation that does not run, held for one command.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use warren_app::maintenance::{self, Maintenance, StorageError};
use warren_model::{OrganisationId, OrganisationSlug};
use warren_runtime::{
    SystemClock, SystemRandom,
    lock::{FolderLock, LockError},
};

use super::DatabaseOptions;
use crate::{Failure, folder};

/// Which installation; it must not be running.
#[derive(Debug, Clone, Args)]
pub struct StoppedInstallation {
    /// The data folder of the installation.
    #[arg(long, env = "WARREN_DATA", default_value = folder::DEFAULT, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    database: DatabaseOptions,
}

/// Its databases, with the lock that keeps `warren up` from starting meanwhile.
#[derive(Debug)]
pub struct Held {
    pub maintenance: Maintenance,
    _lock: FolderLock,
}

impl StoppedInstallation {
    /// Locks the data folder.
    ///
    /// # Errors
    /// [`Failure::InUse`] while Warren runs on it, [`Failure::NoInstallation`] when there is none.
    pub async fn hold(&self) -> Result<Held, Failure> {
        let Ok(data) = std::fs::canonicalize(&self.data) else {
            return Err(Failure::NoInstallation(self.data.display().to_string()));
        };
        let lock = FolderLock::acquire(&data).map_err(|error| match error {
            LockError::Held { folder, pid } => Failure::InUse { folder, pid },
            error @ LockError::Io { .. } => error.into(),
        })?;
        let standing = self.database.standing(&data)?;
        let maintenance = maintenance::of(standing, Arc::new(SystemClock), Arc::new(SystemRandom));
        if !maintenance.is_there().await? {
            return Err(Failure::NoInstallation(maintenance.place().to_string()));
        }
        Ok(Held { maintenance, _lock: lock })
    }
}

impl Held {
    /// The organisation that is called so.
    ///
    /// # Errors
    /// [`Failure::NotFound`]
    pub async fn organisation(&self, slug: &OrganisationSlug) -> Result<OrganisationId, Failure> {
        let organisations = self.maintenance.organisations().await?;
        let found = organisations.iter().find(|organisation| organisation.slug == slug.as_str());
        found.map(|organisation| organisation.id).ok_or_else(|| Failure::NotFound {
            thing: "organisation",
            name: slug.to_string(),
            list: "db schema --all",
        })
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Database(Box::new(error))
    }
}
