//! How values of the domain stand in columns, and how they are read back.

use std::{fmt::Display, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};
use warren_model::Timestamp;

/// Rows that one statement adds. All their values stay far below what any engine binds to one statement (32,766 on SQLite).
pub(crate) const ROWS_PER_STATEMENT: usize = 500;

/// A column holds what no version of Warren writes.
#[derive(Debug, Clone, thiserror::Error)]
#[error("column {column} holds something unreadable")]
pub(crate) struct Undecodable {
    pub column: &'static str,
}

/// Microseconds since the Unix epoch.
pub(crate) fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).expect("the library's years end at 9999")
}

/// The moment that `micros` after the Unix epoch is.
pub(crate) fn moment(micros: i64, column: &'static str) -> Result<Timestamp, Undecodable> {
    Timestamp::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| Undecodable { column })
}

/// The same for a column that may be empty.
pub(crate) fn moment_or_none(micros: Option<i64>, column: &'static str) -> Result<Option<Timestamp>, Undecodable> {
    micros.map(|micros| moment(micros, column)).transpose()
}

/// What `text` stands for.
pub(crate) fn parsed<T: FromStr>(text: &str, column: &'static str) -> Result<T, Undecodable> {
    text.parse().map_err(|_| Undecodable { column })
}

/// The number in the smaller type that the domain has for it.
pub(crate) fn narrowed<T, N: TryInto<T>>(number: N, column: &'static str) -> Result<T, Undecodable> {
    number.try_into().map_err(|_| Undecodable { column })
}

/// Exactly 32 bytes.
pub(crate) fn bytes_32(bytes: &[u8], column: &'static str) -> Result<[u8; 32], Undecodable> {
    bytes.try_into().map_err(|_| Undecodable { column })
}

/// A list of things that are written as text, as JSON.
pub(crate) fn list_of<T: Display>(items: &[T]) -> String {
    json(&items.iter().map(T::to_string).collect::<Vec<_>>())
}

/// Reads what [`list_of`] wrote.
pub(crate) fn listed<T: FromStr>(text: &str, column: &'static str) -> Result<Vec<T>, Undecodable> {
    let items: Vec<String> = from_json(text, column)?;
    items.iter().map(|item| parsed(item, column)).collect()
}

/// `value` as JSON.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain structures of text and numbers always serialise")
}

/// Reads what [`json`] wrote.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, column: &'static str) -> Result<T, Undecodable> {
    serde_json::from_str(text).map_err(|_| Undecodable { column })
}

/// `ids` lengthened to a power of two by repeating the last, so that lists of any length make few distinct statements.
pub(crate) fn padded<T: Clone>(ids: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut ids: Vec<T> = ids.into_iter().collect();
    if let Some(last) = ids.last().cloned() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    ids
}
