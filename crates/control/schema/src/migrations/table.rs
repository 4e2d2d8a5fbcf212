//! Shapes that several migrations share: tables, indexes, and the columns that recur.

use sea_orm::sea_query::{ColumnDef, ForeignKey, Index, IndexCreateStatement, Table, TableCreateStatement};

use super::Step;

/// Creates `table` with `columns` and the `more` that are no columns.
pub fn create(table: &'static str, columns: Vec<ColumnDef>, more: impl FnOnce(&mut TableCreateStatement)) -> Step {
    let mut statement = Table::create();
    statement.table(table);
    for column in columns {
        statement.col(column);
    }
    more(&mut statement);
    Step::CreateTable { table, statement }
}

/// Indexes `columns` under the name `<table>_<columns>`.
pub fn index(table: &'static str, columns: &[&'static str]) -> Step {
    let (name, statement) = index_on(table, columns);
    Step::CreateIndex { table, name, statement }
}

/// The same, and no two rows may agree in all of `columns`.
pub fn unique(table: &'static str, columns: &[&'static str]) -> Step {
    let (name, mut statement) = index_on(table, columns);
    Step::CreateIndex { table, name, statement: statement.unique().take() }
}

fn index_on(table: &'static str, columns: &[&'static str]) -> (String, IndexCreateStatement) {
    let name = format!("{table}_{}", columns.join("_"));
    let mut statement = Index::create();
    statement.name(&name).table(table);
    for column in columns {
        statement.col(*column);
    }
    (name, statement)
}

/// `column` of the table in hand names a row of `parent`, which cannot go while it is named.
pub fn references(table: &mut TableCreateStatement, column: &'static str, parent: &'static str) {
    table.foreign_key(ForeignKey::create().from_col(column).to(parent, "id"));
}

/// A primary key over several columns.
pub fn primary_key(table: &mut TableCreateStatement, columns: &[&'static str]) {
    let mut key = Index::create();
    for column in columns {
        key.col(*column);
    }
    table.primary_key(&mut key);
}

/// An identifier that is the primary key.
pub fn id() -> ColumnDef {
    uuid("id").primary_key().take()
}

/// A SHA-256 hash or a Curve25519 key.
pub fn bytes_32(column: &'static str) -> ColumnDef {
    ColumnDef::new(column).binary_len(32).not_null().take()
}

pub fn uuid(column: &'static str) -> ColumnDef {
    ColumnDef::new(column).uuid().not_null().take()
}

pub fn big_integer(column: &'static str) -> ColumnDef {
    ColumnDef::new(column).big_integer().not_null().take()
}

pub fn integer(column: &'static str) -> ColumnDef {
    ColumnDef::new(column).integer().not_null().take()
}

pub fn string_len(column: &'static str, characters_max: u32) -> ColumnDef {
    ColumnDef::new(column).string_len(characters_max).not_null().take()
}

pub fn text(column: &'static str) -> ColumnDef {
    ColumnDef::new(column).text().not_null().take()
}

/// The same column, which may be empty.
pub fn or_null(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}

/// The columns of an audit entry; what no query asks for stands in `body`.
pub fn audit_columns() -> Vec<ColumnDef> {
    vec![id(), big_integer("at"), or_null(uuid("actor_account_id")), string_len("action", 60), text("body")]
}

/// Creates `idempotency_keys`, which both kinds of database have.
pub fn create_idempotency_keys() -> [Step; 2] {
    let columns = vec![
        string_len("scope", 120),
        string_len("key", 255),
        bytes_32("fingerprint"),
        uuid("resource"),
        big_integer("created_at"),
    ];
    [
        create("idempotency_keys", columns, |table| primary_key(table, &["scope", "key"])),
        index("idempotency_keys", &["created_at"]),
    ]
}
