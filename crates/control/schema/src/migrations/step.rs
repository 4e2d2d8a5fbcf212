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
    /// The table that is made again, empty, when the step is undone. Its indexes are dropped by steps of their own before, so
    /// that they come back too.
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
                let name = column.get_column_name();
                if !may_be_left_out(column) {
                    Some(format!("{table}.{name} is new, not null and without a default"))
                } else if column.get_column_spec().unique {
                    Some(format!("the unique column {table}.{name} may refuse rows that were allowed"))
                } else {
                    None
                }
            }
            Self::DropIndex { name, .. } => Some(format!("it drops the index {name}")),
            Self::DropColumn { table, column } => Some(format!("it drops {table}.{}", column.get_column_name())),
            Self::DropTable { table, .. } => Some(format!("it drops the table {table}")),
        }
    }

    /// What it adds that a program has to write to, if anything.
    pub(super) fn widens(&self) -> Option<String> {
        match self {
            Self::CreateTable { table, .. } => Some(format!("it creates the table {table}")),
            Self::AddColumn { table, column } => Some(format!("it adds {table}.{}", column.get_column_name())),
            Self::CreateIndex { .. } | Self::DropIndex { .. } | Self::DropColumn { .. } | Self::DropTable { .. } => {
                None
            }
        }
    }

    /// Why it could not be undone while the table has rows, if it could not.
    pub(super) fn cannot_be_undone(&self) -> Option<String> {
        let Self::DropColumn { table, column } = self else { return None };
        (!may_be_left_out(column)).then(|| {
            let name = column.get_column_name();
            format!(
                "{table}.{name} is not null and without a default, and could not be added again: let it be null first"
            )
        })
    }

    /// What undoing it loses, or does not bring back.
    pub fn loss(&self) -> Option<Loss> {
        match self {
            Self::CreateTable { table, .. } => Some(Loss::Rows { table }),
            Self::AddColumn { table, column } => Some(Loss::Values { table, column: column.get_column_name() }),
            Self::DropColumn { table, column } => {
                Some(Loss::ComesBackEmpty { what: format!("{table}.{}", column.get_column_name()) })
            }
            Self::DropTable { table, .. } => Some(Loss::ComesBackEmpty { what: (*table).to_owned() }),
            Self::CreateIndex { .. } | Self::DropIndex { .. } => None,
        }
    }
}

/// What undoing a step costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// The rows that were written to this table since.
    Rows { table: &'static str },
    /// The values that were written to this column since.
    Values { table: &'static str, column: String },
    /// The shape is restored, and not what was in it.
    ComesBackEmpty { what: String },
}

/// Whether a row may be inserted that does not name the column.
fn may_be_left_out(column: &ColumnDef) -> bool {
    let spec = column.get_column_spec();
    spec.nullable.unwrap_or(true) || spec.default.is_some()
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
