//! How a database would go about a statement: EXPLAIN on a connection of its own, never running the statement itself.

mod mariadb;
mod postgresql;
mod sampler;
mod sqlite;

use std::{fmt, sync::Arc, time::Duration};

use sea_orm::{Statement, Value, Values};

use crate::{
    StorageError,
    engine::{Connection, Engine, Role, Target},
    pool::{Budget, Slot},
};

pub(crate) use sampler::{LastPlan, Pace, Sampler};

/// Connecting and every plan of one piece of work have to be done within this time.
const EXPLAIN_WITHIN: Duration = Duration::from_secs(2);
/// A longer statement is not kept and not explained.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Nor is one with more values.
const VALUES_MAX: usize = 256;
/// A plan is cut off past this.
const PLAN_BYTES_MAX: usize = 8 * 1024;

/// A statement as it was sent, with what the database needs to plan it. Its values stay in memory: nothing prints them.
#[derive(Clone, PartialEq)]
pub(crate) struct Example {
    pub sql: Arc<str>,
    /// None when it is of a kind that is not explained, or too large.
    values: Option<Values>,
}

impl fmt::Debug for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Example").field("sql", &self.sql).finish_non_exhaustive()
    }
}

impl Example {
    pub fn of(statement: &Statement) -> Self {
        let count = statement.values.as_ref().map_or(0, |values| values.0.len());
        let is_kept = reads_or_writes(&statement.sql) && statement.sql.len() <= TEXT_BYTES_MAX && count <= VALUES_MAX;
        let values = is_kept.then(|| statement.values.clone().unwrap_or_else(|| Values(Vec::new())));
        Self { sql: statement.sql.as_str().into(), values }
    }

    /// The same, if the database can be asked how it would go about it.
    pub fn to_explain(statement: &Statement) -> Option<Self> {
        // What is not explained is not copied either.
        reads_or_writes(&statement.sql).then(|| Self::of(statement)).filter(|example| example.values.is_some())
    }

    fn values(&self) -> Option<Vec<Value>> {
        self.values.as_ref().map(|values| values.0.clone())
    }
}

/// Whether a statement looks for rows: those that only add some have no plan worth reading.
fn reads_or_writes(sql: &str) -> bool {
    let sql = sql.trim_start();
    ["SELECT", "UPDATE", "DELETE"].iter().any(|verb| sql.starts_with(verb))
}

/// How a database goes about a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The database's own words, without values.
    pub text: String,
    /// What of it matters here.
    pub steps: Vec<PlanStep>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanStep {
    /// Every row of the table is read.
    ReadsTable { table: String },
    /// Rows are read in the order of an index, from its one end on, until there are enough.
    WalksIndex { table: String, index: String },
    /// Rows are looked up in an index; without a name it is the primary key.
    UsesIndex { table: String, index: Option<String> },
    /// Rows are sorted, since no index has them in order.
    Sorts,
}

impl Plan {
    /// The tables of which it reads every row.
    pub fn tables_read_through(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            PlanStep::ReadsTable { table } => Some(table.as_str()),
            _ => None,
        })
    }

    /// The indexes that it uses, by name.
    pub fn indexes(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            PlanStep::WalksIndex { index, .. } => Some(index.as_str()),
            PlanStep::UsesIndex { index, .. } => index.as_deref(),
            PlanStep::ReadsTable { .. } | PlanStep::Sorts => None,
        })
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPlan {
    /// It only adds rows, or is too large to be kept.
    #[error("statements of this kind are not explained")]
    NotExplained,
    #[error("the server has no connection to spare")]
    NoConnection,
    #[error("the plan took longer than {EXPLAIN_WITHIN:?}")]
    TooLate,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A connection for plans alone. It is not of any pool; on a server it has a place in the budget, if one is free at once.
#[derive(Debug)]
pub(crate) struct Explainer {
    connection: Connection,
    _slot: Option<Slot>,
}

impl Explainer {
    /// Connects to `target`.
    pub async fn connect(target: &Target, budget: Option<&Arc<Budget>>) -> Result<Self, NoPlan> {
        let slot = match budget {
            Some(budget) => Some(budget.take_free().ok_or(NoPlan::NoConnection)?),
            None => None,
        };
        let role = if target.engine().writes_alone() { Role::Reader } else { Role::Both };
        let connecting = tokio::time::timeout(EXPLAIN_WITHIN, target.connect(role));
        let connection = connecting.await.map_err(|_| NoPlan::TooLate)??;
        Ok(Self { connection, _slot: slot })
    }

    /// The plan of `example`. After [`NoPlan::TooLate`] the connection is of no more use.
    pub async fn plan(&mut self, example: &Example) -> Result<Plan, NoPlan> {
        let values = example.values().ok_or(NoPlan::NotExplained)?;
        let asking = ask(&mut self.connection, &example.sql, values);
        let mut plan = tokio::time::timeout(EXPLAIN_WITHIN, asking).await.map_err(|_| NoPlan::TooLate)??;
        cut(&mut plan.text);
        Ok(plan)
    }

    /// The connection, for other questions about the database.
    pub const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Takes leave of the server.
    pub async fn close(self) {
        // Too late to matter, and dropping it closes it too.
        let _ = tokio::time::timeout(EXPLAIN_WITHIN, self.connection.close()).await;
    }
}

async fn ask(connection: &mut Connection, sql: &str, values: Vec<Value>) -> Result<Plan, sqlx::Error> {
    match connection.engine() {
        Engine::Sqlite => sqlite::plan(connection, sql, values).await,
        Engine::MariaDb => mariadb::plan(connection, sql, values).await,
        Engine::PostgreSql => postgresql::plan(connection, sql, values).await,
    }
}

fn cut(text: &mut String) {
    if text.len() > PLAN_BYTES_MAX {
        let end = (0..=PLAN_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

impl NoPlan {
    /// What it means to somebody who waits for the plan.
    pub fn means(self, target: &Target) -> StorageError {
        match self {
            Self::NotExplained | Self::NoConnection => StorageError::Busy,
            Self::TooLate => StorageError::Unreachable { place: target.place(), source: Arc::new(self) },
            Self::Database(error) => StorageError::from_driver(&Arc::new(error), &target.place()),
        }
    }
}
