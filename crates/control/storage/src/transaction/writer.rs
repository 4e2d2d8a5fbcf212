//! An open transaction, as repositories see it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use warren_auth::Authorized;
use warren_model::{OrganisationId, Timestamp};

use crate::{
    Place, StorageError,
    database::Pools,
    engine::{Answer, Fault, RetryCause},
    error::through,
    pool::Lease,
    source::sealed,
};

/// An open transaction. A statement that fails ends it, on every engine alike: nothing more is done in it, and it is undone;
/// what is to survive a failure goes into a nested one.
pub struct Writer {
    pools: Arc<Pools>,
    organisation: Option<OrganisationId>,
    /// One statement at a time.
    pub(super) lease: tokio::sync::Mutex<Lease>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    effects: Vec<Effect>,
    /// How many nested transactions are open.
    depth: u32,
    failure: Option<Failure>,
    /// A nested transaction that was left in the middle: undone before anything else is done.
    abandoned: Option<u32>,
}

/// The first thing that went wrong.
#[derive(Clone)]
pub(super) struct Failure {
    pub error: DbErr,
    /// The nested transaction that it ended; 0 is the outermost.
    depth: u32,
    pub retry: Option<RetryCause>,
}

type Effect = Box<dyn FnOnce() + Send>;

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("place", self.pools.place()).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(pools: Arc<Pools>, organisation: Option<OrganisationId>, lease: Lease) -> Self {
        Self { pools, organisation, lease: tokio::sync::Mutex::new(lease), state: Mutex::default() }
    }

    /// Runs `effect` once the transaction is committed; never when it is undone.
    pub(crate) fn after_commit(&self, effect: impl FnOnce() + Send + 'static) {
        self.state().effects.push(Box::new(effect));
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.pools.clock().now()
    }

    /// Refuses a proof that was made for another organisation than the one whose database this is.
    pub(crate) fn check<P>(&self, proof: &Authorized<P>) -> Result<(), StorageError> {
        if self.organisation.is_some() && proof.organisation() == self.organisation {
            Ok(())
        } else {
            Err(StorageError::WrongTenant)
        }
    }

    pub(super) fn pools(&self) -> &Arc<Pools> {
        &self.pools
    }

    /// What ended it, if anything did.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.state().failure.clone()
    }

    /// The connection and what is to be done after the commit.
    pub(super) fn into_parts(self) -> (Lease, Vec<Effect>) {
        (self.lease.into_inner(), self.state.into_inner().unwrap_or_else(PoisonError::into_inner).effects)
    }

    /// Opens a nested transaction and says how deep it is and how many effects were there before.
    pub(super) async fn enter_nested(&self) -> Result<(u32, usize), DbErr> {
        let depth = self.state().depth + 1;
        self.control(&format!("SAVEPOINT nested_{depth}")).await?;
        let mut state = self.state();
        state.depth = depth;
        Ok((depth, state.effects.len()))
    }

    /// Makes what a nested transaction did part of the one around it.
    pub(super) async fn keep_nested(&self, depth: u32) -> Result<(), DbErr> {
        self.control(&format!("RELEASE SAVEPOINT nested_{depth}")).await?;
        self.state().depth = depth - 1;
        Ok(())
    }

    /// Undoes what a nested transaction did.
    pub(super) async fn undo_nested(&self, depth: u32, effects: usize) -> Result<(), DbErr> {
        {
            let mut state = self.state();
            state.effects.truncate(effects);
            state.depth = depth - 1;
            if let Some(failure) = &state.failure {
                if failure.depth < depth || failure.retry.is_some() {
                    return Err(failure.error.clone());
                }
                state.failure = None;
            }
            state.abandoned = Some(depth);
        }
        self.settle(&mut *self.lease.lock().await).await
    }

    /// Notes that a nested transaction was left in the middle.
    pub(super) fn abandon_nested(&self, depth: u32, effects: usize) {
        let mut state = self.state();
        state.effects.truncate(effects);
        state.depth = depth - 1;
        if state.failure.as_ref().is_some_and(|failure| failure.depth >= depth && failure.retry.is_none()) {
            state.failure = None;
        }
        state.abandoned = Some(state.abandoned.map_or(depth, |other| other.min(depth)));
    }

    /// Undoes what was abandoned, if anything was.
    async fn settle(&self, lease: &mut Lease) -> Result<(), DbErr> {
        let Some(depth) = self.state().abandoned else { return Ok(()) };
        for verb in ["ROLLBACK TO", "RELEASE"] {
            let undone = lease.run(&format!("{verb} SAVEPOINT nested_{depth}")).await;
            undone.map_err(|error| self.noted(error))?;
        }
        self.state().abandoned = None;
        Ok(())
    }

    /// Undoes what was abandoned, before the commit.
    pub(super) async fn settle_before_commit(&self) -> Result<(), DbErr> {
        self.settle(&mut *self.lease.lock().await).await
    }

    /// Sends `sql` as it is.
    async fn control(&self, sql: &str) -> Result<(), DbErr> {
        let mut lease = self.sound().await?;
        lease.run(sql).await.map_err(|error| self.noted(error))
    }

    async fn ask<A: Answer>(&self, statement: Statement) -> Result<A, DbErr> {
        let mut lease = self.sound().await?;
        lease.ask(statement, self.pools.observer()).await.map_err(|error| self.noted(error))
    }

    /// The connection, for as long as nothing went wrong.
    async fn sound(&self) -> Result<tokio::sync::MutexGuard<'_, Lease>, DbErr> {
        let mut lease = self.lease.lock().await;
        if let Some(failure) = self.failure() {
            return Err(failure.error);
        }
        self.settle(&mut lease).await?;
        Ok(lease)
    }

    /// Remembers `error` as what ended the transaction, or the nested one it happened in.
    fn noted(&self, error: sqlx::Error) -> DbErr {
        let retry = match Fault::of(&error) {
            Fault::Retry(cause) => Some(cause),
            Fault::Disconnected | Fault::Unreachable => Some(RetryCause::Disconnected),
            _ => None,
        };
        let ends_all = Fault::ends_transaction(&error);
        let error = through(error);
        let mut state = self.state();
        let depth = if ends_all { 0 } else { state.depth };
        if state.failure.is_none() {
            state.failure = Some(Failure { error: error.clone(), depth, retry });
        }
        error
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl sealed::Source for Writer {
    type Connection = Self;
    fn connection(&self) -> &Self {
        self
    }
    fn place(&self) -> &Place {
        self.pools.place()
    }
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Writer {
    fn get_database_backend(&self) -> DbBackend {
        self.pools.engine().backend()
    }
    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.ask(statement).await
    }
    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }
    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.ask(statement).await
    }
    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.ask(statement).await
    }
}
