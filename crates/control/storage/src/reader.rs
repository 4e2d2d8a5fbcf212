//! Statements that stand alone and only read: each takes a connection and gives it back at once.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::{
    Place, StorageError, WorkContext,
    database::Pools,
    engine::{Answer, Fault},
    error::through,
    source::sealed,
};

/// Reads one database for one piece of work.
#[derive(Debug, Clone)]
pub struct Reader {
    pools: Arc<Pools>,
    work: WorkContext,
    staleness: Staleness,
}

/// How old what is read may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Staleness {
    /// What was committed last.
    #[default]
    Current,
    /// At most as old as the bound on the lag of replicas. What this piece of work's author wrote is seen all the same, and
    /// so is what was read in this way before.
    Bounded,
}

/// How often a statement is sent again because the connection it was sent on had died while it was idle.
const DEAD_CONNECTIONS_MAX: u32 = 3;

impl Reader {
    pub(crate) const fn new(pools: Arc<Pools>, work: WorkContext) -> Self {
        Self { pools, work, staleness: Staleness::Current }
    }

    pub(crate) fn with(&self, work: WorkContext) -> Self {
        Self { work, ..self.clone() }
    }

    pub(crate) fn allowing(&self, staleness: Staleness) -> Self {
        Self { staleness, ..self.clone() }
    }

    pub(crate) const fn work(&self) -> &WorkContext {
        &self.work
    }

    /// Runs `statement` on a replica where that is allowed and works, and otherwise on the primary.
    async fn read<A: Answer>(&self, statement: Statement) -> Result<A, DbErr> {
        let Some(replicas) = self.pools.replicas().filter(|_| self.staleness == Staleness::Bounded) else {
            return self.read_current(statement).await;
        };
        if let Some(answer) = replicas.read(&self.work, &statement).await {
            return Ok(answer);
        }
        let answer = self.read_current(statement).await;
        // What comes from a replica next must not be older than this.
        replicas.saw_the_primary(&self.work);
        answer
    }

    /// Runs `statement` on a connection of its own. Reading twice does no harm, so a connection that turns out to be dead is
    /// exchanged for another.
    async fn read_current<A: Answer>(&self, statement: Statement) -> Result<A, DbErr> {
        let mut tries = 0;
        loop {
            let pool = self.pools.for_reading();
            let mut lease = pool.acquire(&self.work, None).await.map_err(StorageError::carried)?;
            match lease.ask(statement.clone(), self.pools.observer()).await {
                Err(error) if tries < DEAD_CONNECTIONS_MAX && Fault::of(&error) == Fault::Disconnected => tries += 1,
                outcome => return outcome.map_err(through),
            }
        }
    }
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.pools.engine().backend()
    }
    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.read(statement).await
    }
    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }
    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.read(statement).await
    }
    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.read(statement).await
    }
}

impl sealed::Source for Reader {
    type Connection = Self;
    fn connection(&self) -> &Self {
        self
    }
    fn place(&self) -> &Place {
        self.pools.place()
    }
}
