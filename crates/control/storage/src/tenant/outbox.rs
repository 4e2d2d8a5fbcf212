//! Jobs that stand or fall with a change of the organisation's own, on their way to the installation's queue.

use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;
use warren_model::{JobId, OrganisationId};
use warren_schema::tenant::job_outbox as table;

use crate::{
    NewJob, PAYLOAD_BYTES_MAX, Source, StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, padded},
    system::jobs::{body, from_body},
};

/// Jobs that wait to be carried to the queue.
#[derive(Debug)]
pub struct JobOutbox<'a, C> {
    pub(crate) on: &'a C,
}

impl<C: Source> JobOutbox<'_, C> {
    /// The oldest that wait, at most `limit`. They are `organisation`'s, whose database this is.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn take(&self, organisation: OrganisationId, limit: u64) -> Result<Vec<NewJob>, StorageError> {
        let query = table::Entity::find().order_by_asc(table::Column::Id).limit(limit);
        let rows = query.all(self.on.connection()).await.at(self.on)?;
        let jobs = rows.into_iter().map(|row| from_body(row.id, organisation, &row.body));
        jobs.collect::<Result<_, Undecodable>>().at(self.on)
    }
}

impl JobOutbox<'_, Writer> {
    /// Leaves a job for the queue.
    ///
    /// # Errors
    /// [`StorageError::TooLarge`] for a payload of more than [`PAYLOAD_BYTES_MAX`] bytes.
    pub async fn push(&self, job: &NewJob) -> Result<(), StorageError> {
        if job.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(StorageError::TooLarge { bytes: job.payload.len(), bytes_max: PAYLOAD_BYTES_MAX });
        }
        let row = table::Model { id: job.id.uuid(), body: body(job) };
        let insert = table::Entity::insert(row.into_active_model());
        insert.exec_without_returning(self.on.connection()).await.at(self.on)?;
        Ok(())
    }

    /// Removes jobs that stand in the queue.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn remove(&self, ids: &[JobId]) -> Result<(), StorageError> {
        let ids: Vec<Uuid> = padded(ids.iter().map(|id| id.uuid()));
        if ids.is_empty() {
            return Ok(());
        }
        let taken = table::Entity::delete_many().filter(table::Column::Id.is_in(ids));
        taken.exec(self.on.connection()).await.at(self.on)?;
        Ok(())
    }
}
