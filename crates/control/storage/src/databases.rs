//! All databases of an installation: the system's, and one per organisation opened on demand.

use std::{collections::HashSet, sync::Arc};

use warren_model::{Clock, OrganisationId, Random};

use crate::{
    Config, Conflict, Place, Standing, StorageError, SystemModels, TenantModels, WorkContext,
    database::{self, Database, Kind},
    engine::{Found, Site, Target},
    pool::Budget,
    replica::{Prober, Replicas},
    statements::Statements,
    tenants::Tenants,
    transaction::{TransactionManager, TransactionTally},
    watch::Watch,
};

/// The opened databases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Databases {
    system: SystemModels,
    system_kind: Arc<Kind>,
    tenants: Arc<Tenants>,
    replicas: Option<Arc<Replicas>>,
    /// Looks at the replicas as long as somebody has the databases.
    prober: Option<Arc<Prober>>,
    watch: Arc<Watch>,
}

impl Databases {
    /// Opens the system database, creating it when there is none, and brings it to this version's schema. After an unclean
    /// end it is checked first.
    ///
    /// # Errors
    /// Whatever keeps it from being used, naming the part and saying what to do: [`StorageError::Corrupt`],
    /// [`StorageError::NewerSchema`], [`StorageError::ReadOnly`], [`StorageError::DiskFull`], [`StorageError::Unreachable`],
    /// [`StorageError::AccessRefused`], [`StorageError::OldServer`], [`StorageError::ModelMissing`] and others.
    pub async fn open(config: Config, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, StorageError> {
        let (site, system_kind, tenant_kind) = kinds(&config, clock, random);
        site.prepare()?;
        let target = site.system();
        if !target.exists().await? {
            database::create(&target, &system_kind).await?;
        }
        let system = SystemModels::new(Database::open(target.clone(), &system_kind).await?);
        let replicas = system_kind.replicas.clone();
        let prober = replicas.as_ref().map(|replicas| Arc::new(Prober::start(&target, replicas)));
        let tenants = Tenants::new(site, config.open_tenants_max.max(1), tenant_kind, system.clone());
        let watch = Arc::new(Watch::new(config.watch));
        Ok(Self { system, system_kind, tenants: Arc::new(tenants), replicas, prober, watch })
    }

    /// Looks what is there before anything is opened or made.
    ///
    /// # Errors
    /// Those of reaching it.
    pub async fn look(standing: &Standing) -> Result<WhatIsThere, StorageError> {
        let site = Site::of(standing);
        site.prepare()?;
        let system = site.system();
        let tenants = site.found().await?.iter().filter(|found| matches!(found, Found::Tenant(_))).count();
        Ok(WhatIsThere { system: database::holds_schema(&system).await?, tenants, place: system.place() })
    }

    /// What the whole installation shares.
    pub const fn system_models(&self) -> &SystemModels {
        &self.system
    }

    /// Creates the database of a new organisation. Do so before its row is committed: a database without a row is an orphan,
    /// which [`Databases::discard_orphan_tenants`] removes.
    ///
    /// # Errors
    /// [`Conflict::Exists`] when it has one, [`StorageError::DiskFull`], [`StorageError::ReadOnly`],
    /// [`StorageError::Unavailable`]
    pub async fn create_tenant(&self, id: OrganisationId) -> Result<(), StorageError> {
        let target = self.tenants.site().tenant(id);
        if target.exists().await? {
            return Err(Conflict::Exists.into());
        }
        database::create(&target, self.tenants.kind()).await
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
        for found in self.tenants.site().found().await? {
            let id = match found {
                Found::Unfinished(path) => {
                    Target::File(path).remove().await?;
                    discarded += 1;
                    continue;
                }
                Found::Tenant(id) if known.contains(&id) => continue,
                Found::Tenant(id) => id,
            };
            if self.tenant_models(id).await?.is_untouched().await? {
                self.tenants.close(id).await;
                self.tenants.site().tenant(id).remove().await?;
                discarded += 1;
            } else {
                tracing::warn!(organisation = %id, "a database that no organisation has is not empty and stays");
            }
        }
        Ok(discarded)
    }

    /// Says that `work` has to see what was written up to now as if its author had written it: somebody else did so for them.
    pub fn wrote_for(&self, work: &WorkContext) {
        self.system.pools().wrote(work);
    }

    pub(crate) fn replicas(&self) -> Option<&Replicas> {
        self.replicas.as_deref()
    }

    pub(crate) const fn tenants(&self) -> &Arc<Tenants> {
        &self.tenants
    }

    pub(crate) const fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// What the system database has in common with its like, and what the organisations' databases have.
    pub(crate) fn kinds(&self) -> (&Arc<Kind>, &Arc<Kind>) {
        (&self.system_kind, self.tenants.kind())
    }

    /// Where the database of an organisation stands, whether or not it is there.
    pub fn place_of(&self, id: OrganisationId) -> Place {
        self.tenants.site().tenant(id).place()
    }

    /// How many organisations' databases are open now.
    pub fn open_tenants(&self) -> usize {
        self.tenants.count()
    }

    /// The organisations whose databases are open now.
    pub fn open_organisations(&self) -> Vec<OrganisationId> {
        self.tenants.open_now().into_iter().map(|(organisation, _)| organisation).collect()
    }

    /// Waits for what is under way, empties the write-ahead logs and closes everything. Later calls find storage busy.
    pub async fn close(self) {
        if let Some(prober) = &self.prober {
            prober.stop().await;
        }
        self.tenants.close_all().await;
        self.system.pools().close().await;
    }
}

/// What stands where an installation's databases are to be.
#[derive(Debug, Clone)]
pub struct WhatIsThere {
    /// Whether there is a system database with a schema in it. A server's may have been made, empty, beforehand.
    pub system: bool,
    /// How many organisations' databases there are.
    pub tenants: usize,
    /// Where the system database is, or would be.
    pub place: Place,
}

/// Where the databases stand, and what each kind of them has in common.
pub(crate) fn kinds(config: &Config, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> (Site, Arc<Kind>, Arc<Kind>) {
    let site = Site::of(&config.standing);
    let budget = matches!(site, Site::Server(_))
        .then(|| Budget::new(config.connections_per_server_max, config.server_dependency()));
    let replicas = Replicas::of(config).map(Arc::new);
    let manager = Arc::new(TransactionManager::new(random));
    let kind = |name, migrations, models, readers| {
        Arc::new(Kind {
            name,
            migrations,
            models,
            writing: config.writing(),
            reading: config.reading(readers),
            reading_from_replicas: config.reading_from_replicas(),
            replicas: replicas.clone(),
            budget: budget.clone(),
            clock: Arc::clone(&clock),
            manager: Arc::clone(&manager),
            statements: Statements::new(config.slow_from),
            transactions: TransactionTally::default(),
            written: Arc::default(),
            read: Arc::default(),
        })
    };
    let readers = config.readers_per_database;
    let system_kind = kind(database::SYSTEM, config.schema.system, SystemModels::REGISTRY, readers);
    let tenant_kind = kind(database::TENANT, config.schema.tenant, TenantModels::REGISTRY, readers / 2);
    (site, system_kind, tenant_kind)
}

impl Site {
    pub(crate) fn of(standing: &Standing) -> Self {
        match standing {
            Standing::Folder(folder) => Self::Folder(folder.clone()),
            Standing::Server(servers) => Self::Server(servers.primary().clone()),
        }
    }
}
