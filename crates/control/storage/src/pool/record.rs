//! Who has a connection: since when, from which place in the program, for which request, and what is done with it.

use std::{
    panic::Location,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::Span;
use warren_model::RequestId;

use crate::WorkContext;

/// What the pool knows of a connection in somebody's hands.
#[derive(Debug)]
pub(crate) struct LeaseRecord {
    /// Where it was asked for, as far as that is known: a transaction has a place, a statement by itself has its text.
    pub place: Option<&'static Location<'static>>,
    pub request: Option<RequestId>,
    /// Log lines about it are written in here, and so carry what the request's own lines carry.
    pub span: Span,
    pub since: Instant,
    phase: Mutex<(Phase, Instant)>,
}

/// What is being done with a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: it is only held.
    Idle,
    /// This statement runs on it.
    Statement(std::sync::Arc<str>),
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
}

impl LeaseRecord {
    pub(super) fn new(work: &WorkContext, place: Option<&'static Location<'static>>) -> Self {
        let now = Instant::now();
        Self {
            place,
            request: work.request(),
            span: Span::current(),
            since: now,
            phase: Mutex::new((Phase::Idle, now)),
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = (phase, Instant::now());
    }

    pub fn view(&self) -> LeaseView {
        let (phase, since) = self.phase.lock().unwrap_or_else(PoisonError::into_inner).clone();
        LeaseView {
            place: self.place.map(|place| format!("{}:{}", place.file(), place.line())),
            request: self.request,
            span: self.span.metadata().map(tracing::Metadata::name),
            held: self.since.elapsed(),
            phase,
            in_phase: since.elapsed(),
        }
    }
}
