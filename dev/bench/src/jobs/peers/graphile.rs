//! graphile_worker: Graphile Worker in Rust, on PostgreSQL.

use std::sync::Arc;

use anyhow::Context;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, Worker, WorkerContext, WorkerOptions,
    WorkerUtils,
};
use tokio::task::JoinHandle;
use warren_testkit::servers::DatabaseServer;

use super::postgres;
use crate::jobs::{
    course::{self, AT_ONCE, Contender, Figures, Lengths},
    errand::Errand,
};

const SCHEMA: &str = "graphile_worker";
/// Jobs that it takes into its memory at a time, as in its own benchmarks.
const LOCAL_QUEUE: usize = 100;
/// Jobs that are put into the queue at a time beforehand.
const AT_A_TIME: u64 = 1000;

impl TaskHandler for Errand {
    const IDENTIFIER: &'static str = "errand";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        self.carry_out().await;
        Ok::<(), String>(())
    }
}

struct Graphile {
    pool: sqlx::PgPool,
    utils: WorkerUtils,
    _server: DatabaseServer,
}

struct Crew {
    worker: Arc<Worker>,
    task: JoinHandle<anyhow::Result<()>>,
}

/// Takes it over the course.
///
/// # Errors
/// When the server does not start, or the queue refuses or is stuck.
pub async fn measure(lengths: Lengths) -> anyhow::Result<Figures> {
    let (server, pool) = postgres::fresh().await?;
    let utils = WorkerUtils::new(pool.clone(), SCHEMA);
    utils.migrate().await?;
    let spec = RawJobSpec {
        identifier: <Errand as TaskHandler>::IDENTIFIER.to_owned(),
        payload: serde_json::to_value(Errand::of_many(0))?,
        spec: JobSpec::default(),
    };
    let mut left = lengths.jobs;
    while left > 0 {
        let some = left.min(AT_A_TIME);
        utils.add_raw_jobs(&vec![spec.clone(); usize::try_from(some)?]).await?;
        left -= some;
    }
    course::run(Graphile { pool, utils, _server: server }, lengths).await
}

impl Contender for Graphile {
    type Crew = Crew;

    async fn ask(&self, errand: Errand) -> anyhow::Result<()> {
        self.utils.add_job(errand, JobSpec::default()).await?;
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<Crew> {
        let options = WorkerOptions::default()
            .pg_pool(self.pool.clone())
            .schema(SCHEMA)
            .concurrency(AT_ONCE)
            .listen_os_shutdown_signals(false)
            .local_queue(LocalQueueConfig::default().with_size(LOCAL_QUEUE))
            .define_job::<Errand>();
        let worker = Arc::new(options.init().await?);
        let works = Arc::clone(&worker);
        let task = tokio::spawn(async move { works.run().await.context("graphile_worker ended") });
        Ok(Crew { worker, task })
    }

    async fn stop(&self, crew: Crew) -> anyhow::Result<()> {
        crew.worker.request_shutdown();
        crew.task.await?
    }
}
