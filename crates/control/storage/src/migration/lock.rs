//! One migrating process at a time for each database.

use sha2::{Digest, Sha256};

use crate::{
    Place,
    engine::{Connection, Engine},
};

/// How long another process may take with the same database.
const WAIT_SECONDS: i32 = 120;

/// Takes the lock. On SQLite and PostgreSQL it is part of a transaction, which is opened here.
pub(super) async fn take(connection: &mut Connection, place: &Place) -> Result<(), Refused> {
    match connection.engine() {
        Engine::Sqlite => connection.run("BEGIN IMMEDIATE").await?,
        Engine::PostgreSql => {
            connection.run("BEGIN; SET LOCAL lock_timeout = '120s'; SET LOCAL statement_timeout = 0").await?;
            let key = i64::from_le_bytes(digest(place)[..8].try_into().unwrap_or_default());
            connection.ask("SELECT pg_advisory_xact_lock($1)::text", vec![key.into()]).await?;
        }
        Engine::MariaDb => {
            let taken: Option<i64> =
                connection.ask_one("SELECT GET_LOCK(?, ?)", vec![name(place).into(), WAIT_SECONDS.into()]).await?;
            if taken != Some(1) {
                return Err(Refused::Held);
            }
        }
    }
    Ok(())
}

/// Gives it back and keeps what was done.
pub(super) async fn give_back(connection: &mut Connection, place: &Place) -> Result<(), sqlx::Error> {
    match connection.engine() {
        Engine::Sqlite | Engine::PostgreSql => connection.run("COMMIT").await,
        Engine::MariaDb => connection.ask("DO RELEASE_LOCK(?)", vec![name(place).into()]).await.map(drop),
    }
}

/// Gives it back and undoes what was done, where the engine can.
pub(super) async fn abandon(connection: &mut Connection, place: &Place) {
    // The first error is the one that is told.
    let _ = match connection.engine() {
        Engine::Sqlite | Engine::PostgreSql => connection.run("ROLLBACK").await,
        Engine::MariaDb => connection.ask("DO RELEASE_LOCK(?)", vec![name(place).into()]).await.map(drop),
    };
}

/// Why the lock was not taken.
#[derive(Debug)]
pub(super) enum Refused {
    /// Another process has it, for longer than one waits.
    Held,
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

fn digest(place: &Place) -> [u8; 32] {
    Sha256::digest(format!("warren migration of {place}")).into()
}

/// At most 64 characters.
fn name(place: &Place) -> String {
    let digest = digest(place)[..16].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("warren-migration-{digest}")
}
