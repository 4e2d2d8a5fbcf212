//! The other processes of the installation, met on Redis: values they loaded, and what they gave up.
//!
//! A process follows the log of invalidations on Redis. As long as it has heard it up to a moment ago, it is *certain*, and
//! so are the values on Redis, which are given out only if nothing they depend on was given up since they were loaded.
//! Otherwise it is *cautious*: it asks Redis for nothing, and takes for fresh only what it read itself within
//! [`CAUTIOUS_FRESHNESS`](crate::CAUTIOUS_FRESHNESS).
//!
//! A process is cautious when it cannot follow the log; while another one that has not said farewell is silent, as that one
//! may commit what it cannot tell; and when Redis has just begun anew, as another may not have had the time to say what it
//! owes. Redis has begun anew, in a new *epoch*, when it was restarted, has lost one of its own keys, or a silent process was
//! given up after [`FORGOTTEN_AFTER`]. Nothing that was kept before an epoch counts in it.
//!
//! | what happens | what was committed elsewhere is seen within |
//! |---|---|
//! | all is well | some milliseconds |
//! | Redis is gone, hangs, refuses, is full or has lost its data | [`STALENESS_MAX`] |
//! | this process, or the one that commits, cannot reach Redis | [`STALENESS_MAX`] |
//! | the one that commits dies between its commit and telling it | [`STALENESS_MAX`] |
//! | the one that commits cannot reach Redis for longer than [`FORGOTTEN_AFTER`] | the entry's time to live |
//! | it cannot reach Redis, and Redis loses its data meanwhile | the entry's time to live |
//!
//! What a process commits itself it sees at once, in every case.

mod line;
mod link;
mod names;
mod owed;
mod scripts;
mod trouble;
mod values;

use std::{
    fs, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{Client, IntoConnectionInfo, RedisConnectionInfo, TlsCertificates};
use tokio::{task::JoinHandle, time::timeout};
use warren_model::{Random, ambient::random_bytes};
use warren_runtime::{
    Shutdown,
    dependency::{Dependencies, DependencyName},
    supervise::Tasks,
};

pub use line::{CALL_WITHIN, CONNECT_WITHIN};
pub use owed::OWED_MARKS_MAX;
pub(crate) use values::{Asked, Lease, SharedValue};
pub use values::{LEASE_FOR, VALUE_BYTES_MAX};

use crate::{
    CacheError, RedisConfig,
    config::RedisUrl,
    grounds::Grounds,
    status::{ClusterState, ClusterStatus},
    tag::Which,
};
use line::{LEFT_ALONE_MAX, Line};
use link::Link;
use names::Names;
use owed::{Owed, Ticket};
use scripts::Scripts;

/// How often at least a process speaks to Redis, and listens.
pub const HEARTBEAT_EVERY: Duration = Duration::from_millis(500);
/// How long a process is certain after it has heard all there was.
pub const CERTAIN_FOR: Duration = Duration::from_secs(2);
/// A process that has not spoken for so long may have something to tell.
pub const SILENT_AFTER: Duration = Duration::from_secs(2);
/// A process that has not spoken for so long is taken for gone, and everything is given up.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// How long after Redis began anew the others may still come back and tell what they owe.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(2);
/// How long who gave something up waits until the others can know.
pub const TOLD_WITHIN: Duration = Duration::from_millis(250);
/// The longest time between a commit and the moment from which on nobody is shown what was before it, whatever fails, as long
/// as nobody is cut off for longer than [`FORGOTTEN_AFTER`].
pub const STALENESS_MAX: Duration = Duration::from_secs(5);

/// Who was last heard when another one fell silent: a heartbeat before that is noticed, and certain until it runs out.
const NOTICED_WITHIN: Duration =
    SILENT_AFTER.saturating_add(HEARTBEAT_EVERY).saturating_add(CALL_WITHIN).saturating_add(CERTAIN_FOR);
const _: () = assert!(NOTICED_WITHIN.as_millis() < STALENESS_MAX.as_millis(), "the promise does not hold");
const _: () = assert!(
    LEFT_ALONE_MAX.as_millis() + 2 * CONNECT_WITHIN.as_millis() + 2 * CALL_WITHIN.as_millis()
        < SETTLES_WITHIN.as_millis(),
    "who was there before does not come back in time"
);

/// The other processes, and the way to them.
#[derive(Debug)]
pub(crate) struct Cluster {
    url: RedisUrl,
    names: Names,
    scripts: Scripts,
    line: Line,
    owed: Owed,
    random: Arc<dyn Random>,
    /// This process, for the others.
    node: String,
    seen: Mutex<Seen>,
    shutdown: Shutdown,
    link: Mutex<Option<JoinHandle<()>>>,
}

/// What there is to tell of the way to Redis.
#[derive(Debug)]
struct Seen {
    state: ClusterState,
    round_trip: Option<Duration>,
    last_trouble: Option<String>,
    told: u64,
    heard: u64,
    renewals: u64,
}

impl Cluster {
    /// Reads what is configured; nothing is connected yet.
    pub fn new(config: &RedisConfig, random: Arc<dyn Random>, dependencies: &Dependencies) -> Result<Self, CacheError> {
        let names = Names::new(&config.prefix)?;
        let dependency = dependencies.add(DependencyName::new("redis"), line::dependency_settings())?;
        let node = word(&*random);
        Ok(Self {
            url: config.url.clone(),
            names,
            scripts: Scripts::new(),
            line: Line::new(client(config)?, dependency),
            owed: Owed::new(),
            random,
            node,
            seen: Mutex::new(Seen {
                state: ClusterState::Connecting,
                round_trip: None,
                last_trouble: None,
                told: 0,
                heard: 0,
                renewals: 0,
            }),
            shutdown: Shutdown::new(),
            link: Mutex::new(None),
        })
    }

    /// Begins to follow the others, until [`Cluster::close`].
    pub fn begin(self: &Arc<Self>, grounds: &Arc<Grounds>, tasks: &Tasks) {
        let (cluster, grounds) = (Arc::clone(self), Arc::clone(grounds));
        let follow = move || Link::new(Arc::clone(&cluster), Arc::clone(&grounds)).run();
        let task = tasks.supervise("cache invalidations", self.shutdown.clone(), follow);
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Tells the others what was given up. Returns when they can know it, or when Redis does not answer in time; it is told
    /// later then.
    pub async fn tell(&self, which: Which) {
        let waiting = Waiting { owed: &self.owed, ticket: self.owed.add(which) };
        if self.line.open().is_some() {
            let _ = timeout(TOLD_WITHIN, self.owed.until_told(waiting.ticket)).await;
        }
    }

    /// Tells what is owed and says farewell.
    pub async fn close(&self) {
        self.shutdown.request();
        let task = mem::take(&mut *self.link.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::debug!(%error, "the task that follows invalidations did not end in order");
        }
    }

    /// Has the task say farewell when it can: nobody is left who could give something up.
    pub fn abandon(&self) {
        self.shutdown.request();
    }

    pub fn status(&self) -> ClusterStatus {
        let seen = self.seen();
        ClusterStatus {
            url: self.url.to_string(),
            state: seen.state,
            round_trip: seen.round_trip,
            last_trouble: seen.last_trouble.clone(),
            owed: self.owed.count(),
            told: seen.told,
            heard: seen.heard,
            renewals: seen.renewals,
        }
    }

    /// Whether values may be asked for and kept on Redis.
    fn may_ask(&self, grounds: &Grounds) -> bool {
        grounds.trust.is_certain(grounds.timeline.now()) && !self.owed.is_overdue()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits until the others know.
struct Waiting<'a> {
    owed: &'a Owed,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.owed.go_on(self.ticket);
    }
}

fn client(config: &RedisConfig) -> Result<Client, CacheError> {
    let refused = |source| CacheError::Redis { source };
    // The library takes the process's provider of cryptography; one that is there already stays.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let info = config.url.0.clone();
    let settings: RedisConnectionInfo = info.redis_settings().clone().set_skip_set_lib_name();
    let info = info.set_redis_settings(settings).into_connection_info().map_err(refused)?;
    match &config.ca_file {
        None => Client::open(info).map_err(refused),
        Some(_) if !config.url.is_tls() => Err(CacheError::RedisCaWithoutTls),
        Some(path) => {
            let of_file = |source| CacheError::RedisCa { path: path.clone(), source };
            let root_cert = Some(fs::read(path).map_err(of_file)?);
            let certificates = TlsCertificates { client_tls: None, root_cert };
            Client::build_with_tls(info, certificates).map_err(|error| of_file(std::io::Error::other(error)))
        }
    }
}

/// Sixteen hexadecimal digits that nobody has used before.
fn word(random: &dyn Random) -> String {
    format!("{:016x}", u64::from_be_bytes(random_bytes(random)))
}
