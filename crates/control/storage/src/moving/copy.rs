//! Copies all rows of a database, parents before those that refer to them, a page a transaction.

use std::sync::Arc;

use sea_orm::Value;

use super::{
    MoveError, MoveProgress,
    page::Pages,
    sql,
    table::{Row, Table, size_bytes},
};
use crate::{Place, StorageError, engine::Connection};

/// The most rows of one statement, and the most values: SQLite takes 32,766, the others 65,535.
const ROWS_AT_ONCE_MAX: usize = 250;
const VALUES_AT_ONCE_MAX: usize = 30_000;
/// MariaDB takes 16 MiB at once as it comes, some servers are set to 1 MiB.
const STATEMENT_BYTES_MAX: usize = 768 * 1024;

/// One end of a move.
#[derive(Debug)]
pub(super) struct End {
    pub connection: Connection,
    pub place: Place,
}

/// Copies every row of `tables`, which stand parents first, into empty tables.
pub(super) async fn copy(
    source: &mut End,
    target: &mut End,
    tables: &[Table],
    progress: &MoveProgress,
) -> Result<(), MoveError> {
    for table in tables {
        let mut pages = Pages::of(table);
        loop {
            let position = pages.position();
            let rows = pages.next(&mut source.connection, &source.place).await?;
            if rows.is_empty() {
                break;
            }
            write(&mut target.connection, table, &rows).await.map_err(|error| MoveError::RowRefused {
                place: target.place.clone(),
                table: table.name.clone(),
                after: position,
                source: Box::new(StorageError::from_driver(&Arc::new(error), &target.place)),
            })?;
            progress.copied(rows.len());
        }
    }
    Ok(())
}

/// Inserts `rows` in one transaction. After an error the connection is of no use any more.
async fn write(connection: &mut Connection, table: &Table, rows: &[Row]) -> Result<(), sqlx::Error> {
    connection.run("BEGIN").await?;
    let mut rest = rows;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest));
        let values: Vec<Value> = now.iter().flatten().cloned().collect();
        connection.ask(&sql::insert(table, connection.engine(), now.len()), values).await?;
        rest = later;
    }
    connection.run("COMMIT").await
}

/// How many of the rows fit into one statement; at least one.
fn fitting(rows: &[Row]) -> usize {
    let width = rows.first().map_or(1, Vec::len).max(1);
    let rows_max = ROWS_AT_ONCE_MAX.min(VALUES_AT_ONCE_MAX / width);
    let mut bytes = 0;
    let fitting = rows.iter().take(rows_max).take_while(|row| {
        bytes += size_bytes(row);
        bytes <= STATEMENT_BYTES_MAX
    });
    fitting.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_stay_small_and_rows_that_are_not_go_alone() {
        let small: Row = vec!["x".into(); 10];
        assert_eq!(fitting(&vec![small.clone(); 1000]), ROWS_AT_ONCE_MAX);
        let large: Row = vec![Value::from("x".repeat(400 * 1024))];
        assert_eq!(fitting(&[large.clone(), large.clone()]), 1);
        let huge: Row = vec![Value::from("x".repeat(4 * 1024 * 1024))];
        assert_eq!(fitting(&[huge, small]), 1);
    }
}
