//! Tables of the system database: what the whole installation shares.

pub mod account;
pub mod audit_entry;
pub mod audit_outbox;
pub mod gateway;
pub mod gateway_network;
pub mod job;
pub mod job_key;
pub mod job_queue;
pub mod job_schedule;
pub mod job_worker;
pub mod link;
pub mod mail;
pub mod membership;
pub mod organisation;
pub mod scaling_decision;
pub mod session;
pub mod tenant_migration;
