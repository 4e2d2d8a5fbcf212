//! The statements that read and write any table, in the words of each engine.

use sea_orm::Value;

use super::table::{Row, Shape, Table};
use crate::engine::Engine;

/// Reads the first rows whose keys follow `after`, in the order of the keys; the order is the same on every engine: texts by
/// their bytes, whatever the collation of the database.
pub(super) fn page(table: &Table, engine: Engine, after: Option<&Row>, rows_max: usize) -> (String, Vec<Value>) {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(engine, &column.name)).collect();
    let keys: Vec<String> = table.key.iter().map(|at| ordered(table, engine, *at)).collect();
    let (condition, values) = after.map(|after| follows(table, engine, &keys, after)).unwrap_or_default();
    let sql = format!(
        "SELECT {} FROM {}{condition} ORDER BY {} LIMIT {rows_max}",
        columns.join(", "),
        quoted(engine, &table.name),
        keys.join(", "),
    );
    (sql, values)
}

/// Inserts this many rows at once.
pub(super) fn insert(table: &Table, engine: Engine, rows: usize) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quoted(engine, &column.name)).collect();
    let width = columns.len();
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| placeholder(engine, row * width + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO {} ({}) VALUES {}", quoted(engine, &table.name), columns.join(", "), rows.join(", "))
}

pub(super) fn count(table: &Table, engine: Engine) -> String {
    format!("SELECT COUNT(*) FROM {}", quoted(engine, &table.name))
}

/// The names of all tables of the database.
pub(super) fn tables(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        Engine::MariaDb => {
            "SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1"
        }
        Engine::PostgreSql => {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
        }
    }
}

/// Drops tables, whichever of them refer to which.
pub(super) fn drop_tables(engine: Engine, names: &[String]) -> String {
    let quoted = |name: &String| quoted(engine, name);
    match engine {
        Engine::Sqlite => {
            let drops: Vec<String> = names.iter().map(|name| format!("DROP TABLE {};", quoted(name))).collect();
            format!("PRAGMA foreign_keys = OFF; {} PRAGMA foreign_keys = ON", drops.join(" "))
        }
        Engine::MariaDb => {
            let names: Vec<String> = names.iter().map(quoted).collect();
            format!("SET foreign_key_checks = 0; DROP TABLE {}; SET foreign_key_checks = 1", names.join(", "))
        }
        Engine::PostgreSql => {
            format!("DROP TABLE {} CASCADE", names.iter().map(quoted).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The condition that a row's key comes after `after`.
fn follows(table: &Table, engine: Engine, keys: &[String], after: &Row) -> (String, Vec<Value>) {
    let place = |at: usize, nth: usize| match (engine, table.columns[table.key[at]].shape) {
        (Engine::MariaDb, Shape::Text) => "CAST(? AS BINARY)".to_owned(),
        _ => placeholder(engine, nth),
    };
    if engine != Engine::MariaDb {
        let places: Vec<String> = (0..keys.len()).map(|at| place(at, at + 1)).collect();
        return (format!(" WHERE ({}) > ({})", keys.join(", "), places.join(", ")), after.clone());
    }
    // MariaDB uses no index for a comparison of whole rows.
    let (mut cases, mut values) = (Vec::new(), Vec::new());
    for last in 0..keys.len() {
        let case: Vec<String> = (0..=last)
            .map(|at| format!("{} {} {}", keys[at], if at == last { ">" } else { "=" }, place(at, 0)))
            .collect();
        cases.push(format!("({})", case.join(" AND ")));
        values.extend(after[..=last].iter().cloned());
    }
    (format!(" WHERE {}", cases.join(" OR ")), values)
}

/// A column of the key as it is ordered and compared.
fn ordered(table: &Table, engine: Engine, at: usize) -> String {
    let column = quoted(engine, &table.columns[at].name);
    match (engine, table.columns[at].shape) {
        (Engine::MariaDb, Shape::Text) => format!("CAST({column} AS BINARY)"),
        (Engine::PostgreSql, Shape::Text) => format!("{column} COLLATE \"C\""),
        _ => column,
    }
}

fn quoted(engine: Engine, name: &str) -> String {
    match engine {
        Engine::MariaDb => format!("`{name}`"),
        Engine::Sqlite | Engine::PostgreSql => format!("\"{name}\""),
    }
}

pub(super) fn placeholder(engine: Engine, nth: usize) -> String {
    match engine {
        Engine::PostgreSql => format!("${nth}"),
        Engine::Sqlite | Engine::MariaDb => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_after_a_key_of_several_columns() {
        let table = Table::of(warren_schema::idempotency_key::Entity);
        let after = vec!["a".into(), "b".into()];
        let (sql, values) = page(&table, Engine::MariaDb, Some(&after), 7);
        assert!(
            sql.ends_with(
                "WHERE (CAST(`scope` AS BINARY) > CAST(? AS BINARY)) OR (CAST(`scope` AS BINARY) = CAST(? AS BINARY) AND \
                 CAST(`key` AS BINARY) > CAST(? AS BINARY)) ORDER BY CAST(`scope` AS BINARY), CAST(`key` AS BINARY) LIMIT 7"
            ),
            "{sql}"
        );
        assert_eq!(values, vec!["a".into(), "a".into(), "b".into()]);
        let (sql, values) = page(&table, Engine::PostgreSql, Some(&after), 7);
        assert!(sql.contains("WHERE (\"scope\" COLLATE \"C\", \"key\" COLLATE \"C\") > ($1, $2)"), "{sql}");
        assert_eq!(values, after);
    }
}
