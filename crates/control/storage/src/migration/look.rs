//! How one database stands to the migrations that this program has, without changing anything.

use std::sync::Arc;

use warren_schema::migrations::{Migration, Phase};

use super::{
    ledger::{Applied, Ledger},
    undo,
};
use crate::{Place, StorageError, engine::Connection};

/// A migration, and whether a database has had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationView {
    pub name: String,
    /// None of one that this program does not know.
    pub phase: Option<Phase>,
    pub state: MigrationState,
}

/// Whether a database has had a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationState {
    Pending,
    /// It stopped on the way, which it can on MariaDB; migrating or rolling back goes on from there.
    Interrupted {
        steps_done: usize,
        steps: usize,
    },
    Applied,
    /// It was applied in another form than this program has.
    Changed,
    /// A later version applied it.
    Unknown,
}

/// What would be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMigration {
    pub name: &'static str,
    pub phase: Phase,
    /// SQL, in order.
    pub statements: Vec<String>,
    /// What is lost by it, in sentences.
    pub losses: Vec<String>,
}

/// Every migration that this program or the database knows, in order.
pub(super) async fn look(
    connection: &mut Connection,
    known: &[Migration],
    place: &Place,
) -> Result<Vec<MigrationView>, StorageError> {
    let backend = connection.engine().backend();
    let applied = Ledger { connection }.read_or_adopt(known).await;
    let applied = applied.map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
    let state = |migration: &Migration| match applied.iter().find(|entry| entry.name == migration.name) {
        None => MigrationState::Pending,
        Some(entry) if entry.checksum != migration.checksum(backend).to_string() => MigrationState::Changed,
        Some(entry) if entry.is_whole() => MigrationState::Applied,
        Some(Applied { steps_done, steps, .. }) => {
            MigrationState::Interrupted { steps_done: *steps_done, steps: *steps }
        }
    };
    let mut views: Vec<MigrationView> = known
        .iter()
        .map(|migration| MigrationView {
            name: migration.name.to_owned(),
            phase: Some(migration.phase),
            state: state(migration),
        })
        .collect();
    let unknown = applied.iter().filter(|entry| known.iter().all(|migration| migration.name != entry.name));
    views.extend(unknown.map(|entry| MigrationView {
        name: entry.name.clone(),
        phase: None,
        state: MigrationState::Unknown,
    }));
    Ok(views)
}

/// What migrating a database that stands as `views` would run.
pub(super) fn plan_up(
    known: &[Migration],
    views: &[MigrationView],
    backend: sea_orm::DbBackend,
) -> Vec<PlannedMigration> {
    let todo = known.iter().zip(views).filter_map(|(migration, view)| {
        let done = match view.state {
            MigrationState::Pending => 0,
            MigrationState::Interrupted { steps_done, .. } => steps_done,
            MigrationState::Applied | MigrationState::Changed | MigrationState::Unknown => return None,
        };
        Some(PlannedMigration {
            name: migration.name,
            phase: migration.phase,
            statements: migration.up(backend).split_off(done),
            losses: Vec::new(),
        })
    });
    todo.collect()
}

/// What rolling back the last `count` migrations would run, and lose.
pub(super) async fn plan_down(
    connection: &mut Connection,
    known: &[Migration],
    count: usize,
    place: &Place,
) -> Result<Vec<PlannedMigration>, StorageError> {
    let backend = connection.engine().backend();
    let mut planned = Vec::new();
    for (migration, entry) in undo::latest(connection, known, count, place).await? {
        // The step after those that are surely done may be done too.
        let begun = migration.undo(backend).into_iter().take(entry.steps_done + 1);
        planned.push(PlannedMigration {
            name: migration.name,
            phase: migration.phase,
            statements: begun.rev().flatten().collect(),
            losses: undo::losses_of(connection, migration, place).await?,
        });
    }
    Ok(planned)
}
