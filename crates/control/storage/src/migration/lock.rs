//! One migrating process at a time for each database.
//!
//! The lock is named after the database alone: two processes may reach one server by different names.

use std::{sync::Arc, time::Duration};

use crate::{
    Place, StorageError,
    engine::{BUSY_TIMEOUT, Connection, Engine, Fault, STATEMENT_TIME_MAX},
};

/// How long another process may take with the same database.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// PostgreSQL's advisory locks belong to a database already; these are the letters of “warrenmi”.
const POSTGRESQL_KEY: i64 = i64::from_be_bytes(*b"warrenmi");
/// MariaDB's belong to the server. A name has at most 64 characters.
const MARIADB_NAME: &str = "CONCAT('warren-migration-', MD5(DATABASE()))";

/// Takes the lock, and lets statements take as long as they need. On SQLite and PostgreSQL the lock is part of a transaction,
/// which is opened here.
///
/// # Errors
/// [`StorageError::MigrationLocked`], and what the database gives.
pub(super) async fn take(connection: &mut Connection, place: &Place) -> Result<(), StorageError> {
    let locked = || StorageError::MigrationLocked { place: place.clone(), waited: WAIT_MAX };
    match try_to_take(connection).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(locked()),
        Err(error) if matches!(Fault::of(&error), Fault::Retry(_)) => {
            abandon(connection).await;
            Err(locked())
        }
        Err(error) => {
            abandon(connection).await;
            Err(StorageError::from_driver(&Arc::new(error), place))
        }
    }
}

async fn try_to_take(connection: &mut Connection) -> Result<bool, sqlx::Error> {
    let seconds = WAIT_MAX.as_secs();
    match connection.engine() {
        Engine::Sqlite => {
            connection.run(&format!("PRAGMA busy_timeout = {}; BEGIN IMMEDIATE", WAIT_MAX.as_millis())).await?;
        }
        Engine::PostgreSql => {
            connection
                .run(&format!("BEGIN; SET LOCAL lock_timeout = '{seconds}s'; SET LOCAL statement_timeout = 0"))
                .await?;
            connection.ask("SELECT pg_advisory_xact_lock($1)::text", vec![POSTGRESQL_KEY.into()]).await?;
        }
        Engine::MariaDb => {
            // MySQL does not know the one, and limits only what reads.
            let _ = connection.run("SET SESSION max_statement_time = 0").await;
            connection.run(&format!("SET SESSION lock_wait_timeout = {seconds}")).await?;
            let taken: Option<i64> =
                connection.ask_one(&format!("SELECT GET_LOCK({MARIADB_NAME}, {seconds})"), Vec::new()).await?;
            return Ok(taken == Some(1));
        }
    }
    Ok(true)
}

/// Gives the lock back: what was done is kept when `outcome` is a success, and undone where the engine can when it is none.
///
/// # Errors
/// `outcome`'s, or what keeping gives.
pub(super) async fn settle<T>(
    connection: &mut Connection,
    place: &Place,
    outcome: Result<T, StorageError>,
) -> Result<T, StorageError> {
    let value = match outcome {
        Ok(value) => value,
        Err(error) => {
            abandon(connection).await;
            return Err(error);
        }
    };
    let kept = match connection.engine() {
        Engine::Sqlite | Engine::PostgreSql => connection.run("COMMIT").await,
        Engine::MariaDb => release(connection).await,
    };
    if let Err(error) = kept {
        abandon(connection).await;
        return Err(StorageError::from_driver(&Arc::new(error), place));
    }
    restore_limits(connection).await;
    Ok(value)
}

/// Gives the lock back and undoes what was done, where the engine can. The first error is the one that is told.
async fn abandon(connection: &mut Connection) {
    let _ = match connection.engine() {
        Engine::Sqlite | Engine::PostgreSql => connection.run("ROLLBACK").await,
        Engine::MariaDb => release(connection).await,
    };
    restore_limits(connection).await;
}

async fn release(connection: &mut Connection) -> Result<(), sqlx::Error> {
    connection.run(&format!("DO RELEASE_LOCK({MARIADB_NAME})")).await
}

/// PostgreSQL's were set for the transaction alone.
async fn restore_limits(connection: &mut Connection) {
    let _ = match connection.engine() {
        Engine::Sqlite => connection.run(&format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis())).await,
        Engine::PostgreSql => Ok(()),
        Engine::MariaDb => {
            connection.run(&format!("SET SESSION max_statement_time = {}", STATEMENT_TIME_MAX.as_secs())).await
        }
    };
}
