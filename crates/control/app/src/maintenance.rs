//! The databases of an installation that is not running: how they stand to this program's schema, and bringing them there or
//! back. The command line works with them directly, as there is nobody to ask.

use std::sync::Arc;

use warren_model::{Clock, Random};
pub use warren_storage::{
    Direction, Engine, Losses, Maintenance, MigrationPhase, MigrationState, MigrationView, PARALLEL_MAX,
    PlannedMigration, Progress, RolloutOptions, RolloutReport, SchemaStatus, StopAfter, Stopped, StorageError,
    TenantMigration, TenantMigrationState, TenantOutcome, TenantSchema,
};

use crate::Standing;

/// The databases where `standing` says. Whoever calls holds the lock of the data folder.
pub fn of(standing: Standing, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Maintenance {
    Maintenance::new(&warren_storage::Config::standing(standing), clock, random)
}
