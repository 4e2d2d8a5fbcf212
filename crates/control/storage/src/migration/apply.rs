//! Applies what is missing: all of it or nothing where definitions are part of transactions (SQLite, PostgreSQL); step by
//! step, each noted in the ledger, where they are not (MariaDB), so that an interrupted migration goes on where it was.
//!
//! What the ledger says of an interrupted migration is true in both directions: the first `steps_done` steps are done; those
//! from there on may be done or not, unless it says that it is exact. Steps are noted after they were done, and before they
//! are undone.

use std::{sync::Arc, time::Instant};

use warren_model::Clock;
use warren_schema::migrations::Migration;

use super::{
    ledger::{Applied, Certainty, Ledger, missing},
    lock,
};
use crate::{
    Place, StorageError,
    engine::{Connection, Engine},
    stored::micros,
};

/// The numbers by which MariaDB says that a step was already done: the table, column or index is there, or gone
/// (<https://mariadb.com/kb/en/mariadb-error-codes/>).
const DONE_ALREADY: [u16; 5] = [1050, 1051, 1060, 1061, 1091];

/// Brings the database to `known`, and gives the names of the migrations that were applied.
///
/// # Errors
/// [`StorageError::NewerSchema`], [`StorageError::ChangedMigration`], [`StorageError::MigrationFailed`],
/// [`StorageError::MigrationLocked`], and what the database gives.
pub(crate) async fn bring_up(
    connection: &mut Connection,
    known: &[Migration],
    place: &Place,
    clock: &dyn Clock,
) -> Result<Vec<&'static str>, StorageError> {
    let backend = connection.engine().backend();
    let applied = Ledger { connection }.read().await;
    let applied = applied.map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
    if missing(&applied, known, |migration| migration.checksum(backend), place)?.is_empty() {
        return Ok(Vec::new());
    }
    lock::take(connection, place).await?;
    let outcome = apply_missing(connection, known, place, clock).await;
    lock::settle(connection, place, outcome).await
}

async fn apply_missing(
    connection: &mut Connection,
    known: &[Migration],
    place: &Place,
    clock: &dyn Clock,
) -> Result<Vec<&'static str>, StorageError> {
    let backend = connection.engine().backend();
    let failed = |error: sqlx::Error| StorageError::from_driver(&Arc::new(error), place);
    Ledger { connection }.make(known).await.map_err(failed)?;
    // Again, now that nobody else changes it.
    let applied = Ledger { connection }.read().await.map_err(failed)?;
    let mut names = Vec::new();
    for migration in missing(&applied, known, |migration| migration.checksum(backend), place)? {
        let interrupted = applied.iter().find(|entry| entry.name == migration.name);
        apply(connection, migration, interrupted, place, clock).await?;
        names.push(migration.name);
    }
    Ok(names)
}

async fn apply(
    connection: &mut Connection,
    migration: &Migration,
    interrupted: Option<&Applied>,
    place: &Place,
    clock: &dyn Clock,
) -> Result<(), StorageError> {
    let (backend, begun) = (connection.engine().backend(), Instant::now());
    let step_by_step = connection.engine() == Engine::MariaDb;
    let statements = migration.up(backend);
    let entry = |steps_done, certainty| Applied {
        name: migration.name.to_owned(),
        checksum: migration.checksum(backend).to_string(),
        steps: statements.len(),
        steps_done,
        applied_at: micros(clock.now()),
        took_ms: i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX),
        certainty,
    };
    let failed = |step: usize, error: sqlx::Error| StorageError::MigrationFailed {
        place: place.clone(),
        name: migration.name.to_owned(),
        step: step + 1,
        source: Arc::new(error),
    };
    let steps_done = interrupted.map_or(0, |entry| entry.steps_done);
    // What is there already is the migration's own only if it may have got there.
    let may_be_done = interrupted.is_some_and(|entry| entry.certainty == Certainty::UnderWay);
    if step_by_step {
        let begin = entry(steps_done, Certainty::UnderWay);
        Ledger { connection }.write(&begin).await.map_err(|error| failed(steps_done, error))?;
    }
    for (step, statement) in statements.iter().enumerate().skip(steps_done) {
        match connection.run(statement).await {
            Ok(()) => {}
            Err(error) if may_be_done && was_done_already(&error) => {}
            Err(error) => {
                // A refusal is certain, unlike a broken connection, on which this is not written either.
                if step_by_step {
                    let _ = Ledger { connection }.write(&entry(step, Certainty::Exact)).await;
                }
                return Err(failed(step, error));
            }
        }
        if step_by_step {
            let done = entry(step + 1, Certainty::UnderWay);
            Ledger { connection }.write(&done).await.map_err(|error| failed(step, error))?;
        }
    }
    let whole = entry(statements.len(), Certainty::Exact);
    Ledger { connection }.write(&whole).await.map_err(|error| failed(statements.len(), error))
}

/// Whether MariaDB says so: elsewhere nothing is ever half done.
pub(super) fn was_done_already(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() else { return false };
    DONE_ALREADY.contains(&error.number())
}
