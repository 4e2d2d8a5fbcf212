//! All databases of an installation: the system's, and one per organisation opened on demand.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use warren_model::{Clock, OrganisationId};
use warren_schema::{SystemMigrator, TenantMigrator};

use crate::{
    Conflict, StorageError, SystemModels, TenantModels,
    database::{self, Database, Settings, UNFINISHED},
    tenants::Tenants,
};

/// Where the databases are, and how many connections they may take. Each connection is a thread.
#[derive(Debug, Clone)]
pub struct Config {
    /// Holds `system.sqlite` and `tenants/`. Must exist.
    pub folder: PathBuf,
    /// How many organisations' databases are open at once; opening another closes the one unused for longest.
    pub open_tenants_max: usize,
    /// Reading connections to the system database; a tenant database has half of them, at least one. Writers have one each.
    pub readers_per_database: u32,
    /// How long anybody waits for a connection.
    pub acquire_timeout: Duration,
}

impl Config {
    /// The usual bounds: 256 open tenants, four readers, five seconds.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder, open_tenants_max: 256, readers_per_database: 4, acquire_timeout: Duration::from_secs(5) }
    }
}

/// The opened databases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Databases {
    system: SystemModels,
    tenants: Arc<Tenants>,
}

impl Databases {
    /// Opens the system database, creating it when there is none, and brings it to this version's schema. After an unclean
    /// end it is checked first.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`], [`StorageError::NewerSchema`], [`StorageError::ReadOnly`], [`StorageError::DiskFull`],
    /// [`StorageError::Unavailable`]
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let file = config.folder.join("system.sqlite");
        let tenants_folder = config.folder.join("tenants");
        warren_runtime::files::ensure_private_dir(&tenants_folder).map_err(|error| match error {
            warren_runtime::files::FileError::Io { source, .. } => StorageError::of_file(source, &tenants_folder),
            error @ warren_runtime::files::FileError::TooOpen { .. } => {
                StorageError::Unavailable { file: tenants_folder.clone(), source: Arc::new(error) }
            }
        })?;
        if !exists(&file)? {
            database::create::<SystemMigrator>(&file).await?;
        }
        let settings =
            Settings { readers: config.readers_per_database.max(1), acquire_timeout: config.acquire_timeout, clock };
        let system = Database::open::<SystemMigrator>(file, None, &settings).await?;
        let of_tenants = Settings { readers: (settings.readers / 2).max(1), ..settings };
        let tenants = Tenants::new(tenants_folder, config.open_tenants_max.max(1), of_tenants);
        Ok(Self { system: SystemModels::new(system), tenants: Arc::new(tenants) })
    }

    /// What the whole installation shares.
    pub const fn system_models(&self) -> &SystemModels {
        &self.system
    }

    /// Creates the database of a new organisation. Do so before its row is committed: a file without a row is an orphan, which
    /// [`Databases::discard_orphan_tenants`] removes.
    ///
    /// # Errors
    /// [`Conflict::Exists`] when it has one, [`StorageError::DiskFull`], [`StorageError::ReadOnly`],
    /// [`StorageError::Unavailable`]
    pub async fn create_tenant(&self, id: OrganisationId) -> Result<(), StorageError> {
        let file = self.tenants.file_of(id);
        if exists(&file)? {
            return Err(Conflict::Exists.into());
        }
        database::create::<TenantMigrator>(&file).await
    }

    /// The models of one organisation. While the handle lives its database stays open; at most the configured number are, and
    /// asking for one more waits until another is let go.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] without a database, [`StorageError::Busy`] when all that may be open are in use,
    /// and what [`Databases::open`] gives.
    pub async fn tenant_models(&self, id: OrganisationId) -> Result<TenantModels, StorageError> {
        Arc::clone(&self.tenants).open(id).await
    }

    /// Removes databases that no organisation has, left by a creation that was killed, and returns how many. One in which
    /// something was kept already is left alone: then the system database is the older one.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`], [`StorageError::ReadOnly`]
    pub async fn discard_orphan_tenants(&self) -> Result<usize, StorageError> {
        let known: HashSet<OrganisationId> = self.system.organisations().all_ids().await?.into_iter().collect();
        let mut discarded = 0;
        for path in listed(self.tenants.folder())? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(UNFINISHED) {
                database::remove(&path)?;
                discarded += 1;
                continue;
            }
            let Some(Ok(id)) = name.strip_suffix(".sqlite").map(str::parse::<OrganisationId>) else { continue };
            if known.contains(&id) {
                continue;
            }
            if self.tenant_models(id).await?.is_untouched().await? {
                self.tenants.close(id).await;
                database::remove(&path)?;
                discarded += 1;
            } else {
                tracing::warn!(organisation = %id, "a database that no organisation has is not empty and stays");
            }
        }
        Ok(discarded)
    }

    /// How many organisations' databases are open now.
    pub fn open_tenants(&self) -> usize {
        self.tenants.count()
    }

    /// Waits for what is under way, empties the write-ahead logs and closes everything. Later calls find storage busy.
    pub async fn close(self) {
        self.tenants.close_all().await;
        self.system.close().await;
    }
}

fn exists(file: &Path) -> Result<bool, StorageError> {
    file.try_exists().map_err(|error| StorageError::of_file(error, file))
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(|error| StorageError::of_file(error, folder))
}
