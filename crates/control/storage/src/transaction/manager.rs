//! Runs transactions: opens them, attempts them again where the database asks for it, and ends them.

use std::{panic::Location, sync::Arc, time::Duration};

use tokio::time::Instant;
use warren_model::{OrganisationId, Random, ambient::random_bytes};
use warren_resilience::Backoff;

use super::{
    TransactionOptions, Writer,
    options::{Access, Repeatability},
    tally::{End, TransactionTally},
};
use crate::{
    StorageError, WorkContext,
    database::Pools,
    engine::{Fault, RetryCause},
};

/// Waits between attempts: a few milliseconds at first, as deadlocks are short.
const WAIT_FIRST: Duration = Duration::from_millis(4);
const WAIT_MAX: Duration = Duration::from_millis(400);

/// Runs transactions on every database of an installation.
#[derive(Debug)]
pub struct TransactionManager {
    random: Arc<dyn Random>,
}

/// An open transaction of either kind of database.
pub(crate) trait Opened: Sized {
    fn writer(&self) -> &Writer;
    fn into_writer(self) -> Writer;
}

/// What came of one attempt.
enum Attempt<T, E> {
    Done(Result<T, E>, End),
    /// The database asks for another one; the error is what is told when there is none.
    Again(RetryCause, E),
}

impl TransactionManager {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self { random }
    }

    /// Runs `work` in one transaction: committed when it returns `Ok`, and otherwise (also when it panics, takes too long or is
    /// dropped half-way) undone. `work` is called again when the database asks for another attempt, so it has no effects but
    /// on the transaction; the others go into `after_commit`.
    ///
    /// # Errors
    /// What `work` returns, as it was; [`StorageError::Busy`] when no connection comes free or the attempts are used up,
    /// [`StorageError::TimedOut`], [`StorageError::CommitUnknown`], and what the database gives.
    pub(crate) async fn with_transaction<X: Opened, T, E: From<StorageError>>(
        &self,
        work_context: &WorkContext,
        on: (&Arc<Pools>, Option<OrganisationId>),
        options: &TransactionOptions,
        place: &'static Location<'static>,
        open: impl Fn(Writer) -> X,
        work: impl AsyncFnOnce(&mut X) -> Result<T, E> + Clone,
    ) -> Result<T, E> {
        let (pools, _) = on;
        let begun = Instant::now();
        let deadline = begun + options.time_limit;
        let mut counted = Counted { tally: pools.transactions(), begun, end: End::Dropped };
        let mut backoff = Backoff::new(WAIT_FIRST, WAIT_MAX);
        for attempt in 1.. {
            counted.tally.attempted();
            let begin = begin(work_context, on, options, place);
            let outcome = attempt_once(begin, (work_context, pools), options, deadline, &open, work.clone()).await;
            let (cause, error) = match outcome {
                Attempt::Done(outcome, end) => {
                    counted.end = end;
                    return outcome;
                }
                Attempt::Again(cause, error) => (cause, error),
            };
            let wait = backoff.after_failure(u64::from_le_bytes(random_bytes(self.random.as_ref())));
            if attempt >= options.attempts_max || Instant::now() + wait >= deadline {
                tracing::warn!(database = %pools.place(), cause = cause.as_str(), attempt, "a transaction is given up");
                counted.end = End::GivenUp;
                return Err(error);
            }
            counted.tally.retried(cause);
            tracing::debug!(database = %pools.place(), cause = cause.as_str(), attempt, "a transaction is attempted again");
            tokio::time::sleep(wait).await;
        }
        Err(StorageError::Busy.into())
    }
}

/// Counts how a transaction ended, also when nobody waits for it any more.
struct Counted<'a> {
    tally: &'a TransactionTally,
    begun: Instant,
    end: End,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.tally.ended(self.end, self.begun.elapsed());
    }
}

async fn attempt_once<X: Opened, T, E: From<StorageError>>(
    begin: impl Future<Output = Result<Writer, (StorageError, Option<RetryCause>)>>,
    (work_context, pools): (&WorkContext, &Arc<Pools>),
    options: &TransactionOptions,
    deadline: Instant,
    open: &impl Fn(Writer) -> X,
    work: impl AsyncFnOnce(&mut X) -> Result<T, E>,
) -> Attempt<T, E> {
    let late = || StorageError::TimedOut { limit: options.time_limit };
    let writer = match tokio::time::timeout_at(deadline, begin).await {
        Ok(Ok(writer)) => writer,
        Ok(Err((error, Some(cause)))) => return Attempt::Again(cause, error.into()),
        Ok(Err((error, None))) => return Attempt::Done(Err(error.into()), End::Failed),
        Err(_) => return Attempt::Done(Err(late().into()), End::TimedOut),
    };
    let mut opened = open(writer);
    let Ok(mut outcome) = tokio::time::timeout_at(deadline, work(&mut opened)).await else {
        return Attempt::Done(Err(late().into()), End::TimedOut);
    };
    let writer = opened.into_writer();
    if outcome.is_ok()
        && let Err(error) = writer.settle_before_commit().await
    {
        outcome = Err(StorageError::from_database(&error, pools.place()).into());
    }
    match (outcome, writer.failure()) {
        (Ok(value), None) => commit(work_context, writer, value, options).await,
        (outcome, failure) => {
            roll_back(writer).await;
            let first = |failure: &super::writer::Failure| StorageError::from_database(&failure.error, pools.place());
            let retry = failure.as_ref().and_then(|failure| failure.retry);
            let error = match (outcome, &failure) {
                (Err(error), _) => error,
                (Ok(_), Some(failure)) => first(failure).into(),
                (Ok(_), None) => unreachable!("a success without a failure is committed"),
            };
            match retry {
                Some(cause) => Attempt::Again(cause, error),
                None => Attempt::Done(Err(error), End::Failed),
            }
        }
    }
}

/// Takes a connection in turn and opens a transaction on it. A connection that died while it was idle is no failure.
async fn begin(
    work: &WorkContext,
    (pools, organisation): (&Arc<Pools>, Option<OrganisationId>),
    options: &TransactionOptions,
    place: &'static Location<'static>,
) -> Result<Writer, (StorageError, Option<RetryCause>)> {
    let pool = match options.access {
        Access::ReadWrite => pools.for_writing(),
        Access::ReadOnly => pools.for_snapshots(),
    };
    let mut lease = pool.acquire(work, Some(place)).await.map_err(|error| (error, None))?;
    match lease.begin(&options.begin(pools.engine())).await {
        Ok(()) => Ok(Writer::new(Arc::clone(pools), organisation, lease)),
        Err(error) => {
            let cause = match Fault::of(&error) {
                Fault::Disconnected => Some(RetryCause::Disconnected),
                Fault::Retry(cause) => Some(cause),
                _ => None,
            };
            Err((StorageError::from_driver(&Arc::new(error), pools.place()), cause))
        }
    }
}

/// COMMIT and the effects after it run in a task of their own: once begun they are carried through.
async fn commit<T, E: From<StorageError>>(
    work: &WorkContext,
    writer: Writer,
    value: T,
    options: &TransactionOptions,
) -> Attempt<T, E> {
    let (pools, work, access) = (Arc::clone(writer.pools()), *work, options.access);
    let noted = Arc::clone(&pools);
    let committing = tokio::spawn(async move {
        let (mut lease, effects) = writer.into_parts();
        let ended = lease.end("COMMIT").await;
        // Also after a failure, which may have come after the commit, and when nobody waits for the outcome any more.
        if access == Access::ReadWrite {
            noted.wrote(&work);
        }
        ended?;
        drop(lease);
        for effect in effects {
            effect();
        }
        Ok::<_, sqlx::Error>(())
    });
    let unknown = || StorageError::CommitUnknown { place: pools.place().clone() };
    match committing.await {
        Ok(Ok(())) => Attempt::Done(Ok(value), End::Committed),
        Ok(Err(error)) => match Fault::of(&error) {
            Fault::Retry(cause) => {
                Attempt::Again(cause, StorageError::from_driver(&Arc::new(error), pools.place()).into())
            }
            Fault::Disconnected | Fault::Unreachable => match options.repeatability {
                Repeatability::Idempotent => Attempt::Again(RetryCause::Disconnected, unknown().into()),
                Repeatability::Once => Attempt::Done(Err(unknown().into()), End::Unknown),
            },
            _ => Attempt::Done(Err(StorageError::from_driver(&Arc::new(error), pools.place()).into()), End::Failed),
        },
        // An effect panicked, after the commit, or the runtime is going down.
        Err(_) => Attempt::Done(Err(unknown().into()), End::Unknown),
    }
}

/// The rollback's own failure is no news to the caller: the connection is then cleaned or closed.
async fn roll_back(writer: Writer) {
    let undone = tokio::spawn(async move {
        let (mut lease, _) = writer.into_parts();
        lease.end("ROLLBACK").await
    });
    if let Ok(Err(error)) = undone.await {
        tracing::debug!(%error, "a transaction that had failed was already rolled back");
    }
}
