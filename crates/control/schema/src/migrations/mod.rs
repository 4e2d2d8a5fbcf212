//! The migrations of both kinds of database, oldest first. `warren-storage` applies them: under a lock, with a ledger.

mod m0001_system;
mod m0001_tenant;
mod m0002_records;
mod m0002_tenant_migrations;
mod m0003_jobs;
mod migration;
mod step;
mod table;

pub use migration::{Checksum, Migration, Phase};
pub use step::{Loss, Step};

/// Brings the system database to the schema of this build.
pub const SYSTEM: &[Migration] = &[m0001_system::INITIAL, m0002_tenant_migrations::TENANT_MIGRATIONS, m0003_jobs::JOBS];

/// Brings a tenant database to the schema of this build.
pub const TENANT: &[Migration] = &[m0001_tenant::INITIAL, m0002_records::RECORDS];
