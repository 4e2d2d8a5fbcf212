//! A connection in somebody's hands. Whatever happens to the holder, it goes back clean or not at all.

use std::{
    panic::Location,
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::Statement;

use super::{Held, LeaseRecord, Phase, Physical, Pool, give_back::Others};
use crate::{
    StorageError, WorkContext,
    engine::{Answer, Connection, Fault},
    explain::Example,
    statements::{Observer, Outcome},
};

/// How long undoing what was left open may take; past it the connection is closed instead.
pub(super) const CLEAN_WITHIN: Duration = Duration::from_secs(5);

/// A connection and what is known of its state.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Pool,
    physical: Option<Physical>,
    condition: Condition,
    record: Arc<LeaseRecord>,
}

/// What stands open on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// Nothing.
    Clean,
    /// A transaction.
    Open,
    /// A statement was begun whose answer nobody read.
    Uncertain,
    /// It does not work any more.
    Broken,
}

impl Lease {
    pub(super) fn new(held: Held, work: &WorkContext, place: Option<&'static Location<'static>>) -> Self {
        let pool = held.pool.clone();
        let record = Arc::new(LeaseRecord::new(work, place));
        pool.register(Arc::clone(&record));
        Self { pool, physical: held.into_physical(), condition: Condition::Clean, record }
    }

    /// Runs a statement.
    pub async fn ask<A: Answer>(&mut self, statement: Statement, observer: &Observer) -> Result<A, sqlx::Error> {
        let (fingerprint, example) = (observer.fingerprint(&statement), Example::to_explain(&statement));
        let (before, begun) = (self.enter(fingerprint.text()), Instant::now());
        let outcome = A::ask(self.usable(before)?, statement).await;
        let took = begun.elapsed();
        self.leave(before, &outcome);
        let ended = if outcome.is_ok() { Outcome::Answered } else { Outcome::Failed };
        observer.observe(&fingerprint, example, took, ended, &self.record);
        outcome
    }

    /// Runs `sql` as it is, inside the transaction that is open.
    pub async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let before = self.enter(Arc::from(sql));
        let outcome = self.usable(before)?.run(sql).await;
        self.leave(before, &outcome);
        outcome
    }

    /// Opens a transaction by `sql`.
    pub async fn begin(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let begun = self.run(sql).await;
        if self.condition != Condition::Broken {
            // Also after an error: the first of several statements may have opened it.
            self.condition = Condition::Open;
        }
        if begun.is_ok() {
            self.record.transaction_opened();
        }
        begun
    }

    /// Ends the transaction by COMMIT or ROLLBACK. When that fails without breaking the connection, what is open is undone
    /// before anybody else gets it.
    pub async fn end(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        self.run(sql).await?;
        self.condition = Condition::Clean;
        self.record.transaction_ended();
        Ok(())
    }

    /// Lends the connection itself out, for what is no statement of a repository. Until it is [`Lease::returned`], what stands
    /// open on it is unknown.
    pub fn lend(&mut self) -> Result<&mut Connection, StorageError> {
        self.condition = Condition::Uncertain;
        self.record.enter(Phase::Lent);
        self.physical.as_mut().map(|physical| &mut physical.connection).ok_or(StorageError::Busy)
    }

    /// Says that nothing stands open on the connection any more.
    pub fn returned(mut self) {
        self.condition = Condition::Clean;
    }

    fn enter(&mut self, text: Arc<str>) -> Condition {
        self.record.enter(Phase::Statement(text));
        std::mem::replace(&mut self.condition, Condition::Uncertain)
    }

    /// The connection, unless it broke before.
    fn usable(&mut self, before: Condition) -> Result<&mut Connection, sqlx::Error> {
        match &mut self.physical {
            Some(physical) if before != Condition::Broken => Ok(&mut physical.connection),
            _ => {
                self.condition = Condition::Broken;
                Err(sqlx::Error::WorkerCrashed)
            }
        }
    }

    fn leave<T>(&mut self, before: Condition, outcome: &Result<T, sqlx::Error>) {
        self.record.enter(Phase::Idle);
        let broke =
            outcome.as_ref().is_err_and(|error| matches!(Fault::of(error), Fault::Disconnected | Fault::Unreachable));
        self.condition = if broke { Condition::Broken } else { before };
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.unregister(&self.record);
        self.record.given_back();
        self.pool.0.tally.used(self.record.since.elapsed());
        let Some(physical) = self.physical.take() else { return };
        match self.condition {
            Condition::Clean => self.pool.give_back(physical),
            Condition::Broken => self.pool.discard(physical, Others::Suspect),
            Condition::Open | Condition::Uncertain => clean(self.pool.clone(), physical),
        }
    }
}

/// Undoes what was left open in a task of its own, and gives the connection back if that works.
fn clean(pool: Pool, mut physical: Physical) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return pool.discard(physical, Others::Sound);
    };
    runtime.spawn(async move {
        // A statement whose answer nobody read is read to its end before this is sent.
        match tokio::time::timeout(CLEAN_WITHIN, physical.connection.run("ROLLBACK")).await {
            Ok(outcome) if outcome.is_ok() || was_not_open(&outcome) => pool.give_back(physical),
            _ => pool.discard(physical, Others::Sound),
        }
    });
}

/// SQLite refuses to roll back what is not open; the others do not mind.
fn was_not_open(outcome: &Result<(), sqlx::Error>) -> bool {
    matches!(outcome, Err(sqlx::Error::Database(error)) if error.message().contains("no transaction is active"))
}
