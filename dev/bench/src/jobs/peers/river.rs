//! riverqueue: River's client in Rust, on PostgreSQL.

use std::time::Duration;

use riverqueue::{
    BoxError, Client, Job, QueueConfig, RunHandle, WorkContext, WorkOutcome, Workers, migrate::PostgresMigrator,
};
use warren_testkit::servers::DatabaseServer;

use super::postgres;
use crate::jobs::{
    course::{self, AT_ONCE, Contender, Figures, Lengths},
    errand::Errand,
};

/// The least that it allows; its default of 100 ms would bound what is drained to 320 jobs a second.
const COOLDOWN: Duration = Duration::from_millis(1);
/// Jobs that are put into the queue at a time beforehand.
const AT_A_TIME: u64 = 1000;

struct River {
    client: Client,
    _server: DatabaseServer,
}

/// Takes it over the course.
///
/// # Errors
/// When the server does not start, or the queue refuses or is stuck.
pub async fn measure(lengths: Lengths) -> anyhow::Result<Figures> {
    let (server, pool) = postgres::fresh().await?;
    PostgresMigrator::new(pool.clone()).migrate_up().await?;
    let mut workers = Workers::new();
    workers.add_fn(carry_out)?;
    let client = Client::builder(pool).workers(workers).fetch_cooldown(COOLDOWN);
    let client = client.queue("default", QueueConfig::new(AT_ONCE)).build()?;
    let mut left = lengths.jobs;
    while left > 0 {
        let some = left.min(AT_A_TIME);
        client.insert_many((0..some).map(|_| Errand::of_many(0))).await?;
        left -= some;
    }
    course::run(River { client, _server: server }, lengths).await
}

async fn carry_out(_: WorkContext, job: Job<Errand>) -> Result<WorkOutcome, BoxError> {
    job.args.carry_out().await;
    Ok(WorkOutcome::Complete)
}

impl Contender for River {
    type Crew = RunHandle;

    async fn ask(&self, errand: Errand) -> anyhow::Result<()> {
        self.client.insert(errand).await?;
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<RunHandle> {
        Ok(self.client.start()?)
    }

    async fn stop(&self, mut crew: RunHandle) -> anyhow::Result<()> {
        Ok(crew.stop().await?)
    }
}
