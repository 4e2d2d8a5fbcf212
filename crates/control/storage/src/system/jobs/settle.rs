//! What comes of jobs: an attempt's end, a call to stop, a replay of dead letters, and their removal in the end.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany,
    sea_query::{Expr, ExprTrait},
};
use warren_model::{JobId, JobState, OrganisationId, Queue, Timestamp, WorkerId};
use warren_schema::system::job as table;

use super::{JobProgress, Jobs, PAYLOAD_BYTES_MAX, lane};
use crate::{
    StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{micros, padded},
};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub job: JobId,
    /// Which attempt: one that was taken from a worker believed dead has no say any more.
    pub attempt: u16,
    pub verdict: Verdict,
}

/// What comes next for a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Done {
        result: Option<String>,
    },
    /// It failed, and is tried again at the moment.
    Retry {
        error: String,
        run_at: Timestamp,
    },
    /// It failed for good.
    Dead {
        error: String,
    },
    Cancelled,
    /// It did not fail and is tried again at the moment; the attempt does not count.
    Postponed {
        reason: String,
        run_at: Timestamp,
    },
    /// The worker lets go of it, and somebody else may take it at once; the attempt does not count.
    Released,
}

/// What came of a call to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun, and never will.
    Now,
    /// Whoever works on it has been asked to stop.
    Asked,
    /// It had ended before.
    TooLate,
}

impl Jobs<'_, Writer> {
    /// Writes down how attempts of `worker` ended, and returns how many of them it still had a say in.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn settle(&self, worker: WorkerId, now: Timestamp, all: &[Settlement]) -> Result<u64, StorageError> {
        let (plain, rest): (Vec<&Settlement>, Vec<_>) =
            all.iter().partition(|one| one.verdict == Verdict::Done { result: None });
        let mut settled = 0;
        if !plain.is_empty() {
            // The attempts of a job that is claimed by this worker are its own: it was given them one after the other.
            let jobs = padded(plain.iter().map(|one| one.job.uuid()));
            let done = ended(JobState::Done, now);
            let update = of_worker(worker).set(done).filter(table::Column::Id.is_in(jobs));
            settled += update.exec(self.on.connection()).await.at(self.on)?.rows_affected;
        }
        for one in rest {
            let update = apply(of_worker(worker), &one.verdict, now)
                .filter(table::Column::Id.eq(one.job.uuid()))
                .filter(table::Column::Attempts.eq(i32::from(one.attempt)));
            settled += update.exec(self.on.connection()).await.at(self.on)?.rows_affected;
        }
        Ok(settled)
    }

    /// Writes down how far a job has come.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_progress(&self, worker: WorkerId, job: JobId, at: JobProgress) -> Result<(), StorageError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let change = table::ActiveModel {
            progress_done: Set(number(at.done)),
            progress_total: Set(number(at.total)),
            ..table::ActiveModel::default()
        };
        let update = of_worker(worker).set(change).filter(table::Column::Id.eq(job.uuid()));
        update.exec(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Calls a job off, of any organisation or of the given one. One that runs is asked to stop.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] without such a job.
    pub async fn cancel(&self, job: JobId, now: Timestamp) -> Result<Cancelled, StorageError> {
        let connection = self.on.connection();
        let not_begun = [JobState::Waiting.as_str(), JobState::Ready.as_str()];
        let of_job = || table::Entity::update_many().filter(table::Column::Id.eq(job.uuid()));
        let ended_now = of_job().set(ended(JobState::Cancelled, now)).filter(table::Column::State.is_in(not_begun));
        if ended_now.exec(connection).await.at(self.on)?.rows_affected > 0 {
            return Ok(Cancelled::Now);
        }
        let wish = table::ActiveModel { stop_asked_at: Set(Some(micros(now))), ..table::ActiveModel::default() };
        let asked = of_job().set(wish).filter(table::Column::State.eq(JobState::Running.as_str()));
        if asked.exec(connection).await.at(self.on)?.rows_affected > 0 {
            return Ok(Cancelled::Asked);
        }
        let known = table::Entity::find_by_id(job.uuid()).one(connection).await.at(self.on)?;
        known.map(|_| Cancelled::TooLate).ok_or(StorageError::NotFound)
    }

    /// Lets a dead letter or a job that was called off run again, with all its attempts.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] when it is neither.
    pub async fn replay(&self, job: JobId, now: Timestamp) -> Result<(), StorageError> {
        let ended = [JobState::Dead.as_str(), JobState::Cancelled.as_str()];
        let update = replayed(now).filter(table::Column::Id.eq(job.uuid())).filter(table::Column::State.is_in(ended));
        let done = update.exec(self.on.connection()).await.at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }

    /// Lets the dead letters of a queue run again, the oldest first and at most `limit`, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn replay_queue(&self, queue: Queue, now: Timestamp, limit: u64) -> Result<u64, StorageError> {
        let dead = table::Entity::find()
            .select_only()
            .column(table::Column::Id)
            .filter(table::Column::State.eq(JobState::Dead.as_str()))
            .filter(table::Column::Queue.eq(queue.as_str()))
            .order_by_asc(table::Column::Id)
            .limit(limit);
        let ids: Vec<uuid::Uuid> = dead.into_tuple().all(self.on.connection()).await.at(self.on)?;
        if ids.is_empty() {
            return Ok(0);
        }
        let update = replayed(now).filter(table::Column::Id.is_in(padded(ids)));
        Ok(update.exec(self.on.connection()).await.at(self.on)?.rows_affected)
    }

    /// Removes jobs that came to their end before a moment (done or called off: `ended`, dead letters: `dead`), at most `limit`
    /// of each, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn prune(&self, ended: Timestamp, dead: Timestamp, limit: u64) -> Result<u64, StorageError> {
        let mut pruned = 0;
        for (state, before) in [(JobState::Done, ended), (JobState::Cancelled, ended), (JobState::Dead, dead)] {
            let old = table::Entity::find()
                .select_only()
                .column(table::Column::Id)
                .filter(table::Column::State.eq(state.as_str()))
                .filter(table::Column::FinishedAt.lt(micros(before)))
                .order_by_asc(table::Column::FinishedAt)
                .limit(limit);
            let ids: Vec<uuid::Uuid> = old.into_tuple().all(self.on.connection()).await.at(self.on)?;
            if ids.is_empty() {
                continue;
            }
            let delete = table::Entity::delete_many().filter(table::Column::Id.is_in(padded(ids)));
            pruned += delete.exec(self.on.connection()).await.at(self.on)?.rows_affected;
        }
        Ok(pruned)
    }

    /// Removes every job of an organisation, which is going too.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove_of(&self, organisation: OrganisationId) -> Result<u64, StorageError> {
        let delete = table::Entity::delete_many().filter(table::Column::Lane.eq(lane(Some(organisation))));
        Ok(delete.exec(self.on.connection()).await.at(self.on)?.rows_affected)
    }
}

/// An update of what `worker` works on.
fn of_worker(worker: WorkerId) -> UpdateMany<table::Entity> {
    table::Entity::update_many()
        .filter(table::Column::State.eq(JobState::Running.as_str()))
        .filter(table::Column::WorkerId.eq(worker.uuid()))
}

fn apply(update: UpdateMany<table::Entity>, verdict: &Verdict, now: Timestamp) -> UpdateMany<table::Entity> {
    let again = |run_at: &Timestamp, error: Option<&str>| table::ActiveModel {
        state: Set(if *run_at <= now { JobState::Ready } else { JobState::Waiting }.to_string()),
        run_at: Set(micros(*run_at)),
        worker_id: Set(None),
        error: Set(error.map(bounded)),
        ..table::ActiveModel::default()
    };
    let uncounted = |update: UpdateMany<table::Entity>| {
        update.col_expr(table::Column::Attempts, Expr::col(table::Column::Attempts).sub(1))
    };
    match verdict {
        Verdict::Done { result } => {
            let result = result.as_deref().map(bounded);
            update.set(table::ActiveModel { result: Set(result), ..ended(JobState::Done, now) })
        }
        Verdict::Dead { error } => {
            update.set(table::ActiveModel { error: Set(Some(bounded(error))), ..ended(JobState::Dead, now) })
        }
        Verdict::Cancelled => update.set(ended(JobState::Cancelled, now)),
        Verdict::Retry { error, run_at } => update.set(again(run_at, Some(error))),
        Verdict::Postponed { reason, run_at } => uncounted(update.set(again(run_at, Some(reason)))),
        Verdict::Released => uncounted(update.set(again(&now, None))),
    }
}

/// A job that nothing more happens to.
fn ended(state: JobState, now: Timestamp) -> table::ActiveModel {
    table::ActiveModel {
        state: Set(state.to_string()),
        finished_at: Set(Some(micros(now))),
        worker_id: Set(None),
        ..table::ActiveModel::default()
    }
}

fn replayed(now: Timestamp) -> UpdateMany<table::Entity> {
    table::Entity::update_many().set(table::ActiveModel {
        state: Set(JobState::Ready.to_string()),
        run_at: Set(micros(now)),
        attempts: Set(0),
        deadline_at: Set(None),
        finished_at: Set(None),
        stop_asked_at: Set(None),
        ..table::ActiveModel::default()
    })
}

/// Not more of `text` than a column holds.
pub(super) fn bounded(text: &str) -> String {
    let mut end = text.len().min(PAYLOAD_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
