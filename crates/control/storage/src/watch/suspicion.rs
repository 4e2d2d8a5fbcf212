//! Suspicions: what has been going on with a connection for longer than it should. Never certain, and nothing is stopped for it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use warren_model::{OrganisationId, RequestId};

use crate::{Place, pool::LeaseRecord};

/// Suspicions that are remembered.
const KEPT_MAX: usize = 100;

/// What takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SuspicionKind {
    /// A statement runs.
    Statement,
    /// Nothing is done: whoever holds the connection may have forgotten it.
    IdleInHand,
    /// A transaction is open, whatever is done in it.
    Transaction,
}

impl SuspicionKind {
    pub const ALL: [Self; 3] = [Self::Statement, Self::IdleInHand, Self::Transaction];

    /// Its name in metrics and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::IdleInHand => "idle_in_hand",
            Self::Transaction => "transaction",
        }
    }
}

/// The part of a suspicion that the holder of the connection ends.
#[derive(Debug)]
pub(crate) struct Suspected {
    pub kind: SuspicionKind,
    since: Instant,
    took: OnceLock<Duration>,
}

impl Suspected {
    pub const fn new(kind: SuspicionKind, since: Instant) -> Self {
        Self { kind, since, took: OnceLock::new() }
    }

    pub fn end(&self, now: Instant) {
        let _ = self.took.set(now.saturating_duration_since(self.since));
    }
}

/// A suspicion at one moment.
#[derive(Debug, Clone)]
pub struct SuspicionView {
    pub kind: SuspicionKind,
    pub database: Place,
    /// Whose database it is; none for the system's.
    pub organisation: Option<OrganisationId>,
    /// `file:line` of the transaction.
    pub asked_at: Option<String>,
    pub request: Option<RequestId>,
    pub span: Option<&'static str>,
    /// The statement that ran when it was noticed.
    pub statement: Option<Arc<str>>,
    pub since: Instant,
    pub state: SuspicionState,
}

/// Whether what was suspected still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspicionState {
    /// It goes on, so long until now.
    Ongoing(Duration),
    /// It is over, and took so long in the end.
    Over(Duration),
}

/// The suspicions that are remembered, and how many there ever were.
#[derive(Debug, Default)]
pub(super) struct Suspicions {
    kept: VecDeque<(Arc<Suspected>, SuspicionView)>,
}

/// How many suspicions there were, by kind.
#[derive(Debug, Default)]
pub(super) struct SuspicionCounts([AtomicU64; SuspicionKind::ALL.len()]);

impl SuspicionCounts {
    pub fn count(&self, kind: SuspicionKind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn view(&self) -> Vec<(SuspicionKind, u64)> {
        SuspicionKind::ALL.iter().map(|kind| (*kind, self.0[*kind as usize].load(Ordering::Relaxed))).collect()
    }
}

/// A suspicion that just arose, with the record of the connection that it is about.
pub(super) struct Arisen {
    pub record: Arc<LeaseRecord>,
    pub suspected: Arc<Suspected>,
    pub view: SuspicionView,
}

impl Arisen {
    pub fn new(
        record: &Arc<LeaseRecord>,
        (suspected, statement): (Arc<Suspected>, Option<Arc<str>>),
        database: &Place,
        organisation: Option<OrganisationId>,
    ) -> Self {
        let view = SuspicionView {
            kind: suspected.kind,
            database: database.clone(),
            organisation,
            asked_at: record.asked_at(),
            request: record.request,
            span: record.span.metadata().map(tracing::Metadata::name),
            statement,
            since: suspected.since,
            state: SuspicionState::Ongoing(suspected.since.elapsed()),
        };
        Self { record: Arc::clone(record), suspected, view }
    }

    /// Writes it to the log, within the span of the work that holds the connection.
    pub fn log(&self) {
        let (view, held_ms) = (&self.view, milliseconds(self.record.since.elapsed()));
        let place = view.asked_at.as_deref();
        let request = view.request.map(tracing::field::display);
        self.record.span.in_scope(|| match view.kind {
            SuspicionKind::Statement => {
                let statement = view.statement.as_deref();
                tracing::warn!(database = %view.database, place, held_ms, request, statement, "a statement has been running for long");
            }
            SuspicionKind::IdleInHand => {
                tracing::warn!(database = %view.database, place, held_ms, request, "a connection is held and nothing is done with it; perhaps it was forgotten");
            }
            SuspicionKind::Transaction => {
                tracing::warn!(database = %view.database, place, held_ms, request, "a transaction has been open for long");
            }
        });
    }
}

impl Suspicions {
    pub fn remember(&mut self, arisen: Arisen) {
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((arisen.suspected, arisen.view));
    }

    /// The latest first.
    pub fn view(&self) -> Vec<SuspicionView> {
        let of = |(suspected, view): &(Arc<Suspected>, SuspicionView)| {
            let state = match suspected.took.get() {
                Some(took) => SuspicionState::Over(*took),
                None => SuspicionState::Ongoing(suspected.since.elapsed()),
            };
            SuspicionView { state, ..view.clone() }
        };
        self.kept.iter().rev().map(of).collect()
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
