//! Processes that work on jobs, the rescue of what a dead one leaves behind, and queues that an operator holds back.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use warren_auth::{Authorized, permission::Operate};
use warren_model::{JobId, JobState, Queue, Timestamp, WorkerId};
use warren_schema::system::{job as table, job_queue as queue_table, job_worker as worker_table};

use super::Jobs;
use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, narrowed, padded},
};

/// A process that works on jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    pub id: WorkerId,
    /// The name of its host, at most 120 characters.
    pub host: String,
    pub process: u32,
    /// Of Warren.
    pub version: String,
    /// Jobs that it works on at once.
    pub places: u32,
    /// Grows as long as it lives.
    pub beat: u64,
    pub started_at: Timestamp,
}

/// What came of the jobs of a worker that died.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Ready again.
    pub again: u64,
    /// Dead letters: it was their last attempt.
    pub dead: u64,
    /// Called off while they ran.
    pub cancelled: u64,
}

/// Whether a queue is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueStanding {
    Running,
    Paused,
}

impl QueueStanding {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
        }
    }
}

/// What a dead letter says whose worker died during its last attempt.
const DIED: &str = "the process that worked on it ended in the middle, each time it was tried";

impl<C: Source> Jobs<'_, C> {
    /// Every process that works on jobs, the oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn workers(&self) -> Result<Vec<Worker>, StorageError> {
        let all = worker_table::Entity::find().order_by_asc(worker_table::Column::Id);
        let rows = all.all(self.on.connection()).await.at(self.on)?;
        let decode = |row: worker_table::Model| {
            Ok(Worker {
                id: WorkerId::from_uuid(row.id),
                host: row.host,
                process: narrowed(row.process, "process")?,
                version: row.version,
                places: narrowed(row.places, "places")?,
                beat: narrowed(row.beat, "beat")?,
                started_at: moment(row.started_at, "started_at")?,
            })
        };
        rows.into_iter().map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// The jobs of `worker` that somebody has called off.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn stop_asked(&self, worker: WorkerId) -> Result<Vec<JobId>, StorageError> {
        let asked = table::Entity::find()
            .select_only()
            .column(table::Column::Id)
            .filter(table::Column::WorkerId.eq(worker.uuid()))
            .filter(table::Column::StopAskedAt.is_not_null());
        let ids: Vec<uuid::Uuid> = asked.into_tuple().all(self.on.connection()).await.at(self.on)?;
        Ok(ids.into_iter().map(JobId::from_uuid).collect())
    }

    /// The jobs that stand as `worker`'s, each with the number of its attempt.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn held_by(&self, worker: WorkerId) -> Result<Vec<(JobId, u16)>, StorageError> {
        let held = table::Entity::find()
            .select_only()
            .columns([table::Column::Id, table::Column::Attempts])
            .filter(table::Column::WorkerId.eq(worker.uuid()))
            .filter(table::Column::State.eq(JobState::Running.as_str()));
        let rows: Vec<(uuid::Uuid, i32)> = held.into_tuple().all(self.on.connection()).await.at(self.on)?;
        let decode = |(id, attempts)| Ok((JobId::from_uuid(id), narrowed(attempts, "attempts")?));
        rows.into_iter().map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// The queues that an operator holds back, since when and by whom.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn paused_queues(&self) -> Result<Vec<(Queue, Timestamp, String)>, StorageError> {
        let rows = queue_table::Entity::find().all(self.on.connection()).await.at(self.on)?;
        let paused = rows.into_iter().filter(|row| row.standing == QueueStanding::Paused.as_str());
        let decode = |row: queue_table::Model| {
            let queue = Queue::from_text(&row.queue).ok_or(Undecodable { column: "queue" })?;
            Ok((queue, moment(row.changed_at, "changed_at")?, row.changed_by))
        };
        paused.map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }
}

impl Jobs<'_, Writer> {
    /// Adds a process that works on jobs, or notes that it lives: with a higher beat and its present places.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn beat(&self, worker: &Worker) -> Result<(), StorageError> {
        let connection = self.on.connection();
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let places = i32::try_from(worker.places).unwrap_or(i32::MAX);
        let alive = worker_table::ActiveModel {
            beat: Set(number(worker.beat)),
            places: Set(places),
            ..worker_table::ActiveModel::default()
        };
        let update = worker_table::Entity::update_many().set(alive);
        let update = update.filter(worker_table::Column::Id.eq(worker.id.uuid()));
        if update.exec(connection).await.at(self.on)?.rows_affected > 0 {
            return Ok(());
        }
        let row = worker_table::Model {
            id: worker.id.uuid(),
            host: worker.host.chars().take(120).collect(),
            process: i32::try_from(worker.process).unwrap_or(i32::MAX),
            version: worker.version.clone(),
            places,
            beat: number(worker.beat),
            started_at: micros(worker.started_at),
        };
        worker_table::Entity::insert(row.into_active_model()).exec_without_returning(connection).await.at(self.on)?;
        Ok(())
    }

    /// Removes a worker that is gone and lets others take what it worked on. Its attempts count: a job that ends its worker each
    /// time is a dead letter in the end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rescue(&self, worker: WorkerId, now: Timestamp) -> Result<Rescued, StorageError> {
        let connection = self.on.connection();
        let left = || {
            table::Entity::update_many()
                .filter(table::Column::State.eq(JobState::Running.as_str()))
                .filter(table::Column::WorkerId.eq(worker.uuid()))
        };
        let ended = |state: JobState, error: Option<&str>| table::ActiveModel {
            state: Set(state.to_string()),
            worker_id: Set(None),
            finished_at: Set(Some(micros(now))),
            error: error.map_or(sea_orm::ActiveValue::NotSet, |error| Set(Some(error.to_owned()))),
            ..table::ActiveModel::default()
        };
        let cancelled = left()
            .set(ended(JobState::Cancelled, None))
            .filter(table::Column::StopAskedAt.is_not_null())
            .exec(connection)
            .await
            .at(self.on)?
            .rows_affected;
        let dead = left()
            .set(ended(JobState::Dead, Some(DIED)))
            .filter(Expr::col(table::Column::Attempts).gte(Expr::col(table::Column::AttemptsMax)))
            .exec(connection)
            .await
            .at(self.on)?
            .rows_affected;
        let ready = table::ActiveModel {
            state: Set(JobState::Ready.to_string()),
            worker_id: Set(None),
            ..table::ActiveModel::default()
        };
        let again = left().set(ready).exec(connection).await.at(self.on)?.rows_affected;
        let gone = worker_table::Entity::delete_many().filter(worker_table::Column::Id.eq(worker.uuid()));
        gone.exec(connection).await.at(self.on)?;
        Ok(Rescued { again, dead, cancelled })
    }

    /// Holds a queue back, or lets it go on. What runs comes to its end.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn set_standing(
        &self,
        _proof: &Authorized<Operate>,
        queue: Queue,
        standing: QueueStanding,
        by: (&str, Timestamp),
    ) -> Result<(), StorageError> {
        let connection = self.on.connection();
        let row = queue_table::Model {
            queue: queue.to_string(),
            standing: standing.as_str().to_owned(),
            changed_at: micros(by.1),
            changed_by: by.0.chars().take(120).collect(),
        };
        let known = queue_table::Entity::find_by_id(row.queue.clone()).one(connection).await.at(self.on)?;
        if known.is_some() {
            queue_table::Entity::update(sea_orm::ActiveModelTrait::reset_all(row.into_active_model()))
                .exec(connection)
                .await
                .at(self.on)?;
        } else {
            queue_table::Entity::insert(row.into_active_model()).exec_without_returning(connection).await.at(self.on)?;
        }
        Ok(())
    }

    /// Every running job whose worker is in no list: left by a process that died between its last beat and being forgotten.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn orphans(&self, known: &[WorkerId]) -> Result<Vec<WorkerId>, StorageError> {
        let mut running = table::Entity::find()
            .select_only()
            .column(table::Column::WorkerId)
            .filter(table::Column::State.eq(JobState::Running.as_str()));
        if !known.is_empty() {
            running = running.filter(table::Column::WorkerId.is_not_in(padded(known.iter().map(|id| id.uuid()))));
        }
        let ids: Vec<Option<uuid::Uuid>> = running.into_tuple().all(self.on.connection()).await.at(self.on)?;
        let mut ids: Vec<WorkerId> = ids.into_iter().flatten().map(WorkerId::from_uuid).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}
