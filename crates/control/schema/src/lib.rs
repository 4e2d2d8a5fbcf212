//! Database entities and migrations of the system and tenant databases.
//!
//! Invariants
//! - Only `warren-storage` uses this crate; entities never leave it.
//! - Migrations are data: statements for each engine, and those that undo them. They expand, then contract; a released one
//!   never changes; none imports an entity.
//! - Every moment is a `BIGINT` of microseconds since the Unix epoch in UTC, every identifier a UUID in its 16 bytes.
//! - Column types are those that SQLite, MariaDB and PostgreSQL share.

pub mod idempotency_key;
pub mod migrations;
pub mod system;
pub mod tenant;
