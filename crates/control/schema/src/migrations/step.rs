//! One step of a migration, as a statement on each engine, and the statement that undoes it.

use sea_orm::{
    DbBackend,
    sea_query::{ColumnDef, Index, IndexCreateStatement, Table, TableCreateStatement},
};

/// One statement of a migration.
#[derive(Debug, Clone)]
pub enum Step {
    CreateTable {
        table: &'static str,
        statement: TableCreateStatement,
    },
    CreateIndex {
        table: &'static str,
        name: String,
        statement: IndexCreateStatement,
    },
    /// A column that may be null or has a default, so that rows written by the version before stay valid.
    AddColumn {
        table: &'static str,
        column: ColumnDef,
    },
    /// The index that `again` makes when the step is undone.
    DropIndex {
        table: &'static str,
        name: String,
        again: IndexCreateStatement,
    },
    /// The column that is added again, empty, when the step is undone.
    DropColumn {
        table: &'static str,
        column: ColumnDef,
    },
    /// The table that is made again, empty, when the step is undone.
    DropTable {
        table: &'static str,
        again: TableCreateStatement,
    },
}

impl Step {
    /// The statement that does it.
    pub fn up(&self, backend: DbBackend) -> String {
        match self {
            Self::CreateTable { statement, .. } => create_table(backend, statement),
            Self::CreateIndex { statement, .. } => create_index(backend, statement),
            Self::AddColumn { table, column } => add_column(backend, table, column),
            Self::DropIndex { table, name, .. } => drop_index(backend, table, name),
            Self::DropColumn { table, column } => drop_column(backend, table, column),
            Self::DropTable { table, .. } => drop_table(backend, table),
        }
    }

    /// The statement that undoes it.
    pub fn down(&self, backend: DbBackend) -> String {
        match self {
            Self::CreateTable { table, .. } => drop_table(backend, table),
            Self::CreateIndex { table, name, .. } => drop_index(backend, table, name),
            Self::AddColumn { table, column } => drop_column(backend, table, column),
            Self::DropIndex { again, .. } => create_index(backend, again),
            Self::DropColumn { table, column } => add_column(backend, table, column),
            Self::DropTable { again, .. } => create_table(backend, again),
        }
    }

    /// What the version before would stumble over, if anything. Tables in `made` are new and nobody's yet.
    pub(super) fn narrows(&self, made: &[&str]) -> Option<String> {
        match self {
            Self::CreateTable { .. } => None,
            Self::CreateIndex { table, statement, name } => (statement.is_unique_key() && !made.contains(table))
                .then(|| format!("the unique index {name} may refuse rows of {table} that were allowed")),
            Self::AddColumn { table, column } => {
                let spec = column.get_column_spec();
                let insertable = spec.nullable.unwrap_or(true) || spec.default.is_some();
                (!insertable)
                    .then(|| format!("{table}.{} is new, not null and without a default", column.get_column_name()))
            }
            Self::DropIndex { name, .. } => Some(format!("it drops the index {name}")),
            Self::DropColumn { table, column } => Some(format!("it drops {table}.{}", column.get_column_name())),
            Self::DropTable { table, .. } => Some(format!("it drops the table {table}")),
        }
    }
}

fn create_table(backend: DbBackend, table: &TableCreateStatement) -> String {
    backend.build(table).sql
}

fn drop_table(backend: DbBackend, table: &'static str) -> String {
    backend.build(&Table::drop().table(table).take()).sql
}

fn create_index(backend: DbBackend, index: &IndexCreateStatement) -> String {
    backend.build(index).sql
}

fn drop_index(backend: DbBackend, table: &'static str, name: &str) -> String {
    backend.build(Index::drop().name(name).table(table)).sql
}

fn add_column(backend: DbBackend, table: &'static str, column: &ColumnDef) -> String {
    backend.build(&Table::alter().table(table).add_column(column.clone()).take()).sql
}

fn drop_column(backend: DbBackend, table: &'static str, column: &ColumnDef) -> String {
    backend.build(&Table::alter().table(table).drop_column(column.get_column_name()).take()).sql
}
