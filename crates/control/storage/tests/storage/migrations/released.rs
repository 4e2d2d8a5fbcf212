//! Released migrations stay as they are, and all keep to expand-then-contract.

use sea_orm::{
    DbBackend,
    sea_query::{ColumnDef, Index, Table},
};
use warren_schema::migrations::{self, Migration, Phase, Step};

use super::test_schema;

#[test]
fn a_migration_is_on_every_engine_what_it_was_when_it_was_released() {
    for migration in [migrations::SYSTEM, migrations::TENANT].concat() {
        for (engine, backend) in
            [("sqlite", DbBackend::Sqlite), ("mariadb", DbBackend::MySql), ("postgresql", DbBackend::Postgres)]
        {
            let (up, down) = (migration.up(backend).join(";\n"), migration.down(backend).join(";\n"));
            let sql = format!("-- {}\n{up};\n\n-- back\n{down};\n", migration.phase.as_str());
            insta::assert_snapshot!(format!("{}-{engine}", migration.name), sql);
        }
    }
}

#[test]
fn every_migration_expands_or_contracts() {
    for migrations in [migrations::SYSTEM, migrations::TENANT, &[test_schema::EXPAND, test_schema::CONTRACT]] {
        assert!(migrations.is_sorted_by_key(|migration| migration.name), "names give the order");
        for migration in migrations {
            assert_eq!(migration.breach(), None);
        }
    }
}

#[test]
fn each_kind_of_breach_is_found() {
    fn unique() -> Vec<Step> {
        let statement = Index::create().name("devices_name").table("devices").col("name").unique().take();
        vec![Step::CreateIndex { table: "devices", name: "devices_name".into(), statement }]
    }
    fn without_default() -> Vec<Step> {
        vec![Step::AddColumn { table: "devices", column: ColumnDef::new("colour").integer().not_null().take() }]
    }
    fn unique_column() -> Vec<Step> {
        vec![Step::AddColumn {
            table: "devices",
            column: ColumnDef::new("colour").integer().null().unique_key().take(),
        }]
    }
    fn drop_index() -> Vec<Step> {
        let again = Index::create().name("devices_owner_id_id").table("devices").col("owner_id").take();
        vec![Step::DropIndex { table: "devices", name: "devices_owner_id_id".into(), again }]
    }
    fn drop_column() -> Vec<Step> {
        vec![Step::DropColumn { table: "devices", column: ColumnDef::new("expires_at").big_integer().null().take() }]
    }
    fn drop_full_column() -> Vec<Step> {
        vec![Step::DropColumn { table: "devices", column: ColumnDef::new("name").text().not_null().take() }]
    }
    fn drop_table() -> Vec<Step> {
        let again = Table::create().table("devices").col(ColumnDef::new("id").uuid().not_null().primary_key()).take();
        vec![Step::DropTable { table: "devices", again }]
    }
    fn create_table() -> Vec<Step> {
        let statement = Table::create().table("extra").col(ColumnDef::new("id").uuid().not_null().primary_key()).take();
        vec![Step::CreateTable { table: "extra", statement }]
    }
    fn add_column() -> Vec<Step> {
        vec![Step::AddColumn { table: "devices", column: ColumnDef::new("colour").integer().null().take() }]
    }
    type Steps = fn() -> Vec<Step>;
    let (expand, contract) = (Phase::Expand, Phase::Contract);
    let breaches: [(Phase, Steps, &str); 9] = [
        (expand, unique, "may refuse rows of devices"),
        (expand, without_default, "devices.colour is new, not null and without a default"),
        (expand, unique_column, "the unique column devices.colour"),
        (expand, drop_index, "drops the index devices_owner_id_id"),
        (expand, drop_column, "drops devices.expires_at"),
        (expand, drop_table, "drops the table devices"),
        (contract, create_table, "creates the table extra"),
        (contract, add_column, "adds devices.colour"),
        (contract, drop_full_column, "could not be added again"),
    ];
    for (phase, steps, said) in breaches {
        let breach = Migration { name: "m9000_wrong", phase, steps }.breach().unwrap();
        assert!(breach.contains(said) && breach.starts_with("m9000_wrong"), "{breach}");
    }
    for (phase, steps) in [(contract, drop_index as Steps), (contract, drop_table), (expand, create_table)] {
        assert_eq!(Migration { name: "m9000_right", phase, steps }.breach(), None);
    }
}
