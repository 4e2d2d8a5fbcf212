//! How the databases are: pools, transactions, statements, and who has which connection.
//!
//! Spans of time are microseconds (`…_us`), counts are since the start unless they say otherwise.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// How the databases are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseStatus {
    /// `sqlite`, `mariadb` or `postgresql`.
    #[schema(example = "sqlite")]
    pub engine: String,
    /// Where the system database stands; those of the organisations stand beside it.
    #[schema(example = "/var/lib/warren/system.sqlite")]
    pub place: String,
    /// `fine`; `waiting` while somebody waits for a connection; `running_out` while those who wait hardly get on.
    #[schema(example = "fine")]
    pub state: String,
    /// The connections to the server; absent on SQLite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<DatabaseServer>,
    pub open_databases: OpenDatabases,
    /// What runs out now.
    pub shortages: Vec<DatabaseShortage>,
    /// The system database, then those of the organisations together.
    pub kinds: Vec<DatabaseKind>,
    /// Those whose databases are open, the busiest first.
    pub organisations: Vec<OrganisationDatabase>,
    /// Connections in somebody's hands, the longest held first.
    pub leases: Vec<DatabaseLease>,
    /// What took, or takes, longer than it should; the latest come first.
    pub suspicions: Vec<DatabaseSuspicion>,
    pub suspicions_counted: SuspicionCounts,
    /// The latest come first.
    pub slow_statements: Vec<SlowStatement>,
}

/// The connections to a database server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseServer {
    #[schema(example = 12)]
    pub connections: u32,
    #[schema(example = 60)]
    pub connections_max: u32,
    /// Connections that are wanted and wait until another is closed.
    #[schema(example = 0)]
    pub waiting: u64,
}

/// The organisations' databases that are open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OpenDatabases {
    #[schema(example = 42)]
    pub open: u64,
    #[schema(example = 256)]
    pub open_max: u64,
    /// Those who wait until another database can be opened.
    #[schema(example = 0)]
    pub waiting: u64,
}

/// An organisation beside a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseOwner {
    pub id: Uuid,
    /// Absent when the organisation is not known any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "northwind")]
    pub slug: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Northwind")]
    pub name: Option<String>,
}

/// Something that runs out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseShortage {
    /// `pool`: the connections of one database; `server`: those of the server; `open_tenants`: places for open databases.
    #[schema(example = "pool")]
    pub of: String,
    /// Of a pool: the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/var/lib/warren/tenants/0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01.sqlite")]
    pub database: Option<String>,
    /// Of a pool: whose database it is; absent for the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<DatabaseOwner>,
    /// Of a pool: `write`, `read` or `both`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "write")]
    pub role: Option<String>,
    /// `line`: those in line hardly move; `long_waits`: more than one in a hundred waited for too long; `refusals`: some waited
    /// in vain.
    #[schema(example = "line")]
    pub sign: String,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// All databases of one kind together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseKind {
    /// `system` or `tenant`.
    #[schema(example = "tenant")]
    pub kind: String,
    pub pools: Vec<DatabasePools>,
    pub transactions: DatabaseTransactions,
    /// Statements by their shape; those that took most time in all come first.
    pub statements: Vec<DatabaseStatement>,
}

/// The pools that are for the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabasePools {
    /// `write` and `read` on SQLite, `both` on a server.
    #[schema(example = "write")]
    pub role: String,
    /// `fine`, `waiting` or `running_out`.
    #[schema(example = "fine")]
    pub state: String,
    /// Connections in use now.
    #[schema(example = 1)]
    pub active: u32,
    #[schema(example = 41)]
    pub idle: u32,
    #[schema(example = 0)]
    pub opening: u32,
    /// Those who stand in line now.
    #[schema(example = 0)]
    pub waiting: u32,
    /// What the open databases may have together.
    #[schema(example = 42)]
    pub connections_max: u32,
    /// How long was waited for a connection.
    pub waited: Times,
    /// How long connections were kept.
    pub used: Times,
    /// How long connections took to open.
    pub connected: Times,
    /// Those whose turn did not come in time.
    #[schema(example = 0)]
    pub timeouts: u64,
    /// Those for whom the line was too long.
    #[schema(example = 0)]
    pub turned_away: u64,
    #[schema(example = 0)]
    pub connect_failures: u64,
    /// Connections that broke.
    #[schema(example = 0)]
    pub broken: u64,
}

/// Times of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Times {
    #[schema(example = 1234)]
    pub count: u64,
    #[schema(example = 617_000)]
    pub total_us: u64,
    #[schema(example = 500)]
    pub mean_us: u64,
    /// Half of them took no longer than this.
    #[schema(example = 500)]
    pub half_us: u64,
    /// 99 of 100 took no longer than this.
    #[schema(example = 2500)]
    pub most_us: u64,
    #[schema(example = 4100)]
    pub longest_us: u64,
}

/// Transactions of one kind of database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseTransactions {
    #[schema(example = 1300)]
    pub attempts: u64,
    /// By how they ended: `committed`, `failed`, `timed_out`, `dropped`, `given_up`, `unknown`.
    pub ends: Vec<NamedCount>,
    /// Further attempts by why they were needed: `deadlock`, `serialisation` and others.
    pub retries: Vec<NamedCount>,
    /// How long they took, all attempts together.
    pub took: Times,
}

/// How often something of this name happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NamedCount {
    #[schema(example = "committed")]
    pub name: String,
    #[schema(example = 1290)]
    pub count: u64,
}

/// Statements of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseStatement {
    /// Without values.
    #[schema(example = "SELECT \"id\", \"name\" FROM \"network\" WHERE \"id\" = ?")]
    pub text: String,
    pub took: Times,
    #[schema(example = 0)]
    pub failed: u64,
}

/// How busy one organisation's database is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrganisationDatabase {
    pub organisation: DatabaseOwner,
    /// `fine`, `waiting` or `running_out`.
    #[schema(example = "fine")]
    pub state: String,
    #[schema(example = 0)]
    pub waiting: u32,
    #[schema(example = 1)]
    pub active: u32,
    #[schema(example = 3)]
    pub connections_max: u32,
    /// In the last ten seconds: connections in use on average, in thousandths.
    #[schema(example = 120)]
    pub used_thousandths: u64,
    /// In the last ten seconds: connections given out.
    #[schema(example = 230)]
    pub acquired: u64,
    /// In the last ten seconds: how long was waited for one on average.
    #[schema(example = 40)]
    pub mean_wait_us: u64,
    /// Since it was opened: those who waited in vain.
    #[schema(example = 0)]
    pub refused: u64,
}

/// A connection in somebody's hands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseLease {
    #[schema(example = "/var/lib/warren/system.sqlite")]
    pub database: String,
    /// Absent for the system database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<DatabaseOwner>,
    /// The place in Warren's source that opened the transaction; absent for a statement by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "crates/control/app/src/devices/enrol.rs:120")]
    pub asked_at: Option<String>,
    /// The span of the log that its lines are written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "request")]
    pub span: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// `idle`, `statement`, or `lent` out for upkeep.
    #[schema(example = "statement")]
    pub phase: String,
    #[schema(example = 1200)]
    pub in_phase_us: u64,
    /// How long a transaction has been open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 3400)]
    pub in_transaction_us: Option<u64>,
    /// The statement that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "SELECT COUNT(*) FROM \"device\"")]
    pub statement: Option<String>,
}

/// Something that took, or takes, longer than it should. It is never certain that anything is wrong, and nothing is stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseSuspicion {
    /// `statement` runs for long; `idle_in_hand`: a connection is held and nothing is done with it; `transaction` is open for
    /// long.
    #[schema(example = "idle_in_hand")]
    pub kind: String,
    #[schema(example = "/var/lib/warren/system.sqlite")]
    pub database: String,
    /// Absent for the system database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<DatabaseOwner>,
    /// The place in Warren's source that opened the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "crates/control/app/src/devices/enrol.rs:120")]
    pub asked_at: Option<String>,
    /// The span of the log that its lines are written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "request")]
    pub span: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// The statement that ran when it was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "SELECT COUNT(*) FROM \"device\"")]
    pub statement: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Whether it still goes on: `ongoing` or `over`.
    #[schema(example = "over")]
    pub state: String,
    /// How long it took in the end, or takes until now.
    #[schema(example = 2_400_000)]
    pub took_us: u64,
}

/// How many suspicions there were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuspicionCounts {
    #[schema(example = 0)]
    pub statement: u64,
    #[schema(example = 1)]
    pub idle_in_hand: u64,
    #[schema(example = 0)]
    pub transaction: u64,
}

/// A statement that was slow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SlowStatement {
    /// Without values.
    #[schema(example = "SELECT COUNT(*) FROM \"device\"")]
    pub text: String,
    #[schema(example = "/var/lib/warren/tenants/0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01.sqlite")]
    pub database: String,
    /// Absent for the system database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<DatabaseOwner>,
    #[schema(example = 412_000)]
    pub took_us: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// The place in Warren's source that opened the transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "crates/control/app/src/devices/enrol.rs:120")]
    pub asked_at: Option<String>,
    /// How the database went about it, in its own words without values; absent when it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "SCAN device")]
    pub plan: Option<String>,
}
