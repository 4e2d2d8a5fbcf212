//! Moves one database: made empty with the schema of this build, filled, and compared over a connection of its own.

use std::sync::Arc;

use warren_model::Clock;
use warren_schema::migrations::{self, Migration};

use super::{
    MoveError, MoveProgress, Table,
    copy::{End, copy},
    mark::Mark,
    order::parents_first,
    page::content_of,
    sql,
    verify::verify,
};
use crate::{
    Place, StorageError, SystemModels, TenantModels, database,
    engine::{Connection, Role, Target, decoding, folder},
    migration::{self, Ledger},
    models::Model,
};

/// What a kind of database consists of.
#[derive(Debug)]
pub(super) struct Family {
    pub migrations: &'static [Migration],
    /// Parents first.
    pub tables: Vec<Table>,
}

impl Family {
    pub fn system() -> Self {
        Self::of(migrations::SYSTEM, SystemModels::REGISTRY)
    }

    pub fn tenant() -> Self {
        Self::of(migrations::TENANT, TenantModels::REGISTRY)
    }

    fn of(migrations: &'static [Migration], models: &[Model]) -> Self {
        Self { migrations, tables: parents_first(models, migrations) }
    }
}

/// Opens a database to read it, and makes sure that it is sound and holds exactly what this build knows.
///
/// # Errors
/// [`StorageError::Corrupt`], [`StorageError::NewerSchema`], [`StorageError::ChangedMigration`],
/// [`MoveError::NotMigrated`], [`MoveError::UnknownTable`], and what the database gives.
pub(super) async fn open_source(target: &Target, family: &Family) -> Result<End, MoveError> {
    let mut end = connect(target, Role::Reader, target.place()).await?;
    let failed = |error: sqlx::Error| StorageError::from_driver(&Arc::new(error), &target.place());
    if let Target::File(_) = target {
        database::check_integrity(&mut end.connection, &end.place).await?;
    }
    let backend = end.connection.engine().backend();
    let applied = Ledger { connection: &mut end.connection }.read().await.map_err(failed)?;
    let lacking = migration::missing(&applied, family.migrations, |known| known.checksum(backend), &end.place)?;
    if let Some(lacking) = lacking.first() {
        return Err(MoveError::NotMigrated { place: end.place, lacks: lacking.name.to_owned() });
    }
    for name in table_names(&mut end.connection).await.map_err(failed)? {
        let is_known = family.tables.iter().any(|table| table.name == name)
            || name == migration::LEDGER
            || name == Mark::MovedAway.table();
        if !is_known {
            return Err(MoveError::UnknownTable { place: end.place, table: name });
        }
    }
    Ok(end)
}

/// The hash of what the database at `source` holds now.
pub(super) async fn content(source: &Target, family: &Family) -> Result<String, MoveError> {
    let mut end = open_source(source, family).await?;
    let hash = content_of(&mut end.connection, &family.tables, &end.place).await?;
    close(end).await;
    Ok(hash)
}

/// Moves an organisation's database, and gives the hash of what it holds. What an earlier try left at the target is replaced.
pub(super) async fn relocate_tenant(
    source: &Target,
    target: &Target,
    family: &Family,
    clock: &dyn Clock,
    progress: &MoveProgress,
) -> Result<String, MoveError> {
    let mut from = open_source(source, family).await?;
    let hash = match target {
        Target::File(file) => {
            let unfinished = folder::begin(file)?;
            let made = Target::File(unfinished.clone());
            let hash = fill(&mut from, (&made, Role::Maker), target.place(), family, clock, progress).await?;
            target.remove().await?;
            folder::publish(&unfinished, file)?;
            hash
        }
        Target::MariaDb(_) | Target::PostgreSql(_) => {
            target.make_on_server().await?;
            fill(&mut from, (target, Role::Both), target.place(), family, clock, progress).await?
        }
    };
    close(from).await;
    Ok(hash)
}

/// Moves the system database into the one that holds the target's mark, which stays.
pub(super) async fn relocate_system(
    source: &Target,
    target: &Target,
    family: &Family,
    clock: &dyn Clock,
    progress: &MoveProgress,
) -> Result<(), MoveError> {
    let mut from = open_source(source, family).await?;
    fill(&mut from, (target, writing(target)), target.place(), family, clock, progress).await?;
    close(from).await;
    Ok(())
}

async fn fill(
    from: &mut End,
    (target, role): (&Target, Role),
    place: Place,
    family: &Family,
    clock: &dyn Clock,
    progress: &MoveProgress,
) -> Result<String, MoveError> {
    let mut to = connect(target, role, place.clone()).await?;
    empty(&mut to).await?;
    migration::bring_up(&mut to.connection, family.migrations, &place, clock).await?;
    copy(from, &mut to, &family.tables, progress).await?;
    close(to).await;
    // By another connection, which sees only what was committed.
    let mut to = connect(target, if role == Role::Maker { role } else { writing(target) }, place).await?;
    let hash = verify(from, &mut to, &family.tables, progress).await?;
    close(to).await;
    Ok(hash)
}

/// Drops every table but the mark.
async fn empty(end: &mut End) -> Result<(), StorageError> {
    let failed = |error: sqlx::Error| StorageError::from_driver(&Arc::new(error), &end.place);
    let mut names = table_names(&mut end.connection).await.map_err(failed)?;
    names.retain(|name| name != Mark::Unfinished.table());
    if names.is_empty() {
        return Ok(());
    }
    end.connection.run(&sql::drop_tables(end.connection.engine(), &names)).await.map_err(failed)
}

/// The role of a connection that changes a database in use.
pub(super) fn writing(target: &Target) -> Role {
    if target.engine().writes_alone() { Role::Writer } else { Role::Both }
}

pub(super) async fn connect(target: &Target, role: Role, place: Place) -> Result<End, StorageError> {
    match target.connect(role).await {
        Ok(connection) => Ok(End { connection, place }),
        Err(error) => Err(StorageError::from_driver(&Arc::new(error), &place)),
    }
}

pub(super) async fn close(end: End) {
    if let Err(error) = end.connection.close().await {
        tracing::debug!(%error, database = %end.place, "a connection did not close in order");
    }
}

/// The names of all tables of a database.
pub(super) async fn table_names(connection: &mut Connection) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection.ask(sql::tables(connection.engine()), Vec::new()).await?;
    rows.iter().map(|row| row.try_get_by_index(0).map_err(decoding)).collect()
}
