//! A PostgreSQL server for one peer.

use anyhow::Context;
use sqlx::{PgPool, postgres::PgPoolOptions};
use warren_testkit::servers::{DatabaseServer, Durability, ServerKind, Settings};

const DATABASE: &str = "bench";
const CONNECTIONS: u32 = 10;

/// A server that brings what it acknowledges to the disk, and a pool on an empty database.
///
/// # Errors
/// When the server does not start.
pub async fn fresh() -> anyhow::Result<(DatabaseServer, PgPool)> {
    let settings = Settings { durability: Durability::Real, ..Settings::default() };
    let server = DatabaseServer::start_with(ServerKind::PostgreSql, &settings)?;
    let maker = PgPool::connect(&server.url("postgres")).await?;
    sqlx::query("CREATE DATABASE bench").execute(&maker).await?;
    maker.close().await;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
    let pool = pool.connect(&server.url(DATABASE)).await.context("connect to the peer's database")?;
    Ok((server, pool))
}
