//! One opened database: its pools, brought to the schema of this build.

use std::sync::Arc;

use warren_model::Clock;
use warren_schema::migrations::Migration;

use crate::{
    Place, StorageError, WorkContext,
    engine::{Connection, Engine, Role, Target, folder, server},
    migration,
    models::{self, Model},
    moving,
    pool::{Bounds, Budget, Counts, Lease, Pool, PoolTally},
    replica::{DatabaseReplicas, Replicas},
    statements::{Observer, Statements},
    transaction::{TransactionManager, TransactionTally},
};

/// The names of both kinds of database.
pub(crate) const SYSTEM: &str = "system";
pub(crate) const TENANT: &str = "tenant";

/// What all databases of one kind have in common.
#[derive(Debug)]
pub(crate) struct Kind {
    /// `system` or `tenant`.
    pub name: &'static str,
    pub migrations: &'static [Migration],
    pub models: &'static [Model],
    pub writing: Bounds,
    pub reading: Bounds,
    pub reading_from_replicas: Bounds,
    /// The servers that follow the one with the databases.
    pub replicas: Option<Arc<Replicas>>,
    /// The connections that the server may have in all; none on SQLite.
    pub budget: Option<Arc<Budget>>,
    pub clock: Arc<dyn Clock>,
    pub manager: Arc<TransactionManager>,
    pub statements: Arc<Statements>,
    pub transactions: TransactionTally,
    pub written: Arc<Counts>,
    pub read: Arc<Counts>,
}

/// The pools of one database, and what is noted about it.
#[derive(Debug)]
pub(crate) struct Pools {
    kind: Arc<Kind>,
    place: Place,
    writing: Pool,
    /// On a server the same as the one for writing.
    reading: Pool,
    replicas: Option<DatabaseReplicas>,
    observer: Observer,
}

/// An opened database.
#[derive(Debug)]
pub(crate) struct Database {
    pub pools: Arc<Pools>,
    /// The migrations that opening it applied.
    pub applied: Vec<&'static str>,
}

impl Database {
    /// Opens the database at `target`, which must be there; checks it when it was not closed in order, and brings it to the
    /// schema of this build.
    ///
    /// # Errors
    /// Whatever keeps it from being used; [`StorageError::NotFound`] when a server has no such database.
    pub async fn open(target: Target, kind: &Arc<Kind>) -> Result<Self, StorageError> {
        let pools = Pools::new(target, kind);
        match pools.prepare().await {
            Ok(applied) => Ok(Self { pools: Arc::new(pools), applied }),
            Err(error) => {
                pools.close().await;
                Err(error)
            }
        }
    }
}

impl Pools {
    fn new(target: Target, kind: &Arc<Kind>) -> Self {
        let (place, engine) = (target.place(), target.engine());
        let (write, read) = if engine.writes_alone() { (Role::Writer, Role::Reader) } else { (Role::Both, Role::Both) };
        let pool = |role, bounds, counts| {
            Pool::new(target.clone(), role, bounds, kind.budget.clone(), PoolTally::within(counts))
        };
        let writing = pool(write, kind.writing, &kind.written);
        let reading = if engine.writes_alone() { pool(read, kind.reading, &kind.read) } else { writing.clone() };
        let observer = Observer::new(Arc::clone(&kind.statements), &target, kind.budget.clone());
        let replicas = kind.replicas.as_ref().map(|replicas| {
            DatabaseReplicas::new(&target, replicas, kind.reading_from_replicas, &kind.read, &kind.statements)
        });
        Self { kind: Arc::clone(kind), place, writing, reading, replicas, observer }
    }

    async fn prepare(&self) -> Result<Vec<&'static str>, StorageError> {
        let target = self.writing.target();
        let closed_in_order = was_closed_in_order(target);
        let mut lease: Lease = self.writing.acquire(&WorkContext::BACKGROUND, None).await?;
        let connection = lease.lend()?;
        if self.kind.is_system() {
            server::check_version(connection, target).await?;
            // Before its schema is looked for: one that has not all arrived has none yet.
            moving::refuse_marked(connection, &self.place).await?;
        }
        check_before_use(connection, target, closed_in_order).await?;
        let applied =
            migration::bring_up(connection, self.kind.migrations, &self.place, self.kind.clock.as_ref()).await?;
        if !applied.is_empty() {
            tracing::info!(database = %self.place, migrations = ?applied, "brought to the schema of this version");
        }
        models::check(connection, self.kind.models, &self.place).await?;
        lease.returned();
        Ok(applied)
    }

    pub fn engine(&self) -> Engine {
        self.writing.target().engine()
    }
    pub const fn place(&self) -> &Place {
        &self.place
    }
    pub const fn observer(&self) -> &Observer {
        &self.observer
    }
    pub fn clock(&self) -> &dyn Clock {
        self.kind.clock.as_ref()
    }
    pub fn transactions(&self) -> &TransactionTally {
        &self.kind.transactions
    }
    pub fn manager(&self) -> &TransactionManager {
        &self.kind.manager
    }
    pub const fn for_writing(&self) -> &Pool {
        &self.writing
    }
    pub const fn for_snapshots(&self) -> &Pool {
        &self.reading
    }
    /// Where a statement that only reads goes.
    pub const fn for_reading(&self) -> &Pool {
        &self.reading
    }
    /// Where a statement may go whose answer may be a little old.
    pub const fn replicas(&self) -> Option<&DatabaseReplicas> {
        self.replicas.as_ref()
    }
    /// Notes that `work` wrote, so that what its author reads next is not older.
    pub fn wrote(&self, work: &WorkContext) {
        if let Some(replicas) = &self.replicas {
            replicas.saw_the_primary(work);
        }
    }

    /// Each pool once, with what it is for.
    pub fn each(&self) -> Vec<(&'static str, &Pool)> {
        if self.engine().writes_alone() {
            return vec![(Role::Writer.as_str(), &self.writing), (Role::Reader.as_str(), &self.reading)];
        }
        let replicas = self.replicas.iter().flat_map(DatabaseReplicas::pools);
        let replicas = replicas.map(|pool| (Role::Replica.as_str(), pool));
        std::iter::once((Role::Both.as_str(), &self.writing)).chain(replicas).collect()
    }

    /// Waits for the statements and transactions under way and closes everything; SQLite's write-ahead log is emptied into the
    /// file.
    pub async fn close(&self) {
        self.observer.sampler().stop().await;
        if self.engine().writes_alone() {
            self.reading.close().await;
        }
        if let Some(replicas) = &self.replicas {
            replicas.close().await;
        }
        for mut connection in self.writing.drain().await {
            if self.engine() == Engine::Sqlite
                && let Err(error) = connection.run("PRAGMA wal_checkpoint(TRUNCATE)").await
            {
                tracing::debug!(%error, "the write-ahead log stays; the next start reads it");
            }
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, database = %self.place, "a connection did not close in order");
            }
        }
    }
}

impl Kind {
    /// Whether it is the system database, with which a server's version is looked at.
    fn is_system(&self) -> bool {
        self.name == SYSTEM
    }
}

/// Creates the database at `target` with its whole schema. On SQLite it is made under another name, synchronised and then
/// renamed, so that a crash leaves either nothing or all of it; on a server an empty one is made first, and one that is left
/// empty is filled by the next try.
pub(crate) async fn create(target: &Target, kind: &Kind) -> Result<(), StorageError> {
    let Target::File(file) = target else {
        target.make_on_server().await?;
        return fill(target, Role::Both, kind, &target.place()).await;
    };
    let unfinished = folder::begin(file)?;
    fill(&Target::File(unfinished.clone()), Role::Maker, kind, &Place::file(file)).await?;
    folder::publish(&unfinished, file)
}

/// Whether the database is there and was brought to a schema at some time. A file that is there counts, whatever it holds.
pub(crate) async fn holds_schema(target: &Target) -> Result<bool, StorageError> {
    if !target.exists().await? {
        return Ok(false);
    }
    if let Target::File(_) = target {
        return Ok(true);
    }
    let failed = |error| StorageError::from_driver(&Arc::new(error), &target.place());
    let mut connection = target.connect(Role::Both).await.map_err(failed)?;
    // Said here already, before anybody wonders why the system database is empty and the others are not.
    moving::refuse_marked(&mut connection, &target.place()).await?;
    let found = migration::has_ledger(&mut connection).await;
    let _ = connection.close().await;
    found.map_err(failed)
}

async fn fill(target: &Target, role: Role, kind: &Kind, place: &Place) -> Result<(), StorageError> {
    let failed = |error| StorageError::from_driver(&Arc::new(error), place);
    let mut connection = target.connect(role).await.map_err(failed)?;
    let migrated = migration::bring_up(&mut connection, kind.migrations, place, kind.clock.as_ref()).await;
    // Here it costs nothing; the first to open the file would wait for the disk.
    let journal = if role == Role::Maker { connection.run("PRAGMA journal_mode = WAL").await } else { Ok(()) };
    let closed = connection.close().await;
    migrated?;
    journal.and(closed).map_err(failed)
}

/// Whether nothing was left behind by a process that ended abruptly. To be asked before the database is opened.
pub(crate) fn was_closed_in_order(target: &Target) -> bool {
    match target {
        Target::File(path) => folder::was_closed_in_order(path),
        Target::MariaDb(_) | Target::PostgreSql(_) => true,
    }
}

/// Makes sure that a file holds what it should; servers see to that themselves.
///
/// # Errors
/// [`StorageError::Corrupt`]
pub(crate) async fn check_before_use(
    connection: &mut Connection,
    target: &Target,
    closed_in_order: bool,
) -> Result<(), StorageError> {
    if let Target::File(_) = target {
        if !closed_in_order {
            check_integrity(connection, &target.place()).await?;
        }
        refuse_without_schema(connection, &target.place()).await?;
    }
    Ok(())
}

pub(crate) async fn check_integrity(connection: &mut Connection, place: &Place) -> Result<(), StorageError> {
    let verdict: Option<String> = connection
        .ask_one("PRAGMA quick_check(1)", Vec::new())
        .await
        .map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
    match verdict.as_deref() {
        None | Some("ok") => Ok(()),
        Some(detail) => Err(StorageError::Corrupt { place: place.clone(), detail: detail.to_owned() }),
    }
}

/// Files come to their place with their schema in them: one without it lost what it held, and a new schema would hide that.
async fn refuse_without_schema(connection: &mut Connection, place: &Place) -> Result<(), StorageError> {
    let tables: Option<i64> = connection
        .ask_one(
            "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('schema_migrations', 'seaql_migrations')",
            Vec::new(),
        )
        .await
        .map_err(|error| StorageError::from_driver(&Arc::new(error), place))?;
    if tables == Some(0) {
        return Err(StorageError::Corrupt { place: place.clone(), detail: "it is empty".to_owned() });
    }
    Ok(())
}
