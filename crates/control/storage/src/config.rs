//! Where the databases are, and what bounds their connections.

use std::{path::PathBuf, sync::Arc, time::Duration};

use warren_resilience::BreakerSettings;
use warren_runtime::dependency::{AtOnce, Dependencies, Dependency, DependencyName, DependencySettings};

use crate::{
    Schema,
    engine::DatabaseUrl,
    pool::Bounds,
    replica::{self, Servers},
    watch::WatchLimits,
};

/// Where the databases are, and how many connections they may take.
#[derive(Debug, Clone)]
pub struct Config {
    pub standing: Standing,
    /// How many organisations' databases are open at once; opening another closes the one unused for longest.
    pub open_tenants_max: usize,
    /// SQLite: reading connections to the system database; a tenant database has half of them, at least one. Each is a
    /// thread, and writers have one each.
    pub readers_per_database: u32,
    /// Servers: connections to one database.
    pub connections_per_database_max: u32,
    /// Servers: connections in all. Leave the server some for others.
    pub connections_per_server_max: u32,
    /// How long anybody waits for a connection.
    pub acquire_timeout: Duration,
    /// Servers: a connection that nobody used this long is closed.
    pub idle_max: Duration,
    /// From when on a statement is called slow.
    pub slow_from: Duration,
    /// How old at most what is read from a replica may be.
    pub replica_lag_max: Duration,
    /// How often it is looked how far the replicas have come; at least 20 ms.
    pub replica_probe_interval: Duration,
    /// From when on the watch suspects and warns.
    pub watch: WatchLimits,
    /// What the databases are brought to.
    pub schema: Schema,
    /// Where the server is entered, so that one that does not answer is left alone; without it, every connection is tried.
    pub dependencies: Option<Dependencies>,
}

/// Where an installation's databases stand.
#[derive(Debug, Clone)]
pub enum Standing {
    /// SQLite files: `system.sqlite` and `tenants/` in this folder, which must exist.
    Folder(PathBuf),
    /// Databases of a server: the one that the URL names, and one for each organisation beside it. Reads may go to its
    /// replicas.
    Server(Servers),
}

impl Config {
    /// SQLite in `folder`, with the usual bounds: 256 open tenants, four readers, five seconds.
    pub const fn new(folder: PathBuf) -> Self {
        Self::standing(Standing::Folder(folder))
    }

    /// Databases of the server at `url`, with the usual bounds: 8 connections for each database, 60 in all.
    pub fn on_server(url: DatabaseUrl) -> Self {
        Self::standing(Standing::Server(url.into()))
    }

    /// The usual bounds.
    pub const fn standing(standing: Standing) -> Self {
        Self {
            standing,
            open_tenants_max: 256,
            readers_per_database: 4,
            connections_per_database_max: 8,
            connections_per_server_max: 60,
            acquire_timeout: Duration::from_secs(5),
            idle_max: Duration::from_secs(120),
            slow_from: Duration::from_millis(250),
            replica_lag_max: Duration::from_secs(2),
            replica_probe_interval: Duration::from_millis(500),
            watch: WatchLimits::USUAL,
            schema: Schema::OF_THIS_BUILD,
            dependencies: None,
        }
    }

    /// How the server is called, where there is one and somebody keeps the list.
    pub(crate) fn server_dependency(&self) -> Option<Arc<Dependency>> {
        let (Some(dependencies), Standing::Server(servers)) = (&self.dependencies, &self.standing) else { return None };
        let settings = DependencySettings {
            breaker: BreakerSettings {
                calls_min: 5,
                open_first: BREAK_FIRST,
                open_max: BREAK_MAX,
                ..BreakerSettings::default()
            },
            at_once: AtOnce::Fixed(self.connections_per_server_max.max(1)),
            waiting_max: u32::try_from(WAITERS_MAX).unwrap_or(u32::MAX),
            wait_max: self.acquire_timeout,
            time_limit: self.acquire_timeout.max(Duration::from_secs(1)),
            ..DependencySettings::default()
        };
        let name = DependencyName::of("database", servers.primary().server());
        dependencies
            .add(name, settings)
            .inspect_err(|cause| tracing::warn!(%cause, "the database server is called without a breaker"))
            .ok()
    }

    const fn is_server(&self) -> bool {
        matches!(self.standing, Standing::Server(_))
    }

    /// The bounds of pools that write. SQLite has one writer.
    pub(crate) fn writing(&self) -> Bounds {
        let connections_max = if self.is_server() { self.connections_per_database_max.max(1) } else { 1 };
        self.bounds(connections_max)
    }

    /// The bounds of pools that read SQLite.
    pub(crate) fn reading(&self, readers: u32) -> Bounds {
        self.bounds(readers.max(1))
    }

    /// The bounds of pools on replicas: nobody waits long where there is another way.
    pub(crate) fn reading_from_replicas(&self) -> Bounds {
        Bounds { acquire_timeout: replica::ACQUIRE_WITHIN, ..self.writing() }
    }

    fn bounds(&self, connections_max: u32) -> Bounds {
        Bounds {
            connections_max,
            waiters_max: WAITERS_MAX,
            acquire_timeout: self.acquire_timeout,
            idle_max: self.is_server().then_some(self.idle_max),
            lifetime_max: self.is_server().then_some(LIFETIME_MAX),
        }
    }
}

/// How long a server that does not answer is left alone, at first and at most: it is asked again soon, as nothing works without it.
const BREAK_FIRST: Duration = Duration::from_millis(500);
const BREAK_MAX: Duration = Duration::from_secs(5);
/// Those who may stand in line for the connections of one database.
const WAITERS_MAX: usize = 2048;
/// A server's connection this old is replaced, so that its memory does not grow for ever.
const LIFETIME_MAX: Duration = Duration::from_secs(1800);
