//! The only way to data: databases, pools, transactions, and the models of the system and of one opened tenant.
//!
//! Invariants
//! - Rows of an organisation are reached only through the [`TenantModels`] of that organisation's own database.
//! - Repositories read over a [`Reader`]; the methods that write exist only over a [`Writer`], so a write outside of a
//!   transaction does not compile.
//! - A write by somebody asks for the proof that they may, and refuses a proof for another organisation.
//! - What a transaction acknowledged has reached the disk; what it did not acknowledge leaves no trace.
//! - A transaction runs as if it were alone, on every engine; where the database cannot put it in an order, it is run again.
//! - What is read is current unless the reader allows otherwise; nobody is shown what is older than their own writes, and no
//!   read fails because of a replica.
//! - A connection goes back to its pool clean, or not at all.
//! - Entities and SQL stay inside; models of `warren-model` go in and out.

mod analysis;
mod audit;
mod config;
mod database;
mod databases;
mod engine;
mod error;
mod explain;
mod idempotency;
mod migration;
mod models;
mod moving;
mod place;
mod pool;
mod reader;
mod replica;
mod source;
mod statements;
mod status;
mod stored;
mod system;
mod tenant;
mod tenants;
mod transaction;
mod watch;
mod work;

pub use analysis::{
    AnalysisBounds, DatabaseAnalysis, ExplainedStatement, IndexFigures, IndexRole, IndexUse, StorageAnalysis,
    TableFigures,
};
pub use audit::AuditFilter;
pub use config::{Config, Standing};
pub use databases::{Databases, WhatIsThere};
pub use engine::{DatabaseUrl, DatabaseUrlError, Engine, RetryCause};
pub use error::{Conflict, StorageError};
pub use explain::{Plan, PlanStep};
pub use idempotency::{Claim, IdempotencyKeys};
pub use migration::{
    DatabaseSchema, Direction, Losses, Maintenance, MigrationPhase, MigrationState, MigrationView, PARALLEL_MAX,
    PlannedMigration, Progress, RolloutOptions, RolloutReport, Schema, SchemaStatus, Stage, StopAfter, Stopped,
    TenantEntry, TenantOutcome, TenantSchema,
};
pub use moving::{MoveError, MoveProgress, MoveProgressView, Moved, Relocation, back_out};
pub use place::Place;
#[doc(hidden)]
pub use pool::PoolProbe;
pub use pool::{HistogramView, LeaseView, Phase, PoolState, PoolTallyView};
pub use reader::{Reader, Staleness};
pub use replica::{Fallback, KeptOnPrimary, ReplicaState, ReplicaStatus, ReplicaUrlError, Servers};
pub use source::Source;
pub use statements::{SlowStatement, StatementView};
pub use status::{DatabaseStatus, KindStatus, PoolStatus, ServerStatus, StorageStatus};
pub use system::{
    Account, AccountChange, Accounts, AuditOutbox, Cancelled, Cursor, Enqueued, GatewayNetworks, Gateways,
    InviterProof, JobClaim, JobFilter, JobProgress, JobSchedule, Jobs, JoinToken, Link, LinkPurpose, Links, MailRecord,
    MailState, Mails, Membership, Memberships, NewJob, OrganisationChange, Organisations, PAYLOAD_BYTES_MAX,
    QueueClaim, QueueDepth, QueueStanding, Rescued, ScalingDecision, ScalingDecisions, ScheduleStanding, Schedules,
    Session, Sessions, Settlement, StoredJob, SystemAudit, SystemModels, SystemTransaction, TenantMigration,
    TenantMigrationState, TenantMigrations, Unique, Verdict, Worker,
};
pub use tenant::{
    AuditEntries, CHUNK_BYTES, Delivery, DeliveryAnswer, DeliveryState, DeviceCounts, DeviceFilter, DevicePeer,
    DeviceUsage, Devices, FilePurpose, Files, JobOutbox, Networks, ReleasedPlace, StoredFile, TenantModels,
    TenantTransaction, Webhook, WebhookDeliveries, WebhookStanding, Webhooks, WholeFile,
};
pub use transaction::{
    Access, Isolation, Repeatability, TransactionManager, TransactionOptions, TransactionTallyView, Turn, Writer,
};
pub use watch::{
    Recent, Shortage, ShortageOf, ShortageSign, SuspicionKind, SuspicionState, SuspicionView, WatchLimits,
};
pub use work::WorkContext;
