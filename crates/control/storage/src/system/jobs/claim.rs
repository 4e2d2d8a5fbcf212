//! Taking jobs to work on: the most urgent first, and lanes in turn, so that who asks for much waits for it alone.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType},
};
use uuid::Uuid;
use warren_model::{JobPriority, JobState, Queue, Timestamp, WorkerId};
use warren_schema::system::{job as table, job_queue as queue_table};

use super::{Jobs, StoredJob, decode, rank, workers::QueueStanding};
use crate::{
    StorageError, Writer,
    source::{At, sealed::Source as _},
    stored::{Undecodable, micros, padded},
};

/// What a worker has room for.
#[derive(Debug, Clone)]
pub struct JobClaim {
    pub worker: WorkerId,
    pub now: Timestamp,
    pub queues: Vec<QueueClaim>,
    /// The order in which priorities are served. The usual one begins with the most urgent; one that now and then begins with
    /// the least keeps that from waiting for ever.
    pub order: [JobPriority; 3],
}

/// What a worker has room for in one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueClaim {
    pub queue: Queue,
    /// Jobs that it can begin now.
    pub places: usize,
    /// Jobs of one lane that may run at once, on all workers together.
    pub lane_max: usize,
}

/// Where the turn is: the lane of each queue that was served last.
#[derive(Debug, Clone, Default)]
pub struct Cursor(HashMap<(Queue, JobPriority), Uuid>);

/// How many run in each lane.
type Running = HashMap<(String, Uuid), usize>;

impl Jobs<'_, Writer> {
    /// Makes jobs ready that are due by `now`, and returns how many.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn promote(&self, now: Timestamp) -> Result<u64, StorageError> {
        let due = table::Entity::update_many()
            .set(table::ActiveModel { state: Set(JobState::Ready.to_string()), ..table::ActiveModel::default() })
            .filter(table::Column::State.eq(JobState::Waiting.as_str()))
            .filter(table::Column::RunAt.lte(micros(now)));
        Ok(due.exec(self.on.connection()).await.at(self.on)?.rows_affected)
    }

    /// Takes as many jobs as there is room for, in a transaction that reads what is committed (see
    /// [`crate::Isolation::ReadCommitted`]). Jobs that another worker is taking at the moment are passed over.
    /// They are returned as they were claimed: `attempts` counts this one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn claim(&self, claim: &JobClaim, cursor: &mut Cursor) -> Result<Vec<StoredJob>, StorageError> {
        let mut running = self.running().await?;
        let paused = self.paused().await?;
        let mut rows = Vec::new();
        for of in claim.queues.iter().filter(|of| of.places > 0 && !paused.contains(&of.queue)) {
            let mut left = of.places;
            for priority in claim.order {
                let taken = self.of_priority(*of, left, priority, &mut running, cursor).await?;
                left -= taken.len();
                rows.extend(taken);
                if left == 0 {
                    break;
                }
            }
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let change = table::Entity::update_many()
            .set(table::ActiveModel {
                state: Set(JobState::Running.to_string()),
                worker_id: Set(Some(claim.worker.uuid())),
                started_at: Set(Some(micros(claim.now))),
                ..table::ActiveModel::default()
            })
            .col_expr(table::Column::Attempts, Expr::col(table::Column::Attempts).add(1))
            .filter(table::Column::Id.is_in(padded(rows.iter().map(|row| row.id))));
        change.exec(self.on.connection()).await.at(self.on)?;
        let claimed = |row: table::Model| {
            let mut job = decode(row)?;
            (job.state, job.worker, job.started_at) = (JobState::Running, Some(claim.worker), Some(claim.now));
            job.attempts += 1;
            Ok(job)
        };
        rows.into_iter().map(claimed).collect::<Result<_, Undecodable>>().at(self.on)
    }

    /// How many run in each lane. As many rows as there are places in all, at most.
    async fn running(&self) -> Result<Running, StorageError> {
        let rows: Vec<(String, Uuid)> = table::Entity::find()
            .select_only()
            .columns([table::Column::Queue, table::Column::Lane])
            .filter(table::Column::State.eq(JobState::Running.as_str()))
            .into_tuple()
            .all(self.on.connection())
            .await
            .at(self.on)?;
        let mut running = Running::new();
        for lane in rows {
            *running.entry(lane).or_default() += 1;
        }
        Ok(running)
    }

    async fn paused(&self) -> Result<Vec<Queue>, StorageError> {
        let rows = queue_table::Entity::find().all(self.on.connection()).await.at(self.on)?;
        let paused = rows.into_iter().filter(|row| row.standing == QueueStanding::Paused.as_str());
        Ok(paused.filter_map(|row| Queue::from_text(&row.queue)).collect())
    }

    /// At most `places` jobs of one priority: an equal part of them from each of the next lanes, until no lane has more.
    async fn of_priority(
        &self,
        of: QueueClaim,
        places: usize,
        priority: JobPriority,
        running: &mut Running,
        cursor: &mut Cursor,
    ) -> Result<Vec<table::Model>, StorageError> {
        let last = cursor.0.get(&(of.queue, priority)).copied().unwrap_or_default();
        let mut lanes = self.lanes(of.queue, priority, last, places).await?;
        let room = |lane: &Uuid, running: &Running| {
            of.lane_max.saturating_sub(running.get(&(of.queue.to_string(), *lane)).copied().unwrap_or(0))
        };
        lanes.retain(|lane| room(lane, running) > 0);
        let (mut taken, mut left) = (Vec::new(), places);
        for (index, lane) in lanes.iter().enumerate() {
            let part = left.div_ceil(lanes.len() - index).min(room(lane, running));
            let rows = self.of_lane(of.queue, priority, *lane, part).await?;
            *running.entry((of.queue.to_string(), *lane)).or_default() += rows.len();
            left -= rows.len();
            taken.extend(rows);
            cursor.0.insert((of.queue, priority), *lane);
        }
        Ok(taken)
    }

    /// The next lanes with something ready, at most `limit`, in a round that goes on after `last`.
    async fn lanes(
        &self,
        queue: Queue,
        priority: JobPriority,
        last: Uuid,
        limit: usize,
    ) -> Result<Vec<Uuid>, StorageError> {
        let mut lanes: Vec<Uuid> = Vec::new();
        let mut after = Some(last);
        let mut wrapped = false;
        while lanes.len() < limit {
            match self.next_lane(queue, priority, after).await? {
                Some(lane) if wrapped && (lane > last || lanes.first() == Some(&lane)) => break,
                Some(lane) => {
                    lanes.push(lane);
                    after = Some(lane);
                }
                None if wrapped => break,
                None => (wrapped, after) = (true, None),
            }
        }
        Ok(lanes)
    }

    async fn next_lane(
        &self,
        queue: Queue,
        priority: JobPriority,
        after: Option<Uuid>,
    ) -> Result<Option<Uuid>, StorageError> {
        let mut query = table::Entity::find()
            .select_only()
            .column(table::Column::Lane)
            .filter(table::Column::State.eq(JobState::Ready.as_str()))
            .filter(table::Column::Queue.eq(queue.as_str()))
            .filter(table::Column::Priority.eq(rank(priority)));
        if let Some(after) = after {
            query = query.filter(table::Column::Lane.gt(after));
        }
        let first = query.order_by_asc(table::Column::Lane).limit(1);
        first.into_tuple().one(self.on.connection()).await.at(self.on)
    }

    async fn of_lane(
        &self,
        queue: Queue,
        priority: JobPriority,
        lane: Uuid,
        limit: usize,
    ) -> Result<Vec<table::Model>, StorageError> {
        table::Entity::find()
            .filter(table::Column::State.eq(JobState::Ready.as_str()))
            .filter(table::Column::Queue.eq(queue.as_str()))
            .filter(table::Column::Priority.eq(rank(priority)))
            .filter(table::Column::Lane.eq(lane))
            .order_by_asc(table::Column::RunAt)
            .order_by_asc(table::Column::Id)
            .limit(limit as u64)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(self.on.connection())
            .await
            .at(self.on)
    }
}
