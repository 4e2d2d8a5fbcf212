//! Asking for jobs, and taking over those that organisations left in their outboxes.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use warren_model::{AccountId, JobId, JobState, RequestId, ScheduleId, Timestamp};
use warren_schema::system::{job as table, job_key as key};

use super::{Jobs, NewJob, PAYLOAD_BYTES_MAX, Unique, lane, rank};
use crate::{
    StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{ROWS_PER_STATEMENT, micros, padded},
};

/// What became of a wish for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It stands in the queue.
    New(JobId),
    /// One was asked for under the same key before, and that is the one.
    Before(JobId),
}

impl Enqueued {
    /// The job that was asked for, or is there already.
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Before(id) => id,
        }
    }
}

impl Jobs<'_, Writer> {
    /// Adds a job, unless one was asked for under the same key within its time. The job stands or falls with the transaction.
    ///
    /// # Errors
    /// [`StorageError::TooLarge`] for a payload of more than [`PAYLOAD_BYTES_MAX`] bytes.
    pub async fn insert(&self, job: &NewJob) -> Result<Enqueued, StorageError> {
        if let Some(before) = self.claim_key(job).await? {
            return Ok(Enqueued::Before(before));
        }
        let row = row(job)?.into_active_model();
        table::Entity::insert(row).exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(Enqueued::New(job.id))
    }

    /// Adds many jobs without keys.
    ///
    /// # Errors
    /// As [`Jobs::insert`].
    pub async fn insert_many(&self, jobs: &[NewJob]) -> Result<(), StorageError> {
        for some in jobs.chunks(ROWS_PER_STATEMENT) {
            let rows = some.iter().map(|job| Ok(row(job)?.into_active_model()));
            let rows = rows.collect::<Result<Vec<_>, StorageError>>()?;
            let insert = table::Entity::insert_many(rows);
            insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        }
        Ok(())
    }

    /// Adds jobs that organisations left in their outboxes; taking one over again changes nothing, as long as its row is kept.
    ///
    /// # Errors
    /// As [`Jobs::insert`].
    pub async fn take_over(&self, jobs: &[NewJob]) -> Result<(), StorageError> {
        let ids = padded(jobs.iter().map(|job| job.id.uuid()));
        let known = table::Entity::find().filter(table::Column::Id.is_in(ids));
        let known = known.all(self.on.connection()).await.at(self.on)?;
        for job in jobs.iter().filter(|job| known.iter().all(|row| row.id != job.id.uuid())) {
            if self.claim_key(job).await?.is_none() {
                table::Entity::insert(row(job)?.into_active_model())
                    .on_conflict_do_nothing_on([table::Column::Id])
                    .exec_without_returning(self.on.connection())
                    .await
                    .at(self.on)?;
            }
        }
        Ok(())
    }

    /// Claims the key of `job` for it; the job that has it, if one has.
    async fn claim_key(&self, job: &NewJob) -> Result<Option<JobId>, StorageError> {
        let Some(Unique { key: name, until }) = &job.unique else { return Ok(None) };
        let connection = self.on.connection();
        let known = key::Entity::find_by_id(name.clone()).one(connection).await.at(self.on)?;
        let until = micros(*until);
        match known {
            Some(known) if known.until > micros(self.on.now()) => Ok(Some(JobId::from_uuid(known.job_id))),
            Some(known) => {
                let renewed = key::ActiveModel { job_id: Set(job.id.uuid()), until: Set(until), ..known.into() };
                key::Entity::update(renewed).exec(connection).await.at(self.on)?;
                Ok(None)
            }
            None => {
                let row = key::Model { key: name.clone(), job_id: job.id.uuid(), until };
                key::Entity::insert(row.into_active_model()).exec_without_returning(connection).await.at(self.on)?;
                Ok(None)
            }
        }
    }

    /// Forgets the keys whose time is over by `now`, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_keys(&self, now: Timestamp) -> Result<u64, StorageError> {
        let ended = key::Entity::delete_many().filter(key::Column::Until.lte(micros(now)));
        Ok(ended.exec(self.on.connection()).await.at(self.on)?.rows_affected)
    }
}

fn row(job: &NewJob) -> Result<table::Model, StorageError> {
    if job.payload.len() > PAYLOAD_BYTES_MAX {
        return Err(StorageError::TooLarge { bytes: job.payload.len(), bytes_max: PAYLOAD_BYTES_MAX });
    }
    let state = if job.run_at <= job.created_at { JobState::Ready } else { JobState::Waiting };
    Ok(table::Model {
        id: job.id.uuid(),
        queue: job.queue.to_string(),
        lane: lane(job.organisation),
        priority: rank(job.priority),
        kind: job.kind.clone(),
        version: job.version.into(),
        payload: job.payload.clone(),
        state: state.to_string(),
        run_at: micros(job.run_at),
        created_at: micros(job.created_at),
        deadline_at: job.deadline.map(micros),
        started_at: None,
        finished_at: None,
        attempts: 0,
        attempts_max: job.attempts_max.into(),
        worker_id: None,
        stop_asked_at: None,
        progress_done: 0,
        progress_total: 0,
        result: None,
        error: None,
        author_id: job.author.map(AccountId::uuid),
        request_id: job.request.map(RequestId::uuid),
        schedule_id: job.schedule.map(ScheduleId::uuid),
    })
}
