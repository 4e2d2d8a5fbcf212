//! Every table of a kind of database, those that others refer to first.

use sea_orm::sea_query::TableRef;
use warren_schema::migrations::{Migration, Step};

use super::Table;
use crate::models::Model;

/// The tables of `models`, each after those that its foreign keys name, as the migrations have them.
///
/// # Panics
/// When tables refer to one another in a circle: no order could be kept then.
pub(super) fn parents_first(models: &[Model], migrations: &[Migration]) -> Vec<Table> {
    let references = references(migrations);
    let mut waiting: Vec<Table> = models.iter().flat_map(|model| (model.tables)()).collect();
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let names: Vec<String> = waiting.iter().map(|table| table.name.clone()).collect();
        let is_ready = |table: &Table| {
            references
                .iter()
                .all(|(child, parent)| *child != table.name || *parent == table.name || !names.contains(parent))
        };
        let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
        assert!(!ready.is_empty(), "tables that refer to one another in a circle: {names:?}");
        ordered.extend(ready);
        waiting = later;
    }
    ordered
}

/// Which table refers to which.
fn references(migrations: &[Migration]) -> Vec<(String, String)> {
    let mut references = Vec::new();
    for step in migrations.iter().flat_map(|migration| (migration.steps)()) {
        let Step::CreateTable { table, statement } = step else { continue };
        for key in statement.get_foreign_key_create_stmts() {
            if let Some(TableRef::Table(parent, _)) = key.get_foreign_key().get_ref_table() {
                references.push((table.to_owned(), parent.1.to_string()));
            }
        }
    }
    references
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use warren_schema::migrations::{SYSTEM, TENANT};

    use super::*;
    use crate::{SystemModels, TenantModels};

    /// The tables and columns that the migrations leave behind.
    fn made_by(migrations: &[Migration]) -> BTreeMap<String, Vec<String>> {
        let mut made: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for step in migrations.iter().flat_map(|migration| (migration.steps)()) {
            match step {
                Step::CreateTable { table, statement } => {
                    let columns = statement.get_columns().iter().map(|column| column.get_column_name());
                    made.insert(table.to_owned(), columns.collect());
                }
                Step::AddColumn { table, column } => {
                    made.get_mut(table).unwrap().push(column.get_column_name());
                }
                Step::DropColumn { table, column } => {
                    made.get_mut(table).unwrap().retain(|name| *name != column.get_column_name());
                }
                Step::DropTable { table, .. } => drop(made.remove(table)),
                Step::CreateIndex { .. } | Step::DropIndex { .. } => {}
            }
        }
        made.values_mut().for_each(|columns| columns.sort_unstable());
        made
    }

    #[test]
    fn every_table_and_column_of_the_migrations_is_moved() {
        for (models, migrations) in [(SystemModels::REGISTRY, SYSTEM), (TenantModels::REGISTRY, TENANT)] {
            let moved: BTreeMap<String, Vec<String>> = parents_first(models, migrations)
                .into_iter()
                .map(|table| {
                    assert!(!table.key.is_empty(), "{} has no primary key to read it by", table.name);
                    let mut columns: Vec<String> = table.columns.into_iter().map(|column| column.name).collect();
                    columns.sort_unstable();
                    (table.name, columns)
                })
                .collect();
            assert_eq!(moved, made_by(migrations), "a table or column that no model names would not be moved");
        }
    }

    #[test]
    fn tables_come_after_those_that_they_refer_to() {
        for (models, migrations) in [(SystemModels::REGISTRY, SYSTEM), (TenantModels::REGISTRY, TENANT)] {
            let names: Vec<String> = parents_first(models, migrations).into_iter().map(|table| table.name).collect();
            let at = |name: &String| names.iter().position(|other| other == name).unwrap();
            let references = references(migrations);
            assert!(references.len() >= 3, "{references:?}");
            for (child, parent) in &references {
                assert!(at(parent) < at(child), "{child} refers to {parent}: {names:?}");
            }
        }
    }
}
