//! Statements by their shape: how often each runs, how long it takes, and which were too slow.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::Statement;
use warren_model::{OrganisationId, RequestId};

use crate::{
    Place,
    engine::Target,
    explain::{Example, LastPlan, Pace, Sampler},
    pool::{Budget, Histogram, HistogramView, LeaseRecord},
};

/// Shapes that are told apart; statements past them are counted together.
const SHAPES_MAX: usize = 1024;
/// Slow statements that are remembered.
const SLOW_KEPT_MAX: usize = 200;

/// Counts the statements of all databases of one kind.
#[derive(Debug)]
pub(crate) struct Statements {
    /// By the hash of the text as it was sent, so that a text is brought into its shape only once.
    by_hash: RwLock<HashMap<u64, Arc<Shape>>>,
    shapes: Mutex<HashMap<Arc<str>, Arc<Shape>>>,
    slow: Mutex<VecDeque<SlowStatement>>,
    slow_from: Duration,
    /// How many were slow.
    slow_count: AtomicU64,
    pace: Pace,
}

/// A statement's shape: its text without values, lists of whatever length alike.
#[derive(Debug)]
struct Shape {
    text: Arc<str>,
    /// The first statement of this shape, as it was sent.
    example: Example,
    took: Histogram,
    failed: AtomicU64,
    last_plan: LastPlan,
}

/// The shape of one statement.
#[derive(Debug, Clone)]
pub(crate) struct Fingerprint(Arc<Shape>);

impl Fingerprint {
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.0.text)
    }
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    Failed,
}

/// Counts the statements of one database.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    statements: Arc<Statements>,
    place: Place,
    organisation: Option<OrganisationId>,
    sampler: Arc<Sampler>,
}

/// What was counted of statements of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementView {
    pub text: Arc<str>,
    /// The first one of this shape, as it was sent: the database can be asked how it would go about it.
    pub example: Arc<str>,
    pub took: HistogramView,
    pub failed: u64,
}

/// A statement that was slow.
#[derive(Debug, Clone)]
pub struct SlowStatement {
    pub text: Arc<str>,
    pub place: Place,
    /// Whose database it is; none for the system's.
    pub organisation: Option<OrganisationId>,
    pub took: Duration,
    pub at: Instant,
    pub request: Option<RequestId>,
    /// `file:line` of the transaction that it belonged to.
    pub asked_at: Option<String>,
    /// How the database went about it, without values, once that was asked.
    pub plan: Option<String>,
    /// Counts the slow ones, so that a plan that comes later finds the one it is of.
    number: u64,
}

impl Statements {
    pub fn new(slow_from: Duration) -> Arc<Self> {
        Arc::new(Self {
            by_hash: RwLock::default(),
            shapes: Mutex::default(),
            slow: Mutex::default(),
            slow_from,
            slow_count: AtomicU64::new(0),
            pace: Pace::default(),
        })
    }

    fn shape(&self, statement: &Statement) -> Arc<Shape> {
        let sql = statement.sql.as_str();
        let mut hasher = DefaultHasher::new();
        sql.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(shape) = self.by_hash.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return Arc::clone(shape);
        }
        let shape = {
            let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
            let text = if shapes.len() < SHAPES_MAX { shape_of(sql) } else { "others".to_owned() };
            let text: Arc<str> = text.into();
            let new = || {
                let text = Arc::clone(&text);
                Arc::new(Shape {
                    text,
                    example: Example::of(statement),
                    took: Histogram::default(),
                    failed: AtomicU64::new(0),
                    last_plan: LastPlan::default(),
                })
            };
            Arc::clone(shapes.entry(Arc::clone(&text)).or_insert_with(new))
        };
        let mut by_hash = self.by_hash.write().unwrap_or_else(PoisonError::into_inner);
        if by_hash.len() < SHAPES_MAX * 4 {
            by_hash.insert(hash, Arc::clone(&shape));
        }
        shape
    }

    /// Every shape seen, the one that took most time in all first.
    pub fn view(&self) -> Vec<StatementView> {
        self.examples().into_iter().map(|(view, _)| view).collect()
    }

    /// The same, each with what it takes to explain it.
    pub fn examples(&self) -> Vec<(StatementView, Example)> {
        let shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<(StatementView, Example)> =
            shapes.values().map(|shape| (shape.view(), shape.example.clone())).collect();
        drop(shapes);
        all.sort_unstable_by_key(|(view, _)| std::cmp::Reverse(view.took.sum_micros));
        all
    }

    /// Keeps the plan of the slow statement `number`, unless that was forgotten meanwhile.
    pub fn note_plan(&self, number: u64, plan: String) {
        let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = slow.iter_mut().rev().find(|statement| statement.number == number) {
            statement.plan = Some(plan);
        }
    }

    /// The slow statements that are remembered, the latest first.
    pub fn slow(&self) -> Vec<SlowStatement> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

impl Shape {
    fn view(&self) -> StatementView {
        StatementView {
            text: Arc::clone(&self.text),
            example: Arc::clone(&self.example.sql),
            took: self.took.view(),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

impl Observer {
    /// Counts the statements of the database at `target`, and asks for plans on connections within `budget`.
    pub fn new(statements: Arc<Statements>, target: &Target, budget: Option<Arc<Budget>>) -> Self {
        let sampler = Arc::new(Sampler::new(target.clone(), budget));
        Self { statements, place: target.place(), organisation: target.organisation(), sampler }
    }

    /// What asks for the plans of slow statements.
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// The shape of `statement`.
    pub fn fingerprint(&self, statement: &Statement) -> Fingerprint {
        Fingerprint(self.statements.shape(statement))
    }

    /// Counts a statement; a slow one is logged within the span of whoever sent it.
    pub fn observe(
        &self,
        of: &Fingerprint,
        example: Option<Example>,
        took: Duration,
        outcome: Outcome,
        record: &LeaseRecord,
    ) {
        of.0.took.observe(took);
        if outcome == Outcome::Failed {
            of.0.failed.fetch_add(1, Ordering::Relaxed);
        }
        if took < self.statements.slow_from {
            return;
        }
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        record.span.in_scope(|| {
            tracing::warn!(database = %self.place, statement = %of.0.text, took_ms = milliseconds, "a slow statement");
        });
        let number = self.statements.slow_count.fetch_add(1, Ordering::Relaxed);
        self.remember(of, took, number, record);
        if let Some(example) = example
            && self.sampler.is_free()
            && self.statements.pace.allows(&of.0.last_plan, Instant::now())
        {
            self.sampler.explain(example, number, &self.statements, record);
        }
    }

    fn remember(&self, of: &Fingerprint, took: Duration, number: u64, record: &LeaseRecord) {
        let mut slow = self.statements.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if slow.len() >= SLOW_KEPT_MAX {
            slow.pop_front();
        }
        slow.push_back(SlowStatement {
            text: of.text(),
            place: self.place.clone(),
            organisation: self.organisation,
            took,
            at: Instant::now(),
            request: record.request,
            asked_at: record.asked_at(),
            plan: None,
            number,
        });
    }
}

/// `sql` with every list of values as one, so that `IN (?, ?)` and `IN (?, ?, ?)` are of one shape.
fn shape_of(sql: &str) -> String {
    let mut shape = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(open) = rest.find('(') {
        let (before, list) = rest.split_at(open + 1);
        shape.push_str(before);
        match list.find(')') {
            Some(close) if is_list_of_values(&list[..close]) => {
                shape.push('…');
                rest = &list[close..];
            }
            _ => rest = list,
        }
    }
    shape.push_str(rest);
    shape
}

fn is_list_of_values(inside: &str) -> bool {
    let mut items = inside.split(',').map(str::trim);
    inside.contains(',')
        && items
            .all(|item| item == "?" || item.strip_prefix('$').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_are_of_one_shape() {
        let two = shape_of("SELECT a FROM t WHERE id IN (?, ?) AND (b = ? OR c = ?)");
        assert_eq!(two, "SELECT a FROM t WHERE id IN (…) AND (b = ? OR c = ?)");
        assert_eq!(two, shape_of("SELECT a FROM t WHERE id IN (?, ?, ?, ?) AND (b = ? OR c = ?)"));
        assert_eq!(shape_of("INSERT INTO t (a, b) VALUES ($1, $22)"), "INSERT INTO t (a, b) VALUES (…)");
        assert_eq!(shape_of("SELECT COUNT(*) FROM t"), "SELECT COUNT(*) FROM t");
    }

    #[test]
    fn shapes_are_bounded() {
        let statements = Statements::new(Duration::from_secs(1));
        for n in 0..SHAPES_MAX + 50 {
            statements.shape(&Statement::from_string(sea_orm::DbBackend::Sqlite, format!("SELECT {n}")));
        }
        assert!(statements.view().len() <= SHAPES_MAX + 1);
    }
}
