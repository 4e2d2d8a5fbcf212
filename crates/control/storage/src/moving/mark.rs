//! Marks in system databases: at the target that a move to it is not finished, with what is done; at the source where its
//! databases went. A database with either is not started on.

use std::{collections::BTreeMap, sync::Arc};

use sea_orm::Value;

use super::sql::placeholder;
use crate::{
    Place, StorageError,
    engine::{Connection, decoding},
    migration::Ledger,
};

/// A table of names and values that stands in a database for as long as something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// In the target, while a move to it is not finished.
    Unfinished,
    /// In the source, once its databases are in force elsewhere.
    MovedAway,
}

/// Entries of a mark.
pub(super) type Entries = BTreeMap<String, String>;

/// In a target: where its rows come from, and whose they are. The other entries are databases that are done.
pub(super) const SOURCE: &str = "source";
pub(super) const INSTALLATION: &str = "installation";
/// In a source: where its databases went, and when, in microseconds since the Unix epoch.
pub(super) const TARGET: &str = "target";
pub(super) const MOVED_AT: &str = "moved_at";

impl Mark {
    pub const fn table(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished_move",
            Self::MovedAway => "moved_away",
        }
    }

    /// Makes the mark with its first entries. One that is there keeps those it has.
    pub async fn make(self, connection: &mut Connection, entries: &[(&str, String)]) -> Result<(), sqlx::Error> {
        let table = self.table();
        connection
            .run(&format!(
                "CREATE TABLE IF NOT EXISTS {table} (name VARCHAR(80) NOT NULL PRIMARY KEY, value TEXT NOT NULL)"
            ))
            .await?;
        connection.run("BEGIN").await?;
        for (name, value) in entries {
            self.replace(connection, name, value).await?;
        }
        connection.run("COMMIT").await
    }

    /// Writes an entry in place of an earlier one of that name.
    pub async fn write(self, connection: &mut Connection, name: &str, value: &str) -> Result<(), sqlx::Error> {
        connection.run("BEGIN").await?;
        self.replace(connection, name, value).await?;
        connection.run("COMMIT").await
    }

    async fn replace(self, connection: &mut Connection, name: &str, value: &str) -> Result<(), sqlx::Error> {
        self.erase(connection, name).await?;
        let (engine, table) = (connection.engine(), self.table());
        let sql = format!("INSERT INTO {table} VALUES ({}, {})", placeholder(engine, 1), placeholder(engine, 2));
        connection.ask(&sql, vec![name.into(), value.into()]).await.map(drop)
    }

    /// Removes an entry.
    pub async fn erase(self, connection: &mut Connection, name: &str) -> Result<(), sqlx::Error> {
        let sql = format!("DELETE FROM {} WHERE name = {}", self.table(), placeholder(connection.engine(), 1));
        connection.ask(&sql, vec![Value::from(name)]).await.map(drop)
    }

    /// The entries; none where there is no such mark.
    pub async fn read(self, connection: &mut Connection) -> Result<Option<Entries>, sqlx::Error> {
        if !(Ledger { connection: &mut *connection }).has_table(self.table()).await? {
            return Ok(None);
        }
        let rows = connection.ask(&format!("SELECT name, value FROM {}", self.table()), Vec::new()).await?;
        let text = |row: &sea_orm::QueryResult, at| row.try_get_by_index::<String>(at).map_err(decoding);
        rows.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?))).collect::<Result<_, _>>().map(Some)
    }

    /// Takes the mark away.
    pub async fn remove(self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        connection.run(&format!("DROP TABLE IF EXISTS {}", self.table())).await
    }
}

/// Refuses a system database that is the source of a move that is done, or the target of one that is not.
///
/// # Errors
/// [`StorageError::MovedAway`], [`StorageError::MoveUnfinished`]
pub(crate) async fn refuse_marked(connection: &mut Connection, place: &Place) -> Result<(), StorageError> {
    let failed = |error: sqlx::Error| StorageError::from_driver(&Arc::new(error), place);
    if let Some(entries) = Mark::Unfinished.read(connection).await.map_err(failed)? {
        let from = entries.get(SOURCE).cloned().unwrap_or_else(|| "elsewhere".to_owned());
        return Err(StorageError::MoveUnfinished { place: place.clone(), from });
    }
    // A mark without entries is one that was killed while it was made: nothing went anywhere.
    match Mark::MovedAway.read(connection).await.map_err(failed)?.and_then(|mut entries| entries.remove(TARGET)) {
        Some(to) => Err(StorageError::MovedAway { place: place.clone(), to }),
        None => Ok(()),
    }
}
