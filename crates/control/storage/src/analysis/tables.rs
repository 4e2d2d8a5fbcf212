//! How many rows tables have, and how much room they take.

use sea_orm::QueryResult;

use crate::engine::{Connection, Engine, decoding};

/// A larger file is not read through to count what is in it.
const COUNTED_BYTES_MAX: i64 = 256 * 1024 * 1024;

/// The size of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFigures {
    pub table: String,
    /// Counted on SQLite, estimated by servers and for SQLite files past 256 MiB.
    pub rows: u64,
    /// With its indexes; none where that would mean to read a large file through.
    pub size_bytes: Option<u64>,
}

/// The tables of the database, the largest first.
pub(super) async fn of(connection: &mut Connection) -> Result<Vec<TableFigures>, sqlx::Error> {
    let mut tables = match connection.engine() {
        Engine::Sqlite => of_file(connection).await?,
        Engine::MariaDb => of_server(connection, MARIADB).await?,
        Engine::PostgreSql => of_server(connection, POSTGRESQL).await?,
    };
    tables.sort_unstable_by(|a, b| (b.size_bytes, b.rows, &a.table).cmp(&(a.size_bytes, a.rows, &b.table)));
    Ok(tables)
}

const MARIADB: &str = "SELECT CONVERT(table_name USING utf8mb4), CAST(COALESCE(table_rows, 0) AS SIGNED), \
    CAST(COALESCE(data_length + index_length, 0) AS SIGNED) \
    FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'";

const POSTGRESQL: &str = "SELECT relname::text, GREATEST(n_live_tup, 0)::bigint, pg_total_relation_size(relid)::bigint \
    FROM pg_stat_user_tables WHERE schemaname = current_schema()";

async fn of_server(connection: &mut Connection, sql: &str) -> Result<Vec<TableFigures>, sqlx::Error> {
    let figures = |row: &QueryResult| -> Result<TableFigures, sea_orm::DbErr> {
        let (rows, bytes): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        Ok(TableFigures {
            table: row.try_get_by_index(0)?,
            rows: rows.max(0).unsigned_abs(),
            size_bytes: Some(bytes.max(0).unsigned_abs()),
        })
    };
    let rows = connection.ask(sql, Vec::new()).await?;
    rows.iter().map(figures).collect::<Result<_, _>>().map_err(decoding)
}

async fn of_file(connection: &mut Connection) -> Result<Vec<TableFigures>, sqlx::Error> {
    let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    let is_small = connection.ask_one::<i64>(size, Vec::new()).await?.unwrap_or(0) <= COUNTED_BYTES_MAX;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let names = connection.ask(names, Vec::new()).await?;
    let mut tables = Vec::new();
    for row in names {
        let table: String = row.try_get_by_index(0).map_err(decoding)?;
        // Rows are never numbered again, so the highest number is at least their count.
        let count = if is_small { "COUNT(*)" } else { "MAX(rowid)" };
        let rows = connection.ask_one::<i64>(&format!("SELECT {count} FROM \"{table}\""), Vec::new()).await?;
        let size_bytes = if is_small { size_of(connection, &table).await? } else { None };
        tables.push(TableFigures { table, rows: rows.unwrap_or(0).max(0).unsigned_abs(), size_bytes });
    }
    Ok(tables)
}

/// The pages of a table and its indexes (<https://www.sqlite.org/dbstat.html>).
async fn size_of(connection: &mut Connection, table: &str) -> Result<Option<u64>, sqlx::Error> {
    let sql = "SELECT SUM(s.pgsize) FROM sqlite_master m JOIN dbstat s ON s.name = m.name AND s.aggregate = TRUE \
        WHERE m.tbl_name = ?";
    let size = connection.ask_one::<i64>(sql, vec![table.into()]).await?;
    Ok(size.map(|bytes| bytes.max(0).unsigned_abs()))
}
