//! One SQLite database: its file, its writer, its readers, and the schema in it.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityName, EntityTrait, SqlxSqliteConnector,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{MigratorTrait, SchemaManager, seaql_migrations};
use sqlx::{
    Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Semaphore;
use warren_model::{Clock, OrganisationId};

use crate::{StorageError, connection::Reader, transaction::WriteGate};

/// How long SQLite itself waits for a lock; only a second process could hold one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this after a checkpoint.
const JOURNAL_SIZE_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// What all databases of one kind have in common.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub readers: u32,
    pub acquire_timeout: Duration,
    pub clock: Arc<dyn Clock>,
}

/// An opened database.
#[derive(Debug)]
pub(crate) struct Database {
    pub reader: Reader,
    pub gate: WriteGate,
    reading: SqlitePool,
    writing: SqlitePool,
}

impl Database {
    /// Opens `file`, which must exist, checks it when it was not closed cleanly, and brings it to the schema of `M`.
    pub async fn open<M: MigratorTrait>(
        file: PathBuf,
        organisation: Option<OrganisationId>,
        settings: &Settings,
    ) -> Result<Self, StorageError> {
        let closed_cleanly = !has_content(&beside(&file, "-wal"));
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(settings.acquire_timeout)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writing = pool()
            .max_connections(1)
            .after_release(|connection, _| {
                Box::pin(async move {
                    // A rollback that was only queued is carried out before this answers; a count that is still not zero
                    // means that the library and SQLite disagree, and the connection is of no use any more.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(writing_options(&file))
            .await
            .map_err(|error| StorageError::from_driver(&Arc::new(error), &file))?;
        let reading = pool()
            .max_connections(settings.readers)
            .connect_lazy_with(options(&file).read_only(true).pragma("query_only", "ON"));

        let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(writing.clone());
        let prepared = async {
            if !closed_cleanly {
                check_integrity(&connection, &file).await?;
            }
            refuse_without_schema(&connection, &file).await?;
            migrate::<M>(&connection, &file).await
        };
        if let Err(error) = prepared.await {
            drop(connection);
            writing.close().await;
            return Err(error);
        }

        let file = Arc::new(file);
        let reader =
            Reader { connection: SqlxSqliteConnector::from_sqlx_sqlite_pool(reading.clone()), file: Arc::clone(&file) };
        let gate = WriteGate {
            connection,
            turn: Arc::new(Semaphore::new(1)),
            file,
            clock: Arc::clone(&settings.clock),
            organisation,
            acquire_timeout: settings.acquire_timeout,
        };
        Ok(Self { reader, gate, reading, writing })
    }

    /// Waits for the statements and the transaction under way, empties the write-ahead log into the file, and closes it.
    pub async fn close(&self) {
        self.reading.close().await;
        // Closed once the transaction in hand is over; those still queued are told that storage is busy.
        let turn = Arc::clone(&self.gate.turn).acquire_owned().await;
        self.gate.turn.close();
        if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writing).await {
            tracing::debug!(%error, "the write-ahead log stays; the next start reads it");
        }
        drop(turn);
        self.writing.close().await;
    }
}

/// Creates a whole database of `M` at `file`: made under another name, synchronised, then renamed, so that a crash leaves
/// either nothing or all of it.
pub(crate) async fn create<M: MigratorTrait>(file: &Path) -> Result<(), StorageError> {
    let unfinished = beside(file, UNFINISHED);
    for leftover in [unfinished.clone(), beside(&unfinished, "-journal"), beside(&unfinished, "-wal")] {
        remove_if_there(&leftover)?;
    }
    create_private(&unfinished)?;
    // Nobody else sees this file and a crash leaves it behind unnoticed, so one synchronisation at the end is enough.
    let options = options(&unfinished).journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .map_err(|error| StorageError::from_driver(&Arc::new(error), file))?;
    let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone());
    let migrated = migrate::<M>(&connection, file).await;
    drop(connection);
    pool.close().await;
    migrated?;
    let publish = || {
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, file)?;
        File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    publish().map_err(|error| StorageError::of_file(error, file))
}

/// What a database is called until it is whole.
pub(crate) const UNFINISHED: &str = ".new";

/// Makes an empty file of mode 0600, which SQLite's own files beside it take over.
fn create_private(file: &Path) -> Result<(), StorageError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map(drop)
        .map_err(|error| StorageError::of_file(error, file))
}

/// Removes `file` and what SQLite keeps beside it.
pub(crate) fn remove(file: &Path) -> Result<(), StorageError> {
    for path in [file.to_owned(), beside(file, "-wal"), beside(file, "-shm"), beside(file, "-journal")] {
        remove_if_there(&path)?;
    }
    Ok(())
}

fn remove_if_there(file: &Path) -> Result<(), StorageError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StorageError::of_file(error, file)),
        _ => Ok(()),
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn has_content(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.len() > 0)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_MAX)
}

/// Every statement of the repositories fits in, so none is prepared twice.
const STATEMENTS_MAX: usize = 256;

fn writing_options(file: &Path) -> SqliteConnectOptions {
    options(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", JOURNAL_SIZE_BYTES_MAX.to_string())
        .pragma("wal_autocheckpoint", "1000")
}

async fn check_integrity(connection: &DatabaseConnection, file: &Path) -> Result<(), StorageError> {
    let failed = |error: DbErr| StorageError::from_database(&error, file);
    let check = sea_orm::Statement::from_string(connection.get_database_backend(), "PRAGMA quick_check(1)");
    let row = connection.query_one_raw(check).await.map_err(failed)?;
    let verdict: String = row.map_or(Ok("ok".to_owned()), |row| row.try_get_by_index(0)).map_err(failed)?;
    if verdict == "ok" { Ok(()) } else { Err(StorageError::Corrupt { file: file.to_owned(), detail: verdict }) }
}

/// Databases come to their place with their schema in them: one without it lost what it held, and a new schema would hide that.
async fn refuse_without_schema(connection: &DatabaseConnection, file: &Path) -> Result<(), StorageError> {
    let table = seaql_migrations::Entity.table_name().to_owned();
    let there = SchemaManager::new(connection).has_table(table).await;
    match there.map_err(|error| StorageError::from_database(&error, file))? {
        true => Ok(()),
        false => Err(StorageError::Corrupt { file: file.to_owned(), detail: "it is empty".to_owned() }),
    }
}

/// Applies what is missing in one transaction under the writer's lock: all of it or nothing.
async fn migrate<M: MigratorTrait>(connection: &DatabaseConnection, file: &Path) -> Result<(), StorageError> {
    let failed = |error: DbErr| StorageError::from_database(&error, file);
    let immediate = TransactionOptions {
        sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = connection.begin_with_options(immediate).await.map_err(failed)?;
    let applied = applied_versions(&transaction).await.map_err(failed)?;
    let known: Vec<String> = M::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    if let Some(found) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StorageError::NewerSchema {
            file: file.to_owned(),
            found: found.clone(),
            known: known.last().cloned().unwrap_or_default(),
        });
    }
    if applied.len() == known.len() {
        return transaction.rollback().await.map_err(failed);
    }
    M::up(&transaction, None).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

async fn applied_versions(transaction: &DatabaseTransaction) -> Result<Vec<String>, DbErr> {
    let manager = SchemaManager::new(transaction);
    if !manager.has_table(seaql_migrations::Entity.table_name()).await? {
        return Ok(Vec::new());
    }
    let rows = seaql_migrations::Entity::find().all(transaction).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}
