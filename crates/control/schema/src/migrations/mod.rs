//! The migrators of both kinds of database.
//!
//! Run them through a transaction that holds the writer's lock: the library takes no lock of its own.

mod m0001_system;
mod m0001_tenant;
mod table;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Brings the system database to the schema of this build.
#[derive(Debug)]
pub struct SystemMigrator;

impl MigratorTrait for SystemMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_system::Initial)]
    }
}

/// Brings a tenant database to the schema of this build.
#[derive(Debug)]
pub struct TenantMigrator;

impl MigratorTrait for TenantMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_tenant::Initial)]
    }
}
