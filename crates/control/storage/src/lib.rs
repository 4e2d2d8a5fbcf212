//! The only way to data: databases, pools, transactions, and the models of the system and of one opened tenant.
//!
//! Invariants
//! - Rows of an organisation are reached only through the [`TenantModels`] of that organisation's own database.
//! - Repositories read over a [`Reader`]; the methods that write exist only over a [`Writer`], so a write outside of a
//!   transaction does not compile.
//! - A write by somebody asks for the proof that they may, and refuses a proof for another organisation.
//! - What a transaction acknowledged has reached the disk; what it did not acknowledge leaves no trace.
//! - Entities and SQL stay inside; models of `warren-model` go in and out.

mod audit;
mod connection;
mod database;
mod databases;
mod error;
mod idempotency;
mod stored;
mod system;
mod tenant;
mod tenants;
mod transaction;

pub use audit::AuditFilter;
pub use connection::{Reader, Source};
pub use databases::{Config, Databases};
pub use error::{Conflict, StorageError};
pub use idempotency::{Claim, IdempotencyKeys};
pub use system::{
    Account, AccountChange, Accounts, AuditOutbox, GatewayNetworks, Gateways, InviterProof, JoinToken, Link,
    LinkPurpose, Links, Membership, Memberships, OrganisationChange, Organisations, Session, Sessions, SystemAudit,
    SystemModels, SystemTransaction,
};
pub use tenant::{
    AuditEntries, DeviceCounts, DeviceFilter, DevicePeer, DeviceUsage, Devices, Networks, TenantModels,
    TenantTransaction,
};
pub use transaction::Writer;
