//! Reading a table by pages, in the order of its primary key.

use std::sync::Arc;

use sea_orm::Value;
use sha2::{Digest, Sha256};

use super::{
    sql,
    table::{Row, Table},
};
use crate::{
    Place, StorageError,
    engine::{Connection, decoding},
};

/// The most rows that are in memory at once for one database.
pub(super) const PAGE_ROWS: usize = 1000;

/// Reads one table from its beginning.
#[derive(Debug)]
pub(super) struct Pages<'t> {
    table: &'t Table,
    after: Option<Row>,
    is_at_end: bool,
}

impl<'t> Pages<'t> {
    pub const fn of(table: &'t Table) -> Self {
        Self { table, after: None, is_at_end: false }
    }

    /// The rows that come next; none at the end.
    pub async fn next(&mut self, connection: &mut Connection, place: &Place) -> Result<Vec<Row>, StorageError> {
        if self.is_at_end {
            return Ok(Vec::new());
        }
        let (statement, values) = sql::page(self.table, connection.engine(), self.after.as_ref(), PAGE_ROWS);
        let failed = |error| StorageError::from_driver(&Arc::new(error), place);
        let rows = connection.ask(&statement, values).await.map_err(failed)?;
        let rows: Result<Vec<Row>, _> = rows.iter().map(|row| self.table.read(row)).collect();
        let rows = rows.map_err(|error| failed(decoding(error)))?;
        self.is_at_end = rows.len() < PAGE_ROWS;
        self.after = rows.last().map(|row| self.table.key_of(row));
        Ok(rows)
    }

    /// For people: behind which row the next page begins.
    pub fn position(&self) -> String {
        let Some(after) = &self.after else { return "the beginning".to_owned() };
        let mut row = vec![Value::Bool(None); self.table.columns.len()];
        for (value, at) in after.iter().zip(&self.table.key) {
            row[*at] = value.clone();
        }
        self.table.named(&row)
    }
}

/// SHA-256 over everything that a database holds, the same on every engine.
#[derive(Default)]
pub(super) struct ContentHash(Sha256);

impl ContentHash {
    pub fn table(&mut self, table: &Table) {
        self.0.update([0xff]);
        self.bytes(table.name.as_bytes());
    }

    pub fn rows(&mut self, rows: &[Row]) {
        for value in rows.iter().flatten() {
            match value {
                Value::Uuid(Some(id)) => self.bytes(id.as_bytes()),
                Value::String(Some(text)) => self.bytes(text.as_bytes()),
                Value::Bytes(Some(bytes)) => self.bytes(bytes),
                Value::BigInt(Some(number)) => self.bytes(&number.to_be_bytes()),
                Value::Int(Some(number)) => self.bytes(&number.to_be_bytes()),
                Value::SmallInt(Some(number)) => self.bytes(&number.to_be_bytes()),
                Value::Bool(Some(flag)) => self.bytes(&[u8::from(*flag)]),
                _ => self.0.update([0]),
            }
        }
    }

    /// 64 hexadecimal digits.
    pub fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update([1]);
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }
}

/// The hash of what a database holds now.
pub(super) async fn content_of(
    connection: &mut Connection,
    tables: &[Table],
    place: &Place,
) -> Result<String, StorageError> {
    let mut hash = ContentHash::default();
    for table in tables {
        hash.table(table);
        let mut pages = Pages::of(table);
        loop {
            let rows = pages.next(connection, place).await?;
            if rows.is_empty() {
                break;
            }
            hash.rows(&rows);
        }
    }
    Ok(hash.finish())
}
