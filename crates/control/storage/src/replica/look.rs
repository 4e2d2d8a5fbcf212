//! What servers are asked to find out how far they have come.
//!
//! Sources: <https://www.postgresql.org/docs/15/functions-admin.html>, <https://www.postgresql.org/docs/15/functions-info.html>,
//! <https://mariadb.com/kb/en/gtid/>.

use std::sync::Arc;

use sea_orm::{QueryResult, TryGetable};

use super::position::Position;
use crate::engine::{Connection, Engine, decoding};

/// Where a server stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub position: Position,
    /// PostgreSQL only; MariaDB's positions say it themselves.
    pub lineage: Option<Lineage>,
}

/// Whose log it is, of which positions can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lineage {
    /// What all copies of the same data have in common.
    pub system: i64,
    /// Grows when a replica is promoted; what others wrote past that point is not in it.
    pub timeline: i64,
}

/// What a server says that should be a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReplicaSeen {
    Follows(Seen),
    TakesWrites,
    Untellable(Arc<str>),
}

/// Everything that has been acknowledged or seen is before the position that was flushed; only a server that acknowledges
/// earlier has to be asked for what is not even written.
const POSTGRESQL_PRIMARY: &str = "SELECT (CASE WHEN current_setting('synchronous_commit') = 'off' \
    THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn)::bigint, \
    (SELECT system_identifier FROM pg_control_system()), \
    ('x00000000' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(64)::bigint";
/// The timeline is the one that is received, which only some users are shown, or the one of the last restart point.
const POSTGRESQL_REPLICA: &str = "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint, \
    (SELECT system_identifier FROM pg_control_system()), \
    GREATEST((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT received_tli FROM pg_stat_wal_receiver))::bigint";
/// What stands in the binary log was put there before it was acknowledged.
const MARIADB_PRIMARY: &str = "SELECT CAST(@@global.log_bin AS CHAR), CAST(@@global.gtid_binlog_pos AS CHAR)";
const MARIADB_REPLICA: &str = "SELECT CAST(@@global.read_only AS CHAR), CAST(@@global.gtid_slave_pos AS CHAR)";

const NO_LOG: &str = "the primary writes no binary log (log_bin)";
const NO_POSITION: &str = "a server tells no position by global transaction identifiers";

/// Asks the primary where it stands. A text instead says why it cannot tell.
pub(super) async fn at_primary(connection: &mut Connection) -> Result<Result<Seen, Arc<str>>, sqlx::Error> {
    match connection.engine() {
        Engine::PostgreSql => {
            let row = first(connection, POSTGRESQL_PRIMARY).await?;
            let position = Position::Log(column::<i64>(&row, 0)?.cast_unsigned());
            let lineage = Lineage { system: column(&row, 1)?, timeline: column(&row, 2)? };
            Ok(Ok(Seen { position, lineage: Some(lineage) }))
        }
        _ => {
            let row = first(connection, MARIADB_PRIMARY).await?;
            let (log, position): (String, String) = (column(&row, 0)?, column(&row, 1)?);
            if is_off(&log) {
                return Ok(Err(NO_LOG.into()));
            }
            let seen = Position::of_transactions(&position).map(|position| Seen { position, lineage: None });
            Ok(seen.ok_or_else(|| NO_POSITION.into()))
        }
    }
}

/// Asks a replica how far it has come.
pub(super) async fn at_replica(connection: &mut Connection) -> Result<ReplicaSeen, sqlx::Error> {
    match connection.engine() {
        Engine::PostgreSql => {
            let row = first(connection, POSTGRESQL_REPLICA).await?;
            if !column::<bool>(&row, 0)? {
                return Ok(ReplicaSeen::TakesWrites);
            }
            let position = Position::Log(column::<Option<i64>>(&row, 1)?.unwrap_or_default().cast_unsigned());
            let lineage = Lineage { system: column(&row, 2)?, timeline: column(&row, 3)? };
            Ok(ReplicaSeen::Follows(Seen { position, lineage: Some(lineage) }))
        }
        _ => {
            let row = first(connection, MARIADB_REPLICA).await?;
            let (read_only, position): (String, String) = (column(&row, 0)?, column(&row, 1)?);
            if is_off(&read_only) {
                return Ok(ReplicaSeen::TakesWrites);
            }
            Ok(match Position::of_transactions(&position) {
                Some(position) => ReplicaSeen::Follows(Seen { position, lineage: None }),
                None => ReplicaSeen::Untellable(NO_POSITION.into()),
            })
        }
    }
}

/// Later versions have words where earlier ones have numbers.
fn is_off(setting: &str) -> bool {
    matches!(setting, "0" | "OFF")
}

async fn first(connection: &mut Connection, sql: &str) -> Result<QueryResult, sqlx::Error> {
    connection.ask(sql, Vec::new()).await?.into_iter().next().ok_or(sqlx::Error::RowNotFound)
}

fn column<T: TryGetable>(row: &QueryResult, at: usize) -> Result<T, sqlx::Error> {
    row.try_get_by_index(at).map_err(decoding)
}
