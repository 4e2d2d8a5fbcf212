//! Brings databases to a schema and back: under a lock, in one transaction where the engine can, with a ledger in each
//! database; all of an installation's in stages.

mod apply;
mod ledger;
mod lock;
mod look;
mod maintenance;
mod note;
mod options;
mod rollout;
mod undo;
mod visit;

use warren_schema::migrations::{self, Migration};

pub(crate) use self::{
    apply::bring_up,
    ledger::{LEDGER, Ledger, has_ledger, missing},
    note::Notes,
};
pub use self::{
    look::{MigrationState, MigrationView, PlannedMigration},
    maintenance::{DatabaseSchema, Maintenance, SchemaStatus, TenantEntry, TenantSchema},
    options::{Direction, PARALLEL_MAX, RolloutOptions, Stage, StopAfter},
    rollout::{Progress, RolloutReport, Stopped, TenantOutcome},
    undo::Losses,
};
pub use warren_schema::migrations::Phase as MigrationPhase;

/// The migrations that databases are brought to, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    pub system: &'static [Migration],
    pub tenant: &'static [Migration],
}

impl Schema {
    /// What this program works on.
    pub const OF_THIS_BUILD: Self = Self { system: migrations::SYSTEM, tenant: migrations::TENANT };
}
