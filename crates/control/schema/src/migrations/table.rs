//! Shapes that several migrations share: tables, indexes, and the columns that recur.

use sea_orm_migration::{
    SchemaManager,
    prelude::*,
    schema::{big_integer, binary_len, string_len, text, uuid, uuid_null},
    sea_orm::DbErr,
};

/// Creates `table` with `columns` and the `more` that are no columns.
pub async fn create(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: Vec<ColumnDef>,
    more: impl FnOnce(&mut TableCreateStatement),
) -> Result<(), DbErr> {
    let mut statement = Table::create();
    statement.table(table);
    for column in columns {
        statement.col(column);
    }
    more(&mut statement);
    manager.create_table(statement).await
}

/// Indexes `columns` under the name `<table>_<columns>`.
pub async fn index(manager: &SchemaManager<'_>, table: &'static str, columns: &[&'static str]) -> Result<(), DbErr> {
    manager.create_index(index_on(table, columns)).await
}

/// The same, and no two rows may agree in all of `columns`.
pub async fn unique(manager: &SchemaManager<'_>, table: &'static str, columns: &[&'static str]) -> Result<(), DbErr> {
    let mut statement = index_on(table, columns);
    manager.create_index(statement.unique().take()).await
}

fn index_on(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut statement = Index::create();
    statement.name(format!("{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        statement.col(*column);
    }
    statement
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

/// Drops `tables` in the order given.
pub async fn drop(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).take()).await?;
    }
    Ok(())
}

/// An identifier that is the primary key.
pub fn id() -> ColumnDef {
    uuid("id").primary_key().take()
}

/// A SHA-256 hash or a Curve25519 key.
pub fn bytes_32(column: &'static str) -> ColumnDef {
    binary_len(column, 32)
}

/// The columns of an audit entry; what no query asks for stands in `body`.
pub fn audit_columns() -> Vec<ColumnDef> {
    vec![id(), big_integer("at"), uuid_null("actor_account_id"), string_len("action", 60), text("body")]
}

/// Creates `idempotency_keys`, which both kinds of database have.
pub async fn create_idempotency_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        string_len("scope", 120),
        string_len("key", 255),
        bytes_32("fingerprint"),
        uuid("resource"),
        big_integer("created_at"),
    ];
    create(manager, "idempotency_keys", columns, |table| primary_key(table, &["scope", "key"])).await?;
    index(manager, "idempotency_keys", &["created_at"]).await
}
