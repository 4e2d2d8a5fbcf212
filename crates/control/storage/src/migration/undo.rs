//! Rolls the latest migrations back: under the same lock and with the same ledger as they were applied, and only when what
//! that loses is accepted.

use std::sync::Arc;

use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use warren_schema::migrations::{Loss, Migration};

use super::{
    apply::was_done_already,
    ledger::{Applied, Certainty, Ledger, missing},
    lock,
};
use crate::{
    Place, StorageError,
    engine::{Answer as _, Connection, Engine, Fault, decoding},
};

/// Whether a rollback may lose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Losses {
    /// It is refused when it would.
    Refused,
    /// Somebody said that it may.
    Accepted,
}

/// Undoes the last `count` migrations of the database, the latest first, and gives their names.
///
/// # Errors
/// [`StorageError::NewerSchema`] when a later version wrote it, [`StorageError::ChangedMigration`],
/// [`StorageError::RollbackLoses`], [`StorageError::RollbackFailed`], [`StorageError::MigrationLocked`], and what the database
/// gives.
pub(crate) async fn bring_down(
    connection: &mut Connection,
    known: &[Migration],
    (count, losses): (usize, Losses),
    place: &Place,
) -> Result<Vec<&'static str>, StorageError> {
    let chosen = latest(connection, known, count, place).await?;
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    if losses == Losses::Refused {
        let mut lost = Vec::new();
        for (migration, _) in &chosen {
            lost.extend(losses_of(connection, migration, place).await?);
        }
        if !lost.is_empty() {
            return Err(StorageError::RollbackLoses { place: place.clone(), losses: lost });
        }
    }
    lock::take(connection, place).await?;
    let outcome = undo_latest(connection, known, count, place).await;
    lock::settle(connection, place, outcome).await
}

/// The last `count` migrations that the database has had, or was interrupted in, the latest first.
pub(super) async fn latest<'m>(
    connection: &mut Connection,
    known: &'m [Migration],
    count: usize,
    place: &Place,
) -> Result<Vec<(&'m Migration, Applied)>, StorageError> {
    let backend = connection.engine().backend();
    let applied = Ledger { connection }.read_or_adopt(known).await;
    let applied = applied.map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
    missing(&applied, known, |migration| migration.checksum(backend), place)?;
    let entry = |migration: &Migration| applied.iter().find(|entry| entry.name == migration.name).cloned();
    let had = known.iter().rev().filter_map(|migration| Some((migration, entry(migration)?)));
    Ok(had.take(count).collect())
}

async fn undo_latest(
    connection: &mut Connection,
    known: &[Migration],
    count: usize,
    place: &Place,
) -> Result<Vec<&'static str>, StorageError> {
    let made = Ledger { connection }.make(known).await;
    made.map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
    // Again, now that nobody else changes it.
    let chosen = latest(connection, known, count, place).await?;
    let mut names = Vec::new();
    for (migration, entry) in chosen {
        undo(connection, migration, entry, place).await?;
        names.push(migration.name);
    }
    Ok(names)
}

async fn undo(
    connection: &mut Connection,
    migration: &Migration,
    mut entry: Applied,
    place: &Place,
) -> Result<(), StorageError> {
    let step_by_step = connection.engine() == Engine::MariaDb;
    let statements = migration.undo(connection.engine().backend());
    let failed = |step: usize, error: sqlx::Error| StorageError::RollbackFailed {
        place: place.clone(),
        name: migration.name.to_owned(),
        step: step + 1,
        source: Arc::new(error),
    };
    let done = entry.steps_done;
    // The step after those that are surely done may be done too.
    if entry.certainty == Certainty::UnderWay
        && let Some(Some(statement)) = statements.get(done)
    {
        match connection.run(statement).await {
            Err(error) if !was_done_already(&error) => return Err(failed(done, error)),
            _ => {}
        }
    }
    for (step, statement) in statements.iter().enumerate().take(done).rev() {
        let Some(statement) = statement else { continue };
        if step_by_step {
            (entry.steps_done, entry.certainty) = (step, Certainty::UnderWay);
            Ledger { connection }.write(&entry).await.map_err(|error| failed(step, error))?;
        }
        connection.run(statement).await.map_err(|error| failed(step, error))?;
    }
    Ledger { connection }.remove(&entry.name).await.map_err(|error| failed(0, error))
}

/// What undoing `migration` would lose of this database, or not bring back, in sentences. Must not run in a transaction.
pub(super) async fn losses_of(
    connection: &mut Connection,
    migration: &Migration,
    place: &Place,
) -> Result<Vec<String>, StorageError> {
    let mut lost = Vec::new();
    for step in (migration.steps)() {
        let Some(loss) = step.loss() else { continue };
        let counted = count(connection, &loss).await;
        let rows = counted.map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
        match (&loss, rows) {
            (Loss::ComesBackEmpty { what }, _) => lost.push(format!("{what} comes back empty")),
            (_, 0) => {}
            (Loss::Rows { table }, rows) => lost.push(format!("{table} goes with {rows} rows")),
            (Loss::Values { table, column }, rows) => {
                lost.push(format!("{table}.{column} goes, which holds something in {rows} rows"));
            }
        }
    }
    Ok(lost)
}

/// How many rows hold what would be lost; none where the step was not done.
async fn count(connection: &mut Connection, loss: &Loss) -> Result<i64, sqlx::Error> {
    let mut query = Query::select();
    query.expr(Expr::col(Asterisk).count());
    match loss {
        Loss::Rows { table } => query.from(*table),
        Loss::Values { table, column } => query.from(*table).and_where(Expr::col(column.clone()).is_not_null()),
        Loss::ComesBackEmpty { .. } => return Ok(0),
    };
    let statement = connection.engine().backend().build(&query);
    match Option::ask(connection, statement).await {
        Ok(None) => Ok(0),
        Ok(Some(row)) => row.try_get_by_index(0).map_err(decoding),
        Err(error) if matches!(Fault::of(&error), Fault::Missing(_)) => Ok(0),
        Err(error) => Err(error),
    }
}
