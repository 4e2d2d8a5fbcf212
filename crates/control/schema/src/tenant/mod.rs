//! Tables of a tenant database: what belongs to one organisation alone.

pub mod audit_entry;
pub mod device;
pub mod device_usage;
pub mod file;
pub mod file_chunk;
pub mod job_outbox;
pub mod network;
pub mod released_address;
pub mod webhook;
pub mod webhook_delivery;
