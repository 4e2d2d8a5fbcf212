//! Which indexes there are, and whether anything uses them.

use sea_orm::QueryResult;

use super::ExplainedStatement;
use crate::engine::{Connection, Engine, decoding};

/// One index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFigures {
    pub table: String,
    pub index: String,
    pub role: IndexRole,
    pub used: IndexUse,
    /// As far as the database tells.
    pub size_bytes: Option<u64>,
}

/// What an index is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexRole {
    /// Keeps values apart, whether or not anything is looked up in it: a primary key or a unique index.
    Constraint,
    /// Looking up only.
    Search,
}

/// How an index is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexUse {
    /// So often, as the server counted since its figures began.
    Counted(u64),
    /// Some statement that was seen since the start uses it.
    InPlans,
    /// None does. Statements that nobody has sent yet may.
    InNoPlan,
}

impl IndexFigures {
    /// Where the database does not count: whether any of `statements` uses it.
    pub(super) fn note_plans(&mut self, statements: &[ExplainedStatement]) {
        let is_used = || statements.iter().any(|statement| statement.plan.indexes().any(|index| index == self.index));
        if self.used == IndexUse::InNoPlan && is_used() {
            self.used = IndexUse::InPlans;
        }
    }

    /// Whether it only costs room and time, as far as is known.
    pub fn is_idle(&self) -> bool {
        self.role == IndexRole::Search && matches!(self.used, IndexUse::InNoPlan | IndexUse::Counted(0))
    }
}

/// The indexes of the database. Where it does not count their use, they are taken for unused.
pub(super) async fn of(connection: &mut Connection) -> Result<Vec<IndexFigures>, sqlx::Error> {
    match connection.engine() {
        Engine::Sqlite => listed(connection, SQLITE).await,
        Engine::PostgreSql => listed(connection, POSTGRESQL).await,
        Engine::MariaDb => match listed(connection, MARIADB_COUNTED).await {
            Ok(indexes) if indexes.iter().any(|index| index.used != IndexUse::InNoPlan) => Ok(indexes),
            // The counters are off, as they are by default, or not for Warren to see.
            _ => listed(connection, MARIADB).await,
        },
    }
}

/// Table, index, 1 when it is unique, how often it was used, its size; the last two are null where nobody knows.
const SQLITE: &str = "SELECT m.tbl_name, m.name, l.\"unique\", NULL, NULL FROM sqlite_master m \
    JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name WHERE m.type = 'index' ORDER BY 1, 2";

const POSTGRESQL: &str = "SELECT s.relname::text, s.indexrelname::text, i.indisunique::int::bigint, \
    s.idx_scan::bigint, pg_relation_size(s.indexrelid)::bigint \
    FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid \
    WHERE s.schemaname = current_schema() ORDER BY 1, 2";

const MARIADB: &str = "SELECT CONVERT(table_name USING utf8mb4), CONVERT(index_name USING utf8mb4), \
    CAST(1 - MAX(non_unique) AS SIGNED), CAST(NULL AS SIGNED), CAST(NULL AS SIGNED) \
    FROM information_schema.statistics WHERE table_schema = DATABASE() GROUP BY table_name, index_name ORDER BY 1, 2";

const MARIADB_COUNTED: &str = "SELECT CONVERT(s.table_name USING utf8mb4), CONVERT(s.index_name USING utf8mb4), \
    CAST(1 - MAX(s.non_unique) AS SIGNED), CAST(MAX(u.count_star) AS SIGNED), CAST(NULL AS SIGNED) \
    FROM information_schema.statistics s \
    JOIN performance_schema.table_io_waits_summary_by_index_usage u ON u.object_schema = s.table_schema \
    AND u.object_name = s.table_name AND u.index_name = s.index_name \
    WHERE s.table_schema = DATABASE() AND @@performance_schema GROUP BY s.table_name, s.index_name ORDER BY 1, 2";

async fn listed(connection: &mut Connection, sql: &str) -> Result<Vec<IndexFigures>, sqlx::Error> {
    let figures = |row: &QueryResult| -> Result<IndexFigures, sea_orm::DbErr> {
        let (is_unique, uses): (i64, Option<i64>) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
        let size: Option<i64> = row.try_get_by_index(4)?;
        Ok(IndexFigures {
            table: row.try_get_by_index(0)?,
            index: row.try_get_by_index(1)?,
            role: if is_unique == 0 { IndexRole::Search } else { IndexRole::Constraint },
            used: uses.map_or(IndexUse::InNoPlan, |uses| IndexUse::Counted(uses.max(0).unsigned_abs())),
            size_bytes: size.map(|bytes| bytes.max(0).unsigned_abs()),
        })
    };
    let rows = connection.ask(sql, Vec::new()).await?;
    rows.iter().map(figures).collect::<Result<_, _>>().map_err(decoding)
}
