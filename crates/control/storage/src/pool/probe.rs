//! A pool by itself, so that the benchmarks can time it beside others.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::Statement;

use super::{Bounds, Budget, Counts, Pool, PoolTally};
use crate::{
    Config, DatabaseUrl, StorageError, WorkContext,
    engine::{Role, Site, Target},
    statements::{Observer, Statements},
};

/// A pool with no model and no transaction around it, for the project's benchmarks alone: programs reach data through
/// [`crate::Databases`].
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct PoolProbe {
    pool: Pool,
    observer: Observer,
}

impl PoolProbe {
    /// Connections to the SQLite database in `file`, which must be there.
    pub fn of_file(file: &Path, connections_max: u32) -> Self {
        let config = Config::new(file.to_owned());
        Self::new(&config, Target::File(file.to_owned()), config.reading(connections_max), None)
    }

    /// Connections to the database that `url` names.
    pub fn of_server(url: DatabaseUrl, connections_max: u32) -> Self {
        let config = Config { connections_per_database_max: connections_max, ..Config::on_server(url.clone()) };
        let budget = Budget::new(config.connections_per_server_max, None);
        Self::new(&config, Site::Server(url).system(), config.writing(), Some(budget))
    }

    fn new(config: &Config, target: Target, bounds: Bounds, budget: Option<Arc<Budget>>) -> Self {
        let observer = Observer::new(Statements::new(config.slow_from), &target, None);
        let tally = PoolTally::within(&Arc::<Counts>::default());
        Self { pool: Pool::new(target, Role::Both, bounds, budget, tally), observer }
    }

    /// Takes a connection and gives it back.
    ///
    /// # Errors
    /// Those of getting one.
    pub async fn pass(&self) -> Result<(), StorageError> {
        drop(self.pool.acquire(&WorkContext::BACKGROUND, None).await?);
        Ok(())
    }

    /// Runs `sql` on a connection, and tells how long it took to get that.
    ///
    /// # Errors
    /// Those of getting one, and what the database gives.
    pub async fn ask(&self, sql: &str) -> Result<Duration, StorageError> {
        let asked = Instant::now();
        let mut lease = self.pool.acquire(&WorkContext::BACKGROUND, None).await?;
        let waited = asked.elapsed();
        let statement = Statement::from_string(self.pool.target().engine().backend(), sql);
        let outcome: Result<Vec<_>, _> = lease.ask(statement, &self.observer).await;
        outcome.map_err(|error| StorageError::from_driver(&Arc::new(error), &self.pool.target().place()))?;
        Ok(waited)
    }

    /// Holds `connections` at once, so that so many are idle afterwards, on each of which `sql` was run.
    ///
    /// # Errors
    /// As [`PoolProbe::ask`].
    pub async fn warm(&self, connections: usize, sql: &str) -> Result<(), StorageError> {
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let pool = self.pool.clone();
            asking.spawn(async move { pool.acquire(&WorkContext::BACKGROUND, None).await });
        }
        let mut held = Vec::with_capacity(connections);
        while let Some(Ok(lease)) = asking.join_next().await {
            held.push(lease?);
        }
        let backend = self.pool.target().engine().backend();
        for lease in &mut held {
            let outcome: Result<Vec<_>, _> = lease.ask(Statement::from_string(backend, sql), &self.observer).await;
            outcome.map_err(|error| StorageError::from_driver(&Arc::new(error), &self.pool.target().place()))?;
        }
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
