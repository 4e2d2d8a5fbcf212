//! The ledger: which migrations a database has had, in which form, and how far one got that was interrupted.

use sea_orm::QueryResult;
use warren_schema::migrations::{Checksum, Migration};

use crate::{
    StorageError,
    engine::{Connection, Engine, Fault, decoding},
};

/// The table of the ledger, the same in every database. Changing it would take a migration of the ledger itself.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (name VARCHAR(80) NOT NULL PRIMARY KEY, checksum CHAR(64) \
                      NOT NULL, steps INTEGER NOT NULL, steps_done INTEGER NOT NULL, applied_at BIGINT NOT NULL, took_ms \
                      BIGINT NOT NULL, certainty VARCHAR(9) NOT NULL)";
/// The ledger's name.
pub(crate) const LEDGER: &str = "schema_migrations";
/// Where versions before this ledger kept theirs.
const BEFORE: &str = "seaql_migrations";

/// A migration that a database has had, or was interrupted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub name: String,
    pub checksum: String,
    pub steps: usize,
    pub steps_done: usize,
    /// Microseconds since the Unix epoch.
    pub applied_at: i64,
    pub took_ms: i64,
    pub certainty: Certainty,
}

/// Whether `steps_done` is all there is to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The steps from there on are not done.
    Exact,
    /// Steps are under way, or were cut off: those from there on may be done or not.
    UnderWay,
}

impl Certainty {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::UnderWay => "under way",
        }
    }
}

impl Applied {
    pub const fn is_whole(&self) -> bool {
        self.steps == self.steps_done
    }
}

/// The ledger of the database that `connection` leads to.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pub connection: &'a mut Connection,
}

impl Ledger<'_> {
    /// Everything in it, oldest first; nothing when there is no ledger.
    pub async fn read(&mut self) -> Result<Vec<Applied>, sqlx::Error> {
        let sql = "SELECT name, checksum, steps, steps_done, applied_at, took_ms, certainty FROM schema_migrations ORDER BY name";
        match self.connection.ask(sql, Vec::new()).await {
            Ok(rows) => rows.iter().map(read).collect(),
            Err(error) if matches!(Fault::of(&error), Fault::Missing(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Makes the ledger where there is none, with what the ledger of earlier versions held.
    pub async fn make(&mut self, known: &[Migration]) -> Result<(), sqlx::Error> {
        self.connection.run(CREATE).await?;
        if !self.has_table(BEFORE).await? {
            return Ok(());
        }
        for entry in self.of_before(known).await? {
            self.write(&entry).await?;
        }
        self.connection.run("DROP TABLE seaql_migrations").await
    }

    /// Everything in it, or in the ledger of earlier versions; changes nothing.
    pub async fn read_or_adopt(&mut self, known: &[Migration]) -> Result<Vec<Applied>, sqlx::Error> {
        let entries = self.read().await?;
        if entries.is_empty() && self.has_table(BEFORE).await? {
            return self.of_before(known).await;
        }
        Ok(entries)
    }

    async fn of_before(&mut self, known: &[Migration]) -> Result<Vec<Applied>, sqlx::Error> {
        let backend = self.connection.engine().backend();
        let rows = self
            .connection
            .ask("SELECT version, applied_at FROM seaql_migrations ORDER BY version", Vec::new())
            .await?;
        let entry = |row: &QueryResult| {
            let name: String = row.try_get_by_index(0).map_err(decoding)?;
            let seconds: i64 = row.try_get_by_index(1).map_err(decoding)?;
            let migration = known.iter().find(|migration| migration.name == name);
            let steps = migration.map_or(0, |migration| migration.up(backend).len());
            let checksum = migration.map_or_else(String::new, |migration| migration.checksum(backend).to_string());
            let applied_at = seconds.saturating_mul(1_000_000);
            Ok(Applied {
                name,
                checksum,
                steps,
                steps_done: steps,
                applied_at,
                took_ms: 0,
                certainty: Certainty::Exact,
            })
        };
        rows.iter().map(entry).collect()
    }

    /// Whether the database has a table of this name.
    pub async fn has_table(&mut self, name: &str) -> Result<bool, sqlx::Error> {
        let sql = match self.connection.engine() {
            Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
            Engine::MariaDb => {
                "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?"
            }
            Engine::PostgreSql => {
                "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = $1"
            }
        };
        Ok(self.connection.ask_one::<i64>(sql, vec![name.into()]).await?.unwrap_or(0) > 0)
    }

    /// Writes an entry in place of an earlier one of the same name, at no moment without either: on MariaDB, where this is no
    /// part of a transaction, in one statement.
    pub async fn write(&mut self, entry: &Applied) -> Result<(), sqlx::Error> {
        let sql = match self.connection.engine() {
            Engine::Sqlite => "INSERT OR REPLACE INTO schema_migrations VALUES (?, ?, ?, ?, ?, ?, ?)",
            Engine::MariaDb => "REPLACE INTO schema_migrations VALUES (?, ?, ?, ?, ?, ?, ?)",
            Engine::PostgreSql => {
                self.remove(&entry.name).await?;
                "INSERT INTO schema_migrations VALUES ($1, $2, $3, $4, $5, $6, $7)"
            }
        };
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let values = vec![
            entry.name.as_str().into(),
            entry.checksum.as_str().into(),
            count(entry.steps).into(),
            count(entry.steps_done).into(),
            entry.applied_at.into(),
            entry.took_ms.into(),
            entry.certainty.as_str().into(),
        ];
        self.connection.ask(sql, values).await.map(drop)
    }

    /// Removes an entry.
    pub async fn remove(&mut self, name: &str) -> Result<(), sqlx::Error> {
        let sql = match self.connection.engine() {
            Engine::PostgreSql => "DELETE FROM schema_migrations WHERE name = $1",
            _ => "DELETE FROM schema_migrations WHERE name = ?",
        };
        self.connection.ask(sql, vec![name.into()]).await.map(drop)
    }
}

/// Whether the database has a ledger.
pub(crate) async fn has_ledger(connection: &mut Connection) -> Result<bool, sqlx::Error> {
    Ledger { connection }.has_table(LEDGER).await
}

fn read(row: &QueryResult) -> Result<Applied, sqlx::Error> {
    let text = |at| row.try_get_by_index::<String>(at).map_err(decoding);
    let number = |at| row.try_get_by_index::<i64>(at).map_err(decoding);
    let count = |at| {
        let count = row.try_get_by_index::<i32>(at).map_err(decoding)?;
        Ok::<_, sqlx::Error>(usize::try_from(count).unwrap_or(0))
    };
    Ok(Applied {
        name: text(0)?,
        checksum: text(1)?.trim_end().to_owned(),
        steps: count(2)?,
        steps_done: count(3)?,
        applied_at: number(4)?,
        took_ms: number(5)?,
        certainty: if text(6)? == Certainty::Exact.as_str() { Certainty::Exact } else { Certainty::UnderWay },
    })
}

/// Compares a ledger with what this program knows, and gives the migrations that are missing or unfinished.
pub(crate) fn missing<'m>(
    applied: &[Applied],
    known: &'m [Migration],
    checksum: impl Fn(&Migration) -> Checksum,
    place: &crate::Place,
) -> Result<Vec<&'m Migration>, StorageError> {
    if let Some(found) = applied.iter().find(|entry| known.iter().all(|migration| migration.name != entry.name)) {
        return Err(StorageError::NewerSchema {
            place: place.clone(),
            found: found.name.clone(),
            known: known.last().map(|migration| migration.name.to_owned()).unwrap_or_default(),
        });
    }
    let mut missing = Vec::new();
    for migration in known {
        match applied.iter().find(|entry| entry.name == migration.name) {
            Some(entry) if entry.checksum != checksum(migration).to_string() => {
                return Err(StorageError::ChangedMigration { place: place.clone(), name: entry.name.clone() });
            }
            Some(entry) if entry.is_whole() => {}
            _ => missing.push(migration),
        }
    }
    Ok(missing)
}
