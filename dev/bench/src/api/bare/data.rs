//! The databases, opened with the settings that Warren gives them.

use std::{fs, path::Path, time::Duration};

use anyhow::Context;
use sqlx::{
    Row, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use time::OffsetDateTime;
use uuid::Uuid;
use warren_model::Clock;
use warren_runtime::SystemClock;

use crate::api::statements as sql;

const STATEMENTS_MAX: usize = 256;
const SYSTEM_READERS: u32 = 4;
const TENANT_READERS: u32 = 2;

/// The pools, and what a request of Warren's would bring or find out.
pub struct Data {
    pub system: SqlitePool,
    pub reading: SqlitePool,
    pub writing: SqlitePool,
    pub token_hash: Vec<u8>,
    pub slug: String,
}

/// Who asks.
pub struct Caller {
    pub account: Vec<u8>,
    pub name: String,
    pub organisation: Vec<u8>,
}

impl Data {
    /// Opens the system's database in `folder` and that of its only organisation.
    pub async fn open(folder: &Path) -> anyhow::Result<Self> {
        let system = reading(&folder.join("system.sqlite"), SYSTEM_READERS);
        let tenant = fs::read_dir(folder.join("tenants"))?.next().context("there is no organisation")??.path();
        // A write-ahead log comes into being with the writer.
        let _ = writing(&folder.join("system.sqlite")).await?;
        let writing = writing(&tenant).await?;
        let text = "SELECT token_hash, slug FROM sessions, organisations ORDER BY sessions.last_used_at DESC LIMIT 1";
        let row = sqlx::query(text).fetch_one(&system).await?;
        let (token_hash, slug) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Self { system, reading: reading(&tenant, TENANT_READERS), writing, token_hash, slug })
    }

    /// Looks who asks, and what they may do.
    pub async fn caller(&self) -> anyhow::Result<Caller> {
        let now = micros();
        let session = sqlx::query(sql::SESSION)
            .bind(&self.token_hash)
            .bind(now)
            .bind(0_i64)
            .bind(1_i64)
            .fetch_one(&self.system)
            .await?;
        let account: Vec<u8> = session.try_get("B_id")?;
        let name = session.try_get("B_name")?;
        let organisation = sqlx::query(sql::ORGANISATION).bind(&self.slug).bind(1_i64).fetch_one(&self.system).await?;
        let organisation: Vec<u8> = organisation.try_get("id")?;
        let membership = sqlx::query(sql::MEMBERSHIP)
            .bind(&account)
            .bind(&organisation)
            .bind("joined")
            .bind(1_i64)
            .fetch_one(&self.system)
            .await?;
        let _: String = membership.try_get("role")?;
        Ok(Caller { account, name, organisation })
    }
}

/// The present moment as databases keep it.
pub fn micros() -> i64 {
    i64::try_from(SystemClock.now().unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

/// The moment that stands in a column.
pub fn moment(micros: i64) -> anyhow::Result<OffsetDateTime> {
    Ok(OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)?)
}

/// The identifier that stands in a column.
pub fn id(row: &SqliteRow, column: &str) -> anyhow::Result<Uuid> {
    Ok(Uuid::from_slice(row.try_get(column)?)?)
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_MAX)
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn reading(file: &Path, connections: u32) -> SqlitePool {
    pool(connections).connect_lazy_with(options(file).read_only(true).pragma("query_only", "ON"))
}

async fn writing(file: &Path) -> anyhow::Result<SqlitePool> {
    let options = options(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", (16 * 1024 * 1024).to_string())
        .pragma("wal_autocheckpoint", "1000");
    Ok(pool(1).connect_with(options).await?)
}
