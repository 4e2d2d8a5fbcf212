//! The databases of an installation that is not running: how they stand to this program's schema, and bringing them there.

use std::sync::Arc;

use sea_orm::{EntityTrait, FromQueryResult, QueryOrder, QueryTrait};
use tokio::task::JoinSet;
use warren_model::{Clock, OrganisationId, OrganisationState, Random};
use warren_schema::{
    migrations::Migration,
    system::{organisation, tenant_migration},
};

use super::{
    Direction, Losses, MigrationView, PARALLEL_MAX, PlannedMigration, Progress, RolloutOptions, RolloutReport, apply,
    look, rollout::Rollout, undo, visit,
};
use crate::{
    Config, Engine, Place, StorageError, SystemModels,
    database::{Database, Kind},
    databases,
    engine::{Answer as _, Connection, Fault, Role, Site, Target, decoding},
    stored::parsed,
    system::{TenantMigration, tenant_migrations},
};

/// The databases of an installation that is not running. Nothing is changed but by what is called for it.
#[derive(Debug)]
pub struct Maintenance {
    site: Site,
    system: Arc<Kind>,
    tenant: Arc<Kind>,
}

/// An organisation, as the list of databases needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantEntry {
    pub id: OrganisationId,
    pub slug: String,
    pub state: OrganisationState,
}

/// How all databases stand to this program's schema.
#[derive(Debug, Clone)]
pub struct SchemaStatus {
    pub engine: Engine,
    pub system: DatabaseSchema,
    /// The oldest organisation first.
    pub tenants: Vec<TenantSchema>,
}

/// How one database stands to this program's schema.
#[derive(Debug, Clone)]
pub struct DatabaseSchema {
    pub place: Place,
    /// Every migration that this program or the database knows, or why that could not be read.
    pub migrations: Result<Vec<MigrationView>, StorageError>,
}

/// How one organisation's database stands to this program's schema.
#[derive(Debug, Clone)]
pub struct TenantSchema {
    pub organisation: TenantEntry,
    pub schema: DatabaseSchema,
    /// What the system database noted of its last migration.
    pub noted: Option<TenantMigration>,
}

impl Maintenance {
    /// The databases where `config` says. Whoever calls makes sure that no other process works with them.
    pub fn new(config: &Config, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let (site, system, tenant) = databases::kinds(config, clock, random);
        Self { site, system, tenant }
    }

    /// Where the system database stands.
    pub fn place(&self) -> Place {
        self.site.system().place()
    }

    /// Whether there is a system database.
    ///
    /// # Errors
    /// Those of reaching the server.
    pub async fn is_there(&self) -> Result<bool, StorageError> {
        self.site.system().exists().await
    }

    /// Every organisation that the system database knows, the oldest first.
    ///
    /// # Errors
    /// Those of reaching and reading the system database.
    pub async fn organisations(&self) -> Result<Vec<TenantEntry>, StorageError> {
        let target = self.site.system();
        let mut connection = visit::enter(&target, Role::reading(target.engine())).await?;
        let found = organisations(&mut connection, &target.place()).await;
        let _ = connection.close().await;
        found
    }

    /// How all databases stand to this program's schema; `parallel` of them are looked at together.
    ///
    /// # Errors
    /// Those of reaching and reading the system database. What is wrong with an organisation's stands beside it.
    pub async fn look(&self, parallel: usize) -> Result<SchemaStatus, StorageError> {
        let target = self.site.system();
        let place = target.place();
        let mut connection = visit::enter(&target, Role::reading(target.engine())).await?;
        let read = async {
            let migrations = look::look(&mut connection, self.system.migrations, &place).await;
            let entries = organisations(&mut connection, &place).await?;
            let notes = notes(&mut connection, &place).await?;
            Ok::<_, StorageError>((migrations, entries, notes))
        };
        let read = read.await;
        let _ = connection.close().await;
        let (migrations, entries, notes) = read?;
        let schemas = self.look_at(&entries, parallel).await;
        let tenants = entries.into_iter().zip(schemas).map(|(organisation, schema)| TenantSchema {
            noted: notes.iter().find(|note| note.organisation == organisation.id).cloned(),
            organisation,
            schema,
        });
        let tenants = tenants.collect();
        Ok(SchemaStatus { engine: target.engine(), system: DatabaseSchema { place, migrations }, tenants })
    }

    async fn look_at(&self, entries: &[TenantEntry], parallel: usize) -> Vec<DatabaseSchema> {
        let (mut looking, mut waiting) = (JoinSet::new(), entries.iter().enumerate());
        let mut found: Vec<Option<DatabaseSchema>> = entries.iter().map(|_| None).collect();
        loop {
            while looking.len() < parallel.clamp(1, PARALLEL_MAX)
                && let Some((at, entry)) = waiting.next()
            {
                let (target, known) = (self.site.tenant(entry.id), self.tenant.migrations);
                looking.spawn(async move { (at, look_at_one(&target, known).await) });
            }
            match looking.join_next().await {
                Some(Ok((at, schema))) => found[at] = Some(schema),
                Some(Err(error)) => tracing::error!(%error, "looking at a database failed"),
                None => break,
            }
        }
        let unseen = |entry: &TenantEntry| {
            let place = self.site.tenant(entry.id).place();
            DatabaseSchema { place: place.clone(), migrations: Err(StorageError::Busy) }
        };
        found.into_iter().zip(entries).map(|(schema, entry)| schema.unwrap_or_else(|| unseen(entry))).collect()
    }

    /// What migrating a database that stands as `views` would run: the system's, or an organisation's.
    pub fn plan_up(&self, of: Option<OrganisationId>, views: &[MigrationView]) -> Vec<PlannedMigration> {
        let kind = if of.is_some() { &self.tenant } else { &self.system };
        look::plan_up(kind.migrations, views, self.site.system().engine().backend())
    }

    /// What rolling back the last `migrations` of a database would run, and lose: the system's, or an organisation's.
    ///
    /// # Errors
    /// As [`Maintenance::roll_back`].
    pub async fn plan_down(
        &self,
        of: Option<OrganisationId>,
        migrations: usize,
    ) -> Result<Vec<PlannedMigration>, StorageError> {
        let (target, known) = self.one(of);
        let mut connection = visit::enter(&target, Role::reading(target.engine())).await?;
        let planned = look::plan_down(&mut connection, known, migrations, &target.place()).await;
        let _ = connection.close().await;
        planned
    }

    /// Rolls back the last `migrations` of one database, the system's or an organisation's, and gives their names, the latest
    /// first. Roll the organisations' back before the system's.
    ///
    /// # Errors
    /// [`StorageError::NewerSchema`] when a later version wrote it, [`StorageError::ChangedMigration`],
    /// [`StorageError::RollbackLoses`], [`StorageError::RollbackFailed`], [`StorageError::MigrationLocked`], and those of
    /// reaching it.
    pub async fn roll_back(
        &self,
        of: Option<OrganisationId>,
        migrations: usize,
        losses: Losses,
    ) -> Result<Vec<&'static str>, StorageError> {
        let (target, known) = self.one(of);
        change(&target, known, Direction::Down { migrations, losses }, self.system.clock.as_ref()).await
    }

    /// Brings the system database to this program's schema and no other, and gives the names of what was applied.
    ///
    /// # Errors
    /// [`StorageError::NewerSchema`], [`StorageError::ChangedMigration`], [`StorageError::MigrationFailed`],
    /// [`StorageError::MigrationLocked`], and those of reaching it.
    pub async fn migrate_system(&self) -> Result<Vec<&'static str>, StorageError> {
        change(&self.site.system(), self.system.migrations, Direction::Up, self.system.clock.as_ref()).await
    }

    /// Brings the databases of all organisations in `direction`: a canary, then some, then the rest. The system database has to
    /// be at this program's schema. What happens is told to `progress`, and noted in the system database: done again after a
    /// kill, it goes on where it was.
    ///
    /// # Errors
    /// Those of the system database. What an organisation's database gives stands in the report.
    pub async fn roll_out(
        &self,
        direction: Direction,
        options: &RolloutOptions,
        progress: impl FnMut(Progress<'_>),
    ) -> Result<RolloutReport, StorageError> {
        let entries = self.organisations().await?;
        let system = SystemModels::new(Database::open(self.site.system(), &self.system).await?);
        let rollout = Rollout::new(&self.site, &self.tenant, &system, (direction, options), progress);
        let report = match rollout.await {
            Ok(rollout) => rollout.run(entries).await,
            Err(error) => Err(error),
        };
        system.pools().close().await;
        report
    }

    fn one(&self, of: Option<OrganisationId>) -> (Target, &'static [Migration]) {
        match of {
            Some(id) => (self.site.tenant(id), self.tenant.migrations),
            None => (self.site.system(), self.system.migrations),
        }
    }
}

/// Brings one database in `direction`, and gives the names of the migrations that this took.
pub(super) async fn change(
    target: &Target,
    known: &[Migration],
    direction: Direction,
    clock: &dyn Clock,
) -> Result<Vec<&'static str>, StorageError> {
    let place = target.place();
    let mut connection = visit::enter_to_change(target).await?;
    let outcome = match direction {
        Direction::Up => apply::bring_up(&mut connection, known, &place, clock).await,
        Direction::Down { migrations, losses } => {
            undo::bring_down(&mut connection, known, (migrations, losses), &place).await
        }
    };
    visit::leave_changed(connection, target, outcome).await
}

async fn look_at_one(target: &Target, known: &[Migration]) -> DatabaseSchema {
    let place = target.place();
    let migrations = match visit::enter(target, Role::reading(target.engine())).await {
        Ok(mut connection) => {
            let views = look::look(&mut connection, known, &place).await;
            let _ = connection.close().await;
            views
        }
        Err(error) => Err(error),
    };
    DatabaseSchema { place, migrations }
}

/// Every organisation; none in a system database that has no table for them yet.
async fn organisations(connection: &mut Connection, place: &Place) -> Result<Vec<TenantEntry>, StorageError> {
    let query = organisation::Entity::find()
        .order_by_asc(organisation::Column::CreatedAt)
        .order_by_asc(organisation::Column::Id);
    let rows: Vec<organisation::Model> = rows_of(connection, query, place).await?;
    let entry = |row: organisation::Model| {
        let state = parsed(&row.state, "state")?;
        Ok(TenantEntry { id: OrganisationId::from_uuid(row.id), slug: row.slug, state })
    };
    let entries: Result<_, crate::stored::Undecodable> = rows.into_iter().map(entry).collect();
    entries.map_err(|error| StorageError::Corrupt { place: place.clone(), detail: error.to_string() })
}

async fn notes(connection: &mut Connection, place: &Place) -> Result<Vec<TenantMigration>, StorageError> {
    let rows = rows_of(connection, tenant_migration::Entity::find(), place).await?;
    let notes: Result<_, _> = rows.into_iter().map(tenant_migrations::decode).collect();
    notes.map_err(|error| StorageError::Corrupt { place: place.clone(), detail: error.to_string() })
}

/// All rows of `query`; none where its table is not there yet.
async fn rows_of<M: FromQueryResult>(
    connection: &mut Connection,
    query: impl QueryTrait,
    place: &Place,
) -> Result<Vec<M>, StorageError> {
    let statement = query.build(connection.engine().backend());
    let failed = |error| StorageError::from_driver(&Arc::new(error), place);
    let rows = match Vec::ask(connection, statement).await {
        Ok(rows) => rows,
        Err(error) if matches!(Fault::of(&error), Fault::Missing(_)) => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    rows.iter().map(|row| M::from_query_result(row, "").map_err(decoding)).collect::<Result<_, _>>().map_err(failed)
}
