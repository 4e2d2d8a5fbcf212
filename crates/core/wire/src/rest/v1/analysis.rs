//! What stands in the way of the databases.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// What an analysis of the databases found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseAnalysis {
    /// `sqlite`, `mariadb` or `postgresql`.
    #[schema(example = "postgresql")]
    pub engine: String,
    /// Statements are counted since the start of this process.
    #[serde(with = "time::serde::rfc3339")]
    pub counted_since: OffsetDateTime,
    /// The analysis before, with which sizes are compared; absent for the first since the start.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub compared_with: Option<OffsetDateTime>,
    /// The system database, and a sample of the organisations'.
    pub databases: Vec<AnalysedDatabase>,
    /// Databases that could not be looked at.
    pub left_out: Vec<LeftOutDatabase>,
    /// What should be thought about, at most 100; what matters most stands first.
    pub findings: Vec<DatabaseFinding>,
    /// The 20 statements that took most time in all.
    pub slowest_by_total: Vec<AnalysedStatement>,
    /// The 20 statements of which one took longest.
    pub slowest_by_worst: Vec<AnalysedStatement>,
    /// The 100 largest tables.
    pub tables: Vec<AnalysedTable>,
}

/// A database that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnalysedDatabase {
    #[schema(example = "postgresql://db.example.org:5432/warren")]
    pub database: String,
    /// Whose it is; absent for the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    /// Statements that the database told how it would go about.
    #[schema(example = 61)]
    pub explained: u64,
    /// Statements for which it did not, or not in time.
    #[schema(example = 0)]
    pub unexplained: u64,
}

/// A database that could not be looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeftOutDatabase {
    #[schema(example = "postgresql://db.example.org:5432/warren_0192f3a47c1e7b1a9c7e0d2f4a6b8c01")]
    pub database: String,
    #[schema(example = "the time for the analysis was over")]
    pub reason: String,
}

/// Something to think about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DatabaseFinding {
    /// `index_missing`, `table_read_through`, `statement_slow`, `table_grows` or `index_unused`.
    #[schema(example = "index_missing")]
    pub kind: String,
    /// Where it was found; absent where it holds for several databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "postgresql://db.example.org:5432/warren")]
    pub database: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "sessions")]
    pub table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "sessions_expires_at")]
    pub index: Option<String>,
    /// The columns that rows are looked for by.
    #[schema(example = json!(["expires_at"]))]
    pub columns: Vec<String>,
    /// The statement, without values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "DELETE FROM \"sessions\" WHERE \"sessions\".\"expires_at\" <= $1")]
    pub statement: Option<String>,
    /// What it means, in English.
    #[schema(example = "To find rows by expires_at, a statement reads all 61000 rows of sessions.")]
    pub meaning: String,
    /// What to do, in English.
    #[schema(example = "Report it to Warren's makers with the statement: its next version can bring the index.")]
    pub advice: String,
}

/// Statements of one shape, in all databases of their kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnalysedStatement {
    /// `system` or `tenant`.
    #[schema(example = "tenant")]
    pub kind: String,
    /// Without values.
    #[schema(example = "SELECT \"devices\".\"id\" FROM \"devices\" WHERE \"devices\".\"owner_id\" = $1")]
    pub text: String,
    #[schema(example = 1200)]
    pub count: u64,
    #[schema(example = 480_000)]
    pub total_us: u64,
    #[schema(example = 400)]
    pub mean_us: u64,
    #[schema(example = 21_000)]
    pub longest_us: u64,
}

/// The size of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AnalysedTable {
    #[schema(example = "postgresql://db.example.org:5432/warren")]
    pub database: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation_id: Option<Uuid>,
    #[schema(example = "sessions")]
    pub table: String,
    /// Servers estimate it.
    #[schema(example = 61_000)]
    pub rows: u64,
    /// With its indexes; absent where counting would mean to read a large file through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 14_680_064)]
    pub size_bytes: Option<u64>,
    /// Since the analysis before; absent the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 1200)]
    pub more_rows: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 262_144)]
    pub more_bytes: Option<i64>,
}
