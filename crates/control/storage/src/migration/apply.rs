//! Applies what is missing: all of it or nothing where definitions are part of transactions (SQLite, PostgreSQL); step by
//! step, each noted in the ledger, where they are not (MariaDB), so that an interrupted migration goes on where it was.

use std::{sync::Arc, time::Instant};

use warren_model::Clock;
use warren_schema::migrations::Migration;

use super::{
    ledger::{Applied, Ledger, missing},
    lock::{self, Refused},
};
use crate::{
    Place, StorageError,
    engine::{Connection, Engine},
    stored::micros,
};

/// The numbers by which MariaDB says that a step was already done: the table, column or index is there, or gone.
const DONE_ALREADY: [u16; 4] = [1050, 1051, 1060, 1061];
const GONE_ALREADY: u16 = 1091;

/// Brings the database to `known`, and gives the names of the migrations that were applied.
///
/// # Errors
/// [`StorageError::NewerSchema`], [`StorageError::ChangedMigration`], [`StorageError::MigrationFailed`], and what the
/// database gives.
pub(crate) async fn bring_up(
    connection: &mut Connection,
    known: &[Migration],
    place: &Place,
    clock: &dyn Clock,
) -> Result<Vec<&'static str>, StorageError> {
    if check(connection, known, place).await?.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |error: sqlx::Error| StorageError::from_driver(&Arc::new(error), place);
    match lock::take(connection, place).await {
        Ok(()) => {}
        Err(Refused::Held) => return Err(StorageError::Busy),
        Err(Refused::Failed(error)) => return Err(failed(error)),
    }
    match apply_missing(connection, known, place, clock).await {
        Ok(applied) => {
            lock::give_back(connection, place).await.map_err(failed)?;
            Ok(applied)
        }
        Err(error) => {
            lock::abandon(connection, place).await;
            Err(error)
        }
    }
}

/// The migrations that the database has not had, or not to the end.
///
/// # Errors
/// [`StorageError::NewerSchema`], [`StorageError::ChangedMigration`], and what the database gives.
async fn check<'m>(
    connection: &mut Connection,
    known: &'m [Migration],
    place: &Place,
) -> Result<Vec<&'m Migration>, StorageError> {
    let backend = connection.engine().backend();
    let applied =
        Ledger { connection }.read().await.map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
    missing(&applied, known, |migration| migration.checksum(backend), place)
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
        let begun_before = applied.iter().find(|entry| entry.name == migration.name);
        apply(connection, migration, begun_before.map_or(0, |entry| entry.steps_done), place, clock).await?;
        names.push(migration.name);
    }
    Ok(names)
}

async fn apply(
    connection: &mut Connection,
    migration: &Migration,
    steps_done: usize,
    place: &Place,
    clock: &dyn Clock,
) -> Result<(), StorageError> {
    let (backend, begun) = (connection.engine().backend(), Instant::now());
    let step_by_step = connection.engine() == Engine::MariaDb;
    let statements = migration.up(backend);
    let entry = |steps_done| Applied {
        name: migration.name.to_owned(),
        checksum: migration.checksum(backend).to_string(),
        steps: statements.len(),
        steps_done,
        applied_at: micros(clock.now()),
        took_ms: i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX),
    };
    let failed = |step: usize, error: sqlx::Error| StorageError::MigrationFailed {
        place: place.clone(),
        name: migration.name.to_owned(),
        step: step + 1,
        source: Arc::new(error),
    };
    for (step, statement) in statements.iter().enumerate().skip(steps_done) {
        match connection.run(statement).await {
            Ok(()) => {}
            // The step that was under way when it was interrupted.
            Err(error) if step_by_step && step == steps_done && was_done_already(&error) => {}
            Err(error) => return Err(failed(step, error)),
        }
        if step_by_step {
            Ledger { connection }.write(&entry(step + 1)).await.map_err(|error| failed(step, error))?;
        }
    }
    Ledger { connection }.write(&entry(statements.len())).await.map_err(|error| failed(statements.len(), error))
}

fn was_done_already(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() else { return false };
    DONE_ALREADY.contains(&error.number()) || error.number() == GONE_ALREADY
}
