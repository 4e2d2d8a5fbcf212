//! The pools that are measured beside ours, over the same driver's connections.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use sqlx::{ConnectOptions, Connection, Database, PgConnection, Pool, SqliteConnection, pool::PoolOptions};
use tokio::task::JoinSet;
use warren_storage::PoolProbe;

/// A pool of whatever make.
pub trait Contender: Clone + Send + Sync + 'static {
    /// A connection in somebody's hands; dropping it gives it back.
    type Held: Send + 'static;
    /// Takes a connection.
    fn take(&self) -> impl Future<Output = anyhow::Result<Self::Held>> + Send;
    /// Runs `sql` on it.
    fn run(held: &mut Self::Held, sql: &'static str) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Takes a connection and gives it back.
    fn pass(&self) -> impl Future<Output = anyhow::Result<()>> + Send {
        async {
            drop(self.take().await?);
            Ok(())
        }
    }

    /// Runs `sql` on a connection, and tells how long it took to get that.
    fn ask(&self, sql: &'static str) -> impl Future<Output = anyhow::Result<Duration>> + Send {
        async move {
            let asked = Instant::now();
            let mut held = self.take().await?;
            let waited = asked.elapsed();
            Self::run(&mut held, sql).await?;
            Ok(waited)
        }
    }

    /// Holds `connections` at once, so that so many are idle afterwards, on each of which `sql` was run.
    fn warm(&self, connections: usize, sql: &'static str) -> impl Future<Output = anyhow::Result<()>> + Send {
        async move {
            let mut taking = JoinSet::new();
            for _ in 0..connections {
                let pool = self.clone();
                taking.spawn(async move { pool.take().await });
            }
            let mut all = Vec::with_capacity(connections);
            while let Some(held) = taking.join_next().await {
                let mut held = held.context("a task panicked")??;
                Self::run(&mut held, sql).await?;
                all.push(held);
            }
            Ok(())
        }
    }
}

/// Ours gives no connection out of storage, and so does all this itself.
impl Contender for PoolProbe {
    type Held = ();
    async fn take(&self) -> anyhow::Result<()> {
        Ok(Self::pass(self).await?)
    }
    async fn run((): &mut (), _: &'static str) -> anyhow::Result<()> {
        Err(anyhow!("nothing is held outside of storage"))
    }
    async fn pass(&self) -> anyhow::Result<()> {
        Ok(Self::pass(self).await?)
    }
    async fn ask(&self, sql: &'static str) -> anyhow::Result<Duration> {
        Ok(Self::ask(self, sql).await?)
    }
    async fn warm(&self, connections: usize, sql: &'static str) -> anyhow::Result<()> {
        Ok(Self::warm(self, connections, sql).await?)
    }
}

/// Whether sqlx's pool asks each connection whether it is alive before it gives it out. It does so unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tested {
    Before,
    Never,
}

/// What opens connections for pools that know nothing of databases.
#[derive(Debug)]
pub struct Opener<C: Connection>(C::Options);

/// sqlx's own pool.
pub fn of_sqlx<D: Database>(
    options: <D::Connection as Connection>::Options,
    connections_max: u32,
    tested: Tested,
) -> Pool<D> {
    PoolOptions::new()
        .max_connections(connections_max)
        .test_before_acquire(tested == Tested::Before)
        .connect_lazy_with(options)
}

/// deadpool's, which does nothing to a connection that comes back.
///
/// # Errors
/// When it refuses its settings.
pub fn of_deadpool<C: Connection + 'static>(
    options: C::Options,
    connections_max: u32,
) -> anyhow::Result<deadpool::managed::Pool<Opener<C>>> {
    Ok(deadpool::managed::Pool::builder(Opener(options)).max_size(connections_max as usize).build()?)
}

/// bb8's, without its test of each connection.
pub fn of_bb8<C: Connection + 'static>(options: C::Options, connections_max: u32) -> bb8::Pool<Opener<C>> {
    bb8::Pool::builder().max_size(connections_max).test_on_check_out(false).build_unchecked(Opener(options))
}

impl<C: Connection + 'static> deadpool::managed::Manager for Opener<C> {
    type Type = C;
    type Error = sqlx::Error;
    async fn create(&self) -> Result<C, sqlx::Error> {
        self.0.connect().await
    }
    async fn recycle(
        &self,
        _: &mut C,
        _: &deadpool::managed::Metrics,
    ) -> deadpool::managed::RecycleResult<sqlx::Error> {
        Ok(())
    }
}

impl<C: Connection + 'static> bb8::ManageConnection for Opener<C> {
    type Connection = C;
    type Error = sqlx::Error;
    async fn connect(&self) -> Result<C, sqlx::Error> {
        self.0.connect().await
    }
    async fn is_valid(&self, connection: &mut C) -> Result<(), sqlx::Error> {
        connection.ping().await
    }
    fn has_broken(&self, _: &mut C) -> bool {
        false
    }
}

/// A connection that answers a statement, prepared the first time.
pub trait Asks: Connection {
    fn ask(&mut self, sql: &'static str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

macro_rules! asks {
    ($($connection:ty),+) => {
        $(impl Asks for $connection {
            async fn ask(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
                sqlx::query(sql).fetch_optional(self).await.map(drop)
            }
        })+
    };
}
asks!(PgConnection, SqliteConnection);

impl<D: Database> Contender for Pool<D>
where
    D::Connection: Asks,
{
    type Held = sqlx::pool::PoolConnection<D>;
    async fn take(&self) -> anyhow::Result<Self::Held> {
        Ok(self.acquire().await?)
    }
    async fn run(held: &mut Self::Held, sql: &'static str) -> anyhow::Result<()> {
        Ok(Asks::ask(&mut **held, sql).await?)
    }
}

impl<C: Asks + 'static> Contender for deadpool::managed::Pool<Opener<C>> {
    type Held = deadpool::managed::Object<Opener<C>>;
    async fn take(&self) -> anyhow::Result<Self::Held> {
        self.get().await.map_err(|error| anyhow!("deadpool: {error}"))
    }
    async fn run(held: &mut Self::Held, sql: &'static str) -> anyhow::Result<()> {
        Ok(Asks::ask(&mut **held, sql).await?)
    }
}

impl<C: Asks + 'static> Contender for bb8::Pool<Opener<C>> {
    type Held = bb8::PooledConnection<'static, Opener<C>>;
    async fn take(&self) -> anyhow::Result<Self::Held> {
        Ok(self.get_owned().await?)
    }
    async fn run(held: &mut Self::Held, sql: &'static str) -> anyhow::Result<()> {
        Ok(Asks::ask(&mut **held, sql).await?)
    }
    async fn pass(&self) -> anyhow::Result<()> {
        drop(self.get().await?);
        Ok(())
    }
}
