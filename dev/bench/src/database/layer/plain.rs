//! Plain sqlx: its pools, texts and tuples.

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions, Executor, MySqlConnection, MySqlPool, PgPool, SqlitePool,
    mysql::MySqlConnectOptions,
    pool::PoolOptions,
    postgres::PgConnectOptions,
    query, query_as,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use uuid::Uuid;
use warren_schema::tenant::device;
use warren_testkit::servers::ServerKind;

use super::{PAGE, Texts};

/// As many as Warren allows for one database.
const CONNECTIONS_MAX: u32 = 8;
/// As many as Warren has for an organisation's database.
const READERS: u32 = 2;
const STATEMENTS_MAX: usize = 256;

/// The statements that Warren sends for the same operations.
#[derive(Debug)]
pub struct PlainTexts {
    get: &'static str,
    list: &'static str,
    insert_device: &'static str,
    insert_usage: &'static str,
}

impl PlainTexts {
    /// Those among the texts that were sent.
    ///
    /// # Errors
    /// When one is not among them.
    pub fn of(sent: &Texts) -> anyhow::Result<Self> {
        Ok(Self {
            get: sent.with(&["SELECT devices.id", "LEFT JOIN networks", "WHERE devices.id ="])?,
            list: sent.with(&["SELECT devices.id", "LEFT JOIN networks", "ORDER BY devices.id ASC LIMIT"])?,
            insert_device: sent.with(&["INSERT INTO devices "])?,
            insert_usage: sent.with(&["INSERT INTO device_usage "])?,
        })
    }
}

/// Pools as Warren's: as many connections with the same settings, not tested before they are given out.
#[derive(Debug)]
pub enum Plain {
    Sqlite { read: SqlitePool, write: SqlitePool },
    MariaDb(MySqlPool),
    PostgreSql(PgPool),
}

/// A device and its network's prefixes, column by column.
type Row = (
    Uuid,
    Uuid,
    Uuid,
    String,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<i32>,
    String,
    Option<i64>,
    i64,
    i64,
    Option<String>,
    Option<String>,
);

/// Runs the same on each kind of pool: reading, or writing with what begins a transaction there.
macro_rules! on_each {
    ($plain:expr, |$pool:ident| $body:expr) => {
        match $plain {
            Plain::Sqlite { read: $pool, .. } => $body,
            Plain::MariaDb($pool) => $body,
            Plain::PostgreSql($pool) => $body,
        }
    };
    ($plain:expr, |$pool:ident, $begin:ident| $body:expr) => {
        match $plain {
            Plain::Sqlite { write: $pool, .. } => {
                let $begin = "BEGIN IMMEDIATE";
                $body
            }
            Plain::MariaDb($pool) => {
                let $begin = "START TRANSACTION READ WRITE";
                $body
            }
            Plain::PostgreSql($pool) => {
                let $begin = "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE";
                $body
            }
        }
    };
}

impl Plain {
    pub fn of_file(file: &Path) -> Self {
        let (read, write) = of_file(file);
        Self::Sqlite { read, write }
    }

    /// # Errors
    /// When the URL is none.
    pub fn of_server(kind: ServerKind, url: &str) -> anyhow::Result<Self> {
        Ok(match kind {
            ServerKind::MariaDb => Self::MariaDb(of_mariadb(url)?),
            ServerKind::PostgreSql => Self::PostgreSql(of_postgresql(url)?),
        })
    }

    pub async fn get(&self, texts: &PlainTexts, id: Uuid) -> Result<usize, sqlx::Error> {
        on_each!(self, |pool| Ok(query_as::<_, Row>(texts.get).bind(id).fetch_all(pool).await?.len()))
    }

    pub async fn list(&self, texts: &PlainTexts) -> Result<usize, sqlx::Error> {
        let limit = i64::from(PAGE) + 1;
        on_each!(self, |pool| Ok(query_as::<_, Row>(texts.list).bind(limit).fetch_all(pool).await?.len()))
    }

    pub async fn insert(&self, texts: &PlainTexts, row: &device::Model) -> Result<usize, sqlx::Error> {
        on_each!(self, |pool, begin| {
            let mut transaction = pool.begin_with(begin).await?;
            query(texts.insert_device)
                .bind(row.id)
                .bind(row.network_id)
                .bind(row.owner_id)
                .bind(&row.name)
                .bind(&row.public_key)
                .bind(&row.live_public_key)
                .bind(&row.preshared_key_sealed)
                .bind(row.host_index)
                .bind(&row.standing)
                .bind(row.expires_at)
                .bind(row.created_at)
                .bind(row.revision)
                .execute(&mut *transaction)
                .await?;
            query(texts.insert_usage)
                .bind(row.id)
                .bind(0_i64)
                .bind(0_i64)
                .bind(None::<i64>)
                .bind(None::<String>)
                .bind(None::<Uuid>)
                .bind(0_i64)
                .bind(0_i64)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(1)
        })
    }

    pub async fn close(&self) {
        on_each!(self, |pool| pool.close().await);
        on_each!(self, |pool, _begin| pool.close().await);
    }
}

/// SQLite set as Warren sets it: what is acknowledged is on the disk.
pub fn sqlite_options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_MAX)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
}

/// Readers, and one writer.
pub(super) fn of_file(file: &Path) -> (SqlitePool, SqlitePool) {
    let reading = sqlite_options(file).read_only(true);
    (pool(READERS).connect_lazy_with(reading), pool(1).connect_lazy_with(sqlite_options(file)))
}

/// Sessions whose transactions are serialisable, as Warren's.
pub(super) fn of_mariadb(url: &str) -> anyhow::Result<MySqlPool> {
    let options: MySqlConnectOptions = url.parse()?;
    let options = options.statement_cache_capacity(STATEMENTS_MAX).disable_statement_logging();
    let pool = pool(CONNECTIONS_MAX).after_connect(|connection: &mut MySqlConnection, _| {
        Box::pin(async move {
            connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE").await?;
            Ok(())
        })
    });
    Ok(pool.connect_lazy_with(options))
}

pub(super) fn of_postgresql(url: &str) -> anyhow::Result<PgPool> {
    let options: PgConnectOptions = url.parse()?;
    let options = options.statement_cache_capacity(STATEMENTS_MAX).disable_statement_logging();
    Ok(pool(CONNECTIONS_MAX).connect_lazy_with(options))
}

fn pool<D: sqlx::Database>(connections_max: u32) -> PoolOptions<D> {
    PoolOptions::new().max_connections(connections_max).test_before_acquire(false)
}
