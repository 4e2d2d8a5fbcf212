//! What stands in the way of the databases: slow statements, tables that are read through, indexes that lack or idle, growth.

mod findings;
mod growth;

use warren_model::{OrganisationId, Timestamp};
use warren_storage::{AnalysisBounds, KindStatus, StatementView, StorageAnalysis};

pub use self::findings::{Finding, FindingKind};
pub(crate) use self::growth::History;
use crate::{AppError, OpContext};

/// Statements in each list.
const STATEMENTS_MAX: usize = 20;
/// Tables that are listed, the largest first.
const TABLES_MAX: usize = 100;

/// What an analysis found.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub engine: &'static str,
    /// Since when statements have been counted: the start of this process.
    pub counted_since: Timestamp,
    /// The moment of the last analysis, with which sizes are compared; none for the first since the start.
    pub compared_with: Option<Timestamp>,
    /// The databases that were looked at, the system's first.
    pub databases: Vec<AnalysedDatabase>,
    /// Databases that could not be looked at, and why.
    pub left_out: Vec<(String, String)>,
    /// What should be thought about; what matters most stands first.
    pub findings: Vec<Finding>,
    /// The statements that took most time in all.
    pub by_total: Vec<Statement>,
    /// The statements of which one took longest.
    pub by_worst: Vec<Statement>,
    pub tables: Vec<Table>,
}

/// A database that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysedDatabase {
    pub place: String,
    /// Whose it is; none for the system's.
    pub organisation: Option<OrganisationId>,
    /// Statements whose plan was asked for, and those for which there was none in the time.
    pub explained: usize,
    pub unexplained: usize,
}

/// Statements of one shape, in all databases of their kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `system` or `tenant`.
    pub kind: &'static str,
    pub text: String,
    pub count: u64,
    pub total_us: u64,
    pub mean_us: u64,
    pub longest_us: u64,
}

/// The size of a table, and how it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub place: String,
    pub organisation: Option<OrganisationId>,
    pub table: String,
    pub rows: u64,
    pub size_bytes: Option<u64>,
    /// Since the last analysis; none the first time.
    pub more_rows: Option<i64>,
    pub more_bytes: Option<i64>,
}

/// Looks at the system database and a sample of the organisations'. It takes up to ten seconds, and one runs at a time; others
/// wait for their turn. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::Unavailable`]
pub async fn analyse(cx: &OpContext) -> Result<Analysis, AppError> {
    cx.operate()?;
    let app = &cx.app;
    let mut history = app.analysis_history().lock().await;
    let found = app.databases().analyse(AnalysisBounds::default()).await?;
    let status = app.databases().status();
    let now = app.clock().now();
    let tables = history.compare(&found);
    let compared_with = history.last_at();
    history.note(&found, now);
    drop(history);
    let kinds = [&status.system, &status.tenants];
    Ok(Analysis {
        engine: found.engine.as_str(),
        counted_since: now - app.uptime(),
        compared_with,
        findings: findings::of(&found, &kinds, &tables),
        by_total: slowest(&kinds, |statement| statement.total_us),
        by_worst: slowest(&kinds, |statement| statement.longest_us),
        tables: tables.into_iter().take(TABLES_MAX).collect(),
        databases: databases(&found),
        left_out: found.left_out.into_iter().map(|(place, why)| (place.to_string(), why)).collect(),
    })
}

fn databases(found: &StorageAnalysis) -> Vec<AnalysedDatabase> {
    let database = |database: &warren_storage::DatabaseAnalysis| AnalysedDatabase {
        place: database.place.to_string(),
        organisation: database.organisation,
        explained: database.statements.len(),
        unexplained: database.unexplained,
    };
    found.databases.iter().map(database).collect()
}

fn slowest(kinds: &[&KindStatus], by: impl Fn(&Statement) -> u64) -> Vec<Statement> {
    let of_kind =
        |kind: &&KindStatus| kind.statements.iter().map(|view| statement(kind.name, view)).collect::<Vec<_>>();
    let mut all: Vec<Statement> = kinds.iter().flat_map(of_kind).collect();
    all.sort_by_key(|statement| std::cmp::Reverse(by(statement)));
    all.truncate(STATEMENTS_MAX);
    all
}

fn statement(kind: &'static str, view: &StatementView) -> Statement {
    Statement {
        kind,
        text: view.text.to_string(),
        count: view.took.count(),
        total_us: view.took.sum_micros,
        mean_us: view.took.mean_micros().unwrap_or(0),
        longest_us: view.took.longest_micros,
    }
}
