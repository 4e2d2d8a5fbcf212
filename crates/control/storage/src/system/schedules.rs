//! Schedules, by which jobs come again and again.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use warren_model::{AccountId, JobId, OrganisationId, Queue, ScheduleId, Timestamp};
use warren_schema::system::job_schedule as table;

use super::jobs::{lane, organisation_of};
use crate::{
    Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, moment, moment_or_none, narrowed},
};

/// Schedules of organisations and of the installation.
#[derive(Debug)]
pub struct Schedules<'a, C> {
    pub(crate) on: &'a C,
}

/// One schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSchedule {
    pub id: ScheduleId,
    pub organisation: Option<OrganisationId>,
    /// At most 80 characters.
    pub name: String,
    pub queue: Queue,
    pub kind: String,
    pub version: u16,
    pub payload: String,
    /// When it comes, as `warren_model` writes a schedule.
    pub cadence: String,
    pub standing: ScheduleStanding,
    pub next_at: Timestamp,
    pub last_at: Option<Timestamp>,
    pub last_job: Option<JobId>,
    pub author: Option<AccountId>,
    pub created_at: Timestamp,
    pub revision: i64,
}

/// Whether a schedule makes jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleStanding {
    Active,
    Paused,
}

impl ScheduleStanding {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
        }
    }

    /// What `text` names.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Active, Self::Paused].into_iter().find(|one| one.as_str() == text)
    }
}

impl<C: Source> Schedules<'_, C> {
    /// The schedule.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn by_id(&self, id: ScheduleId) -> Result<Option<JobSchedule>, StorageError> {
        let row = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(decode).transpose().at(self.on)
    }

    /// Those of an organisation, or the installation's own, the oldest first; at most `limit`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn of(&self, whose: Option<OrganisationId>, limit: u64) -> Result<Vec<JobSchedule>, StorageError> {
        let query = table::Entity::find().filter(table::Column::Lane.eq(lane(whose)));
        let query = query.order_by_asc(table::Column::Id).limit(limit);
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// Those that are due by `now`, the longest due first; at most `limit`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn due(&self, now: Timestamp, limit: u64) -> Result<Vec<JobSchedule>, StorageError> {
        let query = table::Entity::find()
            .filter(table::Column::Standing.eq(ScheduleStanding::Active.as_str()))
            .filter(table::Column::NextAt.lte(micros(now)));
        let query = query.order_by_asc(table::Column::NextAt).limit(limit);
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        rows.into_iter().map(decode).collect::<Result<_, Undecodable>>().at(self.on)
    }
}

impl Schedules<'_, Writer> {
    /// Adds a schedule.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert(&self, schedule: &JobSchedule) -> Result<(), StorageError> {
        let insert = table::Entity::insert(row(schedule).into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Changes the schedule that stands at `revision`; its revision grows by one.
    ///
    /// # Errors
    /// [`StorageError::Stale`] when it stands at another one or is gone.
    pub async fn update(&self, schedule: &JobSchedule, revision: i64) -> Result<(), StorageError> {
        let change = table::ActiveModel {
            revision: Set(revision + 1),
            id: sea_orm::ActiveValue::NotSet,
            ..sea_orm::ActiveModelTrait::reset_all(row(schedule).into_active_model())
        };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(schedule.id.uuid()))
            .filter(table::Column::Revision.eq(revision))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::Stale) }
    }

    /// Notes that the schedule, which was due at `due`, made a job, and when it comes next. Of several who try, one succeeds.
    ///
    /// # Errors
    /// [`StorageError::Stale`] when another did.
    pub async fn came(
        &self,
        id: ScheduleId,
        due: Timestamp,
        next: Timestamp,
        job: (JobId, Timestamp),
    ) -> Result<(), StorageError> {
        let change = table::ActiveModel {
            next_at: Set(micros(next)),
            last_at: Set(Some(micros(job.1))),
            last_job_id: Set(Some(job.0.uuid())),
            ..table::ActiveModel::default()
        };
        let done = table::Entity::update_many()
            .set(change)
            .filter(table::Column::Id.eq(id.uuid()))
            .filter(table::Column::NextAt.eq(micros(due)))
            .exec(self.on.connection())
            .await
            .at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::Stale) }
    }

    /// Removes a schedule; the jobs that it made stay.
    ///
    /// # Errors
    /// [`StorageError::NotFound`] without it.
    pub async fn remove(&self, id: ScheduleId) -> Result<(), StorageError> {
        let done = table::Entity::delete_by_id(id.uuid()).exec(self.on.connection()).await.at(self.on)?;
        if done.rows_affected == 1 { Ok(()) } else { Err(StorageError::NotFound) }
    }
}

fn row(schedule: &JobSchedule) -> table::Model {
    table::Model {
        id: schedule.id.uuid(),
        lane: lane(schedule.organisation),
        name: schedule.name.clone(),
        queue: schedule.queue.to_string(),
        kind: schedule.kind.clone(),
        version: schedule.version.into(),
        payload: schedule.payload.clone(),
        cadence: schedule.cadence.clone(),
        standing: schedule.standing.as_str().to_owned(),
        next_at: micros(schedule.next_at),
        last_at: schedule.last_at.map(micros),
        last_job_id: schedule.last_job.map(JobId::uuid),
        author_id: schedule.author.map(AccountId::uuid),
        created_at: micros(schedule.created_at),
        revision: schedule.revision,
    }
}

fn decode(row: table::Model) -> Result<JobSchedule, Undecodable> {
    Ok(JobSchedule {
        id: ScheduleId::from_uuid(row.id),
        organisation: organisation_of(row.lane),
        name: row.name,
        queue: Queue::from_text(&row.queue).ok_or(Undecodable { column: "queue" })?,
        kind: row.kind,
        version: narrowed(row.version, "version")?,
        payload: row.payload,
        cadence: row.cadence,
        standing: ScheduleStanding::from_text(&row.standing).ok_or(Undecodable { column: "standing" })?,
        next_at: moment(row.next_at, "next_at")?,
        last_at: moment_or_none(row.last_at, "last_at")?,
        last_job: row.last_job_id.map(JobId::from_uuid),
        author: row.author_id.map(AccountId::from_uuid),
        created_at: moment(row.created_at, "created_at")?,
        revision: row.revision,
    })
}
