//! Tables of the system database: what the whole installation shares.

pub mod account;
pub mod audit_entry;
pub mod audit_outbox;
pub mod gateway;
pub mod gateway_network;
pub mod link;
pub mod membership;
pub mod organisation;
pub mod session;
pub mod tenant_migration;
