//! How the databases are: pools, transactions, statements, and who has which connection. Operators.

mod names;
mod reading;

use std::{sync::Arc, time::Duration};

use warren_model::{OrganisationId, OrganisationName, OrganisationSlug, RequestId, Timestamp};
pub use warren_storage::{
    HistogramView, KindStatus, Phase, PoolState, PoolTallyView, ServerStatus, ShortageSign, SuspicionKind,
    SuspicionState, TransactionTallyView,
};

use self::{
    names::Names,
    reading::{Reading, owner_of},
};
use crate::{App, AppError, OpContext};

/// How much of each list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub organisations: usize,
    pub statements: usize,
    pub slow_statements: usize,
    pub suspicions: usize,
    pub leases: usize,
}

impl Limits {
    /// The most of any list.
    pub const MAX: u16 = 100;
}

impl Default for Limits {
    fn default() -> Self {
        Self { organisations: 10, statements: 10, slow_statements: 10, suspicions: 10, leases: 10 }
    }
}

/// How the databases are at one moment.
#[derive(Debug, Clone)]
pub struct Report {
    /// `sqlite`, `mariadb` or `postgresql`.
    pub engine: &'static str,
    /// Where the system database stands; those of the organisations stand beside it.
    pub place: String,
    pub state: State,
    /// What concerns the server as a whole; none on SQLite.
    pub server: Option<ServerStatus>,
    pub open: usize,
    pub open_max: usize,
    pub open_waiting: usize,
    pub shortages: Vec<Shortage>,
    /// The system database, then those of the organisations together.
    pub kinds: [Kind; 2],
    /// The busiest organisations come first.
    pub organisations: Vec<Busy>,
    /// Connections in somebody's hands, the longest held first.
    pub leases: Vec<Lease>,
    /// The latest come first.
    pub suspicions: Vec<Suspicion>,
    pub suspicions_counted: Vec<(SuspicionKind, u64)>,
    /// The latest come first.
    pub slow_statements: Vec<Slow>,
}

/// How something is that others wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nobody waits.
    Fine,
    /// Somebody waits, for a moment.
    Waiting,
    /// It runs out: those who wait hardly get on.
    RunningOut,
}

impl State {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Waiting => "waiting",
            Self::RunningOut => "running_out",
        }
    }
}

/// An organisation as it is shown beside a figure.
#[derive(Debug, Clone)]
pub struct Owner {
    pub id: OrganisationId,
    /// None when it is not known any more.
    pub names: Option<(OrganisationSlug, OrganisationName)>,
}

/// What runs out.
#[derive(Debug, Clone)]
pub struct Shortage {
    /// `pool`, `server` or `open_tenants`.
    pub of: &'static str,
    /// Of a pool: the database.
    pub database: Option<String>,
    /// Of a pool: whose database it is; none for the system's.
    pub organisation: Option<Owner>,
    /// Of a pool: what it is for.
    pub role: Option<&'static str>,
    pub sign: ShortageSign,
    pub since: Timestamp,
}

/// All databases of one kind together.
#[derive(Debug, Clone)]
pub struct Kind {
    pub name: &'static str,
    pub pools: Vec<PoolsOfKind>,
    pub transactions: TransactionTallyView,
    /// Those that took most time in all come first.
    pub statements: Vec<Statement>,
}

/// The pools of one kind that are for the same.
#[derive(Debug, Clone)]
pub struct PoolsOfKind {
    /// `write`, `read` or `both`.
    pub role: &'static str,
    pub state: State,
    /// The open databases' together.
    pub now: PoolState,
    /// Since the start, closed databases included.
    pub tally: PoolTallyView,
}

/// Statements of one shape.
#[derive(Debug, Clone)]
pub struct Statement {
    pub text: Arc<str>,
    pub took: HistogramView,
    pub failed: u64,
}

/// How busy one organisation's database is.
#[derive(Debug, Clone)]
pub struct Busy {
    pub organisation: Owner,
    pub state: State,
    pub waiting: u32,
    pub active: u32,
    pub connections_max: u32,
    /// In the last ten seconds: connections in use on average, in thousandths.
    pub used_thousandths: u64,
    /// In the last ten seconds: connections given out.
    pub acquired: u64,
    /// In the last ten seconds: how long was waited for one on average.
    pub mean_wait: Duration,
    /// Since it was opened: those who waited in vain.
    pub refused: u64,
}

/// A connection in somebody's hands.
#[derive(Debug, Clone)]
pub struct Lease {
    pub database: String,
    /// None for the system's.
    pub organisation: Option<Owner>,
    pub asked_at: Option<String>,
    pub span: Option<&'static str>,
    pub request: Option<RequestId>,
    pub since: Timestamp,
    pub phase: Phase,
    pub in_phase: Duration,
    pub in_transaction: Option<Duration>,
}

/// Something that took, or takes, longer than it should.
#[derive(Debug, Clone)]
pub struct Suspicion {
    pub kind: SuspicionKind,
    pub database: String,
    /// None for the system's.
    pub organisation: Option<Owner>,
    pub asked_at: Option<String>,
    pub span: Option<&'static str>,
    pub request: Option<RequestId>,
    pub statement: Option<Arc<str>>,
    pub since: Timestamp,
    pub state: SuspicionState,
}

/// A statement that was slow.
#[derive(Debug, Clone)]
pub struct Slow {
    pub text: Arc<str>,
    pub database: String,
    /// None for the system's.
    pub organisation: Option<Owner>,
    pub took: Duration,
    pub at: Timestamp,
    pub request: Option<RequestId>,
    pub asked_at: Option<String>,
    /// How the database went about it, without values; none when it was not asked.
    pub plan: Option<String>,
}

/// How the databases are. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn report(cx: &OpContext, limits: Limits) -> Result<Report, AppError> {
    cx.operate()?;
    let status = cx.app.databases().status();
    let names = Names::of(&cx.app, &status, limits).await;
    Ok(Reading { app: &cx.app, status: &status, names: &names }.report(limits))
}

/// What runs out now, a sentence each.
pub(crate) async fn notices(app: &App) -> Vec<String> {
    let shortages = app.databases().shortages();
    let owners = shortages.iter().filter_map(|shortage| owner_of(&shortage.of)).collect();
    let names = Names::read(app, owners).await;
    let sentence = |shortage: &warren_storage::Shortage| {
        let whose = owner_of(&shortage.of).and_then(|id| names.owner(id).names);
        let of = whose.map_or_else(String::new, |(_, name)| format!(" (organisation {name})"));
        format!("{shortage}{of}; warren db status shows what holds them")
    };
    shortages.iter().map(sentence).collect()
}
