//! Who has a connection: since when, from which place in the program, for which request, and what is done with it.

use std::{
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tracing::Span;
use warren_model::RequestId;

use crate::{
    WorkContext,
    watch::{Suspected, SuspicionKind, WatchLimits},
};

/// What the pool knows of a connection in somebody's hands.
#[derive(Debug)]
pub(crate) struct LeaseRecord {
    /// Where it was asked for, as far as that is known: a transaction has a place, a statement by itself has its text.
    pub place: Option<&'static Location<'static>>,
    pub request: Option<RequestId>,
    /// Log lines about it are written in here, and so carry what the request's own lines carry.
    pub span: Span,
    pub since: Instant,
    doing: Mutex<Doing>,
}

#[derive(Debug)]
struct Doing {
    phase: Phase,
    since: Instant,
    /// Since when a transaction is open.
    transaction: Option<Instant>,
    /// What was suspected of it, one of each kind at most.
    suspected: Vec<Arc<Suspected>>,
}

/// What is being done with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: it is only held.
    Idle,
    /// This statement runs on it.
    Statement(Arc<str>),
    /// It was lent out for upkeep, such as a migration, which takes its time.
    Lent,
}

/// The same at one moment.
#[derive(Debug, Clone)]
pub struct LeaseView {
    /// `file:line` of the program.
    pub place: Option<String>,
    pub request: Option<RequestId>,
    pub span: Option<&'static str>,
    pub held: Duration,
    pub phase: Phase,
    pub in_phase: Duration,
    /// How long a transaction has been open; none when there is none.
    pub in_transaction: Option<Duration>,
}

impl LeaseRecord {
    pub(super) fn new(work: &WorkContext, place: Option<&'static Location<'static>>) -> Self {
        let now = Instant::now();
        Self {
            place,
            request: work.request(),
            span: Span::current(),
            since: now,
            doing: Mutex::new(Doing { phase: Phase::Idle, since: now, transaction: None, suspected: Vec::new() }),
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        let mut doing = self.doing();
        let now = Instant::now();
        doing.clear(now, |kind| kind != SuspicionKind::Transaction);
        (doing.phase, doing.since) = (phase, now);
    }

    pub(super) fn transaction_opened(&self) {
        self.doing().transaction = Some(Instant::now());
    }

    pub(super) fn transaction_ended(&self) {
        let mut doing = self.doing();
        doing.transaction = None;
        doing.clear(Instant::now(), |kind| kind == SuspicionKind::Transaction);
    }

    /// Nothing is to be suspected of a connection that nobody holds any more.
    pub(super) fn given_back(&self) {
        self.doing().clear(Instant::now(), |_| true);
    }

    /// What there is to suspect at `now` and was not suspected before.
    pub fn suspect(&self, limits: &WatchLimits, now: Instant) -> Vec<(Arc<Suspected>, Option<Arc<str>>)> {
        let mut doing = self.doing();
        let (in_phase, statement) = match &doing.phase {
            Phase::Idle => (Some((SuspicionKind::IdleInHand, limits.idle_in_hand)), None),
            Phase::Statement(text) => (Some((SuspicionKind::Statement, limits.statement)), Some(Arc::clone(text))),
            Phase::Lent => (None, None),
        };
        let in_phase = in_phase.map(|(kind, limit)| (kind, limit, doing.since));
        let in_transaction = doing.transaction.map(|since| (SuspicionKind::Transaction, limits.transaction, since));
        let mut found = Vec::new();
        for (kind, limit, since) in in_phase.into_iter().chain(in_transaction) {
            let is_long = now.saturating_duration_since(since) >= limit;
            if is_long && doing.suspected.iter().all(|earlier| earlier.kind != kind) {
                let suspected = Arc::new(Suspected::new(kind, since));
                doing.suspected.push(Arc::clone(&suspected));
                found.push((suspected, statement.clone()));
            }
        }
        found
    }

    /// `file:line` of the program.
    pub fn asked_at(&self) -> Option<String> {
        self.place.map(|place| format!("{}:{}", place.file(), place.line()))
    }

    pub fn view(&self) -> LeaseView {
        let (phase, since, transaction) = {
            let doing = self.doing();
            (doing.phase.clone(), doing.since, doing.transaction)
        };
        LeaseView {
            place: self.asked_at(),
            request: self.request,
            span: self.span.metadata().map(tracing::Metadata::name),
            held: self.since.elapsed(),
            phase,
            in_phase: since.elapsed(),
            in_transaction: transaction.map(|since| since.elapsed()),
        }
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doing {
    /// Says of what was suspected how long it took in the end.
    fn clear(&self, now: Instant, which: impl Fn(SuspicionKind) -> bool) {
        self.suspected.iter().filter(|suspected| which(suspected.kind)).for_each(|suspected| suspected.end(now));
    }
}
