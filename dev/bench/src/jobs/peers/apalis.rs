//! apalis with apalis-sqlite, as durable as Warren's SQLite.

use std::time::Duration;

use anyhow::{anyhow, ensure};
use apalis::prelude::{BackendExt, BoxDynError, Strategy, TaskBuilder, WorkerBuilder, WorkerBuilderExt};
use apalis_sqlite::{
    Config, SqlitePool, SqliteStorage, SqliteTask, callback::HookCallbackListener, queries::push_tasks,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::jobs::{
    course::{self, AT_ONCE, Contender, Figures, Lengths},
    errand::Errand,
};

const QUEUE: &str = "errands";
/// Jobs that it takes at a time; its default is 10.
const BATCH: usize = 100;
/// What `PRAGMA synchronous` answers for `FULL`.
const FULL: i64 = 2;
/// Jobs that are put into the queue in one transaction beforehand.
const AT_A_TIME: u64 = 1000;

struct Apalis {
    pool: SqlitePool,
    listener: HookCallbackListener,
    _folder: TempDir,
}

/// Takes it over the course.
///
/// # Errors
/// When the queue refuses or is stuck.
pub async fn measure(lengths: Lengths) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("apalis.sqlite").display());
    // Its setup switches the write-ahead log on, which stays, and `synchronous` off, which is of the connection.
    let once = SqlitePool::connect(&url).await?;
    SqliteStorage::setup(&once).await?;
    once.close().await;
    let (pool, listener) = SqliteStorage::connect_with_callback(&url)?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&pool).await?;
    ensure!(synchronous == FULL, "apalis-sqlite does not write as durably as Warren");
    let mut left = lengths.jobs;
    while left > 0 {
        let some: Vec<_> = (0..left.min(AT_A_TIME)).map(|_| task(&Errand::of_many(0))).collect::<Result<_, _>>()?;
        let mut transaction = pool.begin().await?;
        push_tasks(&mut *transaction, QUEUE, &some).await?;
        transaction.commit().await?;
        left -= some.len() as u64;
    }
    course::run(Apalis { pool, listener, _folder: folder }, lengths).await
}

fn task(errand: &Errand) -> serde_json::Result<SqliteTask> {
    Ok(TaskBuilder::new(serde_json::to_vec(errand)?).build())
}

async fn carry_out(errand: Errand) -> Result<(), BoxDynError> {
    errand.carry_out().await;
    Ok(())
}

impl Contender for Apalis {
    type Crew = JoinHandle<()>;

    async fn ask(&self, errand: Errand) -> anyhow::Result<()> {
        let mut connection = self.pool.acquire().await?;
        push_tasks(&mut *connection, QUEUE, &[task(&errand)?]).await?;
        Ok(())
    }

    async fn start(&self) -> anyhow::Result<JoinHandle<()>> {
        let strategy = Strategy::new().stream(self.listener.clone()).interval(Duration::from_millis(500));
        let backend = SqliteStorage::<Errand>::new(&self.pool)
            .with_config(Config::default().queue(QUEUE).batch_size(BATCH))
            .poll_with_strategy(strategy);
        let worker = WorkerBuilder::new("bench")
            .backend(backend)
            .concurrency(AT_ONCE)
            .parallelize(tokio::spawn)
            .build(carry_out);
        Ok(tokio::spawn(async move {
            if let Err(error) = worker.run().await {
                crate::page::progress(&anyhow!("apalis ended: {error}").to_string());
            }
        }))
    }

    async fn stop(&self, crew: JoinHandle<()>) -> anyhow::Result<()> {
        crew.abort();
        Ok(())
    }
}
