//! Transactions: one writer at a time, first come first served, and nothing left behind whatever happens in between.

use std::{
    fmt,
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warren_auth::Authorized;
use warren_model::{Clock, OrganisationId, Timestamp};

use crate::{StorageError, connection::sealed, error::SqliteCode};

/// The single writing connection of one database and the queue in front of it.
#[derive(Debug)]
pub(crate) struct WriteGate {
    pub connection: DatabaseConnection,
    /// One permit, handed out in the order of asking.
    pub turn: Arc<Semaphore>,
    pub file: Arc<PathBuf>,
    pub clock: Arc<dyn Clock>,
    /// Whose database it is; none for the system's.
    pub organisation: Option<OrganisationId>,
    pub acquire_timeout: Duration,
}

/// An open transaction, as repositories see it.
pub struct Writer {
    connection: Doomable,
    file: Arc<PathBuf>,
    clock: Arc<dyn Clock>,
    organisation: Option<OrganisationId>,
    after_commit: Mutex<Vec<Effect>>,
    /// Kept until the transaction is over and its connection back in the pool.
    turn: OwnedSemaphorePermit,
}

type Effect = Box<dyn FnOnce() + Send>;

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("file", &self.file).finish_non_exhaustive()
    }
}

impl WriteGate {
    /// Waits for its turn and opens a transaction.
    ///
    /// BEGIN runs in a task of its own: were it dropped half-way, the library could hand the connection on with the
    /// transaction open.
    pub async fn begin(&self) -> Result<Writer, StorageError> {
        let turn = tokio::time::timeout(self.acquire_timeout, Arc::clone(&self.turn).acquire_owned())
            .await
            .map_err(|_| StorageError::Busy)?
            .map_err(|_| StorageError::Busy)?;
        let connection = self.connection.clone();
        let (file, clock, organisation) = (Arc::clone(&self.file), Arc::clone(&self.clock), self.organisation);
        let opening = tokio::spawn(async move {
            let immediate = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let transaction = connection
                .begin_with_options(immediate)
                .await
                .map_err(|error| StorageError::from_database(&error, &file))?;
            let connection = Doomable { transaction, doom: Mutex::new(None) };
            Ok(Writer { connection, file, clock, organisation, after_commit: Mutex::default(), turn })
        });
        finished(opening, &self.file).await
    }
}

impl Writer {
    /// Runs `effect` once the transaction has reached the disk; never when it is rolled back.
    pub(crate) fn after_commit(&self, effect: impl FnOnce() + Send + 'static) {
        self.after_commit.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(effect));
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Refuses a proof that was made for another organisation than the one whose database this is.
    pub(crate) fn check<P>(&self, proof: &Authorized<P>) -> Result<(), StorageError> {
        if self.organisation.is_some() && proof.organisation() == self.organisation {
            Ok(())
        } else {
            Err(StorageError::WrongTenant)
        }
    }

    /// Commits what `work` did, or undoes it and returns the first error.
    pub(crate) async fn finish<T, E: From<StorageError>>(self, outcome: Result<T, E>) -> Result<T, E> {
        let doom = self.connection.doom.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (outcome, doom) {
            (Err(error), _) => {
                self.roll_back().await;
                Err(error)
            }
            (Ok(_), Some(doom)) => {
                let error = StorageError::from_database(&doom, &self.file);
                self.roll_back().await;
                Err(error.into())
            }
            (Ok(value), None) => {
                self.commit().await?;
                Ok(value)
            }
        }
    }

    /// COMMIT and the effects after it run in a task of their own: once begun they are carried through.
    async fn commit(self) -> Result<(), StorageError> {
        let file = Arc::clone(&self.file);
        let committing = tokio::spawn(async move {
            let Self { connection, file, after_commit, turn, .. } = self;
            let outcome = connection.transaction.commit().await;
            drop(turn);
            outcome.map_err(|error| StorageError::from_database(&error, &file))?;
            for effect in after_commit.into_inner().unwrap_or_else(PoisonError::into_inner) {
                effect();
            }
            Ok(())
        });
        finished(committing, &file).await
    }

    /// The rollback's own failure is no news to the caller: the connection is then discarded with whatever it held.
    async fn roll_back(self) {
        let Self { connection, turn, .. } = self;
        let undone = tokio::spawn(async move {
            let outcome = connection.transaction.rollback().await;
            drop(turn);
            outcome
        });
        if let Ok(Err(error)) = undone.await {
            tracing::debug!(%error, "a transaction that had failed was already rolled back");
        }
    }
}

/// What `task` came to, if it was not torn down with the runtime.
async fn finished<T>(task: tokio::task::JoinHandle<Result<T, StorageError>>, file: &Path) -> Result<T, StorageError> {
    task.await.unwrap_or_else(|error| Err(StorageError::Unavailable { file: file.to_owned(), source: Arc::new(error) }))
}

impl sealed::Source for Writer {
    type Connection = Doomable;
    fn connection(&self) -> &Doomable {
        &self.connection
    }
    fn file(&self) -> &Path {
        &self.file
    }
}

/// A transaction that refuses further statements after an error by which the database may have rolled all of it back.
#[derive(Debug)]
pub struct Doomable {
    transaction: DatabaseTransaction,
    doom: Mutex<Option<DbErr>>,
}

impl Doomable {
    async fn guarded<T>(&self, work: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
        if let Some(doom) = &*self.doom.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(doom.clone());
        }
        let outcome = work.await;
        if let Err(error) = &outcome
            && SqliteCode::dooms(error)
        {
            *self.doom.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        }
        outcome
    }
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Doomable {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }
    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.guarded(self.transaction.execute_raw(statement)).await
    }
    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.guarded(self.transaction.execute_unprepared(sql)).await
    }
    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.guarded(self.transaction.query_one_raw(statement)).await
    }
    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.guarded(self.transaction.query_all_raw(statement)).await
    }
}
