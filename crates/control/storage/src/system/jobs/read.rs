//! Looking at the queue: pages of jobs, and how much waits in each.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use warren_model::{
    JobId, JobState, OrganisationId, Queue, Timestamp,
    page::{Page, PageRequest},
};
use warren_schema::system::job as table;

use super::{Jobs, StoredJob, decode, lane};
use crate::{
    Source, StorageError,
    source::At,
    stored::{Undecodable, moment},
};

/// Which jobs are asked for. The default is all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub organisation: Option<OrganisationId>,
    pub queue: Option<Queue>,
    pub state: Option<JobState>,
}

/// How many jobs of a queue are in a state, and since when the oldest of those that may begin waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDepth {
    pub queue: Queue,
    pub waiting: u64,
    pub ready: u64,
    pub running: u64,
    pub dead: u64,
    /// When the oldest that is ready was due.
    pub oldest_ready: Option<Timestamp>,
}

impl<C: Source> Jobs<'_, C> {
    /// The job.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn by_id(&self, id: JobId) -> Result<Option<StoredJob>, StorageError> {
        let row = table::Entity::find_by_id(id.uuid()).one(self.on.connection()).await.at(self.on)?;
        row.map(decode).transpose().at(self.on)
    }

    /// A page of jobs, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(&self, filter: &JobFilter, request: &PageRequest) -> Result<Page<StoredJob>, StorageError> {
        let mut query = table::Entity::find();
        if let Some(organisation) = filter.organisation {
            query = query.filter(table::Column::Lane.eq(lane(Some(organisation))));
        }
        if let Some(queue) = filter.queue {
            query = query.filter(table::Column::Queue.eq(queue.as_str()));
        }
        if let Some(state) = filter.state {
            query = query.filter(table::Column::State.eq(state.as_str()));
        }
        if let Some(after) = request.after() {
            query = query.filter(table::Column::Id.lt(after));
        }
        let newest_first = query.order_by_desc(table::Column::Id).limit(u64::from(request.limit()) + 1);
        let rows = newest_first.all(self.on.connection()).await.at(self.on)?;
        let jobs = rows.into_iter().map(decode).collect::<Result<Vec<_>, Undecodable>>().at(self.on)?;
        Ok(Page::from_rows(request, jobs, |job| job.id.uuid()))
    }

    /// How much is in each queue.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn depths(&self) -> Result<Vec<QueueDepth>, StorageError> {
        let mut depths = Vec::with_capacity(Queue::ALL.len());
        for queue in Queue::ALL {
            let mut depth = QueueDepth { queue: *queue, waiting: 0, ready: 0, running: 0, dead: 0, oldest_ready: None };
            for (state, count) in [
                (JobState::Waiting, &mut depth.waiting),
                (JobState::Ready, &mut depth.ready),
                (JobState::Running, &mut depth.running),
                (JobState::Dead, &mut depth.dead),
            ] {
                *count = self.count(*queue, state).await?;
            }
            if depth.ready > 0 {
                depth.oldest_ready = self.oldest_ready(*queue).await?;
            }
            depths.push(depth);
        }
        Ok(depths)
    }

    async fn count(&self, queue: Queue, state: JobState) -> Result<u64, StorageError> {
        let count: Option<i64> = table::Entity::find()
            .select_only()
            .expr(table::Column::Id.count())
            .filter(table::Column::State.eq(state.as_str()))
            .filter(table::Column::Queue.eq(queue.as_str()))
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    async fn oldest_ready(&self, queue: Queue) -> Result<Option<Timestamp>, StorageError> {
        let oldest: Option<Option<i64>> = table::Entity::find()
            .select_only()
            .expr(table::Column::RunAt.min())
            .filter(table::Column::State.eq(JobState::Ready.as_str()))
            .filter(table::Column::Queue.eq(queue.as_str()))
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        oldest.flatten().map(|at| moment(at, "run_at")).transpose().at(self.on)
    }

    /// When the next of those that are not due yet will be.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StorageError> {
        self.first_due(JobState::Waiting).await
    }

    /// When the one was due that has been ready for longest, in whichever queue.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn longest_ready(&self) -> Result<Option<Timestamp>, StorageError> {
        self.first_due(JobState::Ready).await
    }

    async fn first_due(&self, state: JobState) -> Result<Option<Timestamp>, StorageError> {
        let first: Option<i64> = table::Entity::find()
            .select_only()
            .column(table::Column::RunAt)
            .filter(table::Column::State.eq(state.as_str()))
            .order_by_asc(table::Column::RunAt)
            .limit(1)
            .into_tuple()
            .one(self.on.connection())
            .await
            .at(self.on)?;
        first.map(|at| moment(at, "run_at")).transpose().at(self.on)
    }
}
