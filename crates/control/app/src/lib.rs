//! The use cases of Warren's control plane, one noun a module. Portal, REST API, command line and background work all call
//! these functions and nothing below them.
//!
//! Invariants
//! - Every use case takes an [`OpContext`], or an [`Inside`] that it made by entering an organisation: no tenant's data is in
//!   reach without that tenant in hand, and an outsider is told that there is no such organisation.
//! - What changes something asks storage with an [`warren_auth::Authorized`] proof and leaves an audit entry in the same transaction.
//! - Gateways are told after the commit, and what they are told is read from the database (see `gateways::hub`).
//! - Errors carry codes, not words; each face finds the words.

pub mod activity;
pub mod analysis;
mod audit;
pub mod bulk;
mod context;
pub mod database;
pub mod dependencies;
pub mod devices;
mod error;
pub mod exports;
pub mod files;
pub mod gateways;
mod hashing;
mod idempotency;
pub mod imports;
pub mod installation;
pub mod invitations;
pub mod jobs;
pub mod live;
pub mod mail;
pub mod maintenance;
mod metrics;
pub mod moving;
pub mod networks;
pub mod organisations;
pub mod people;
pub mod records;
pub mod reports;
mod role;
pub mod scaling;
pub mod seed;
pub mod sessions;
pub mod webhooks;
mod words;
mod worker;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use warren_auth::SealingKey;
use warren_courier::{Mailer, SettingsError, WebhookClient, WebhookConfig};
use warren_dispatch::Bells;
use warren_model::{Clock, OrganisationId, Queue, Random, Timestamp, WorkerId};
use warren_resilience::InvalidSetting;
use warren_runtime::{
    Shutdown,
    dependency::{Dependencies, Dependency, DependencyError},
    files::{FileError, read_private, write_private},
    supervise::Tasks,
};
use warren_storage::{Databases, Place, StorageError, SystemModels, WhatIsThere};

pub use context::{Expected, IdempotencyKey, Inside, OpContext};
pub use error::{AppError, Contradiction, FieldError, Thing};
pub use metrics::Metrics;
pub use role::ProcessRole;
pub use warren_dispatch::{
    BellsStatus, Credentials as NatsCredentials, NatsConfig, NatsConfigError, Prefix as NatsPrefix,
    ServerUrl as NatsUrl,
};
pub use warren_storage::{Account, DatabaseUrl, DatabaseUrlError, ReplicaUrlError, Servers, Standing};
pub use words::Language;

/// What the control plane is built from.
#[derive(Debug, Clone)]
pub struct Config {
    /// Holds the sealing key, and the databases unless they are on a server; 0700.
    pub data_folder: PathBuf,
    /// Where the databases are.
    pub standing: Standing,
    /// How old what people look at may be when it is read from a replica.
    pub replica_lag_max: Duration,
    /// How people and gateways reach the portal, without a slash at the end.
    pub public_url: String,
    /// A session that is not used this long ends.
    pub session_idle: Duration,
    /// A session ends this long after sign-in however much it is used.
    pub session_absolute: Duration,
    /// Passwords that are hashed at once; each takes 19 MiB.
    pub hashing_permits: usize,
    /// Organisations' databases that are open at once.
    pub open_organisations_max: usize,
    /// What this process is for.
    pub role: ProcessRole,
    /// What this host is called where several work on jobs.
    pub host: String,
    /// Jobs that are worked on at once, to begin with.
    pub job_places: usize,
    /// Queues whose jobs are worked on; of them, those that the role may serve.
    pub job_queues: Vec<Queue>,
    /// Without being called, it is looked this often whether there are jobs: a call may be lost, and delays pass.
    pub jobs_looked_for_every: Duration,
    /// Over what processes call each other when there are jobs; without it, the others find them by looking.
    pub nats: Option<NatsConfig>,
    /// When places for jobs grow and shrink, and whom to tell.
    pub scaling: scaling::ScalingConfig,
    /// Kinds of jobs beside Warren's own, as tests and benchmarks bring them.
    pub further_jobs: Vec<jobs::Kind>,
    /// What sends letters, or keeps them to be looked at; without it there is no mail.
    pub mailer: Option<Arc<Mailer>>,
    /// The language of letters to people of whom none is known.
    pub mail_language: warren_courier::Language,
    /// Where webhooks may lead, and whose certificates are trusted there.
    pub webhooks: WebhookConfig,
}

impl Config {
    /// The defaults for an installation in `data_folder` that is reached at `public_url`.
    pub fn new(data_folder: PathBuf, public_url: String) -> Self {
        Self {
            standing: Standing::Folder(data_folder.clone()),
            replica_lag_max: Duration::from_secs(2),
            data_folder,
            public_url,
            session_idle: Duration::from_secs(12 * 3600),
            session_absolute: Duration::from_secs(14 * 24 * 3600),
            hashing_permits: 2,
            open_organisations_max: 256,
            role: ProcessRole::ControlPlane,
            host: "this host".to_owned(),
            job_places: 8,
            job_queues: Queue::ALL.to_vec(),
            jobs_looked_for_every: Duration::from_millis(500),
            nats: None,
            scaling: scaling::ScalingConfig::default(),
            further_jobs: Vec::new(),
            mailer: None,
            mail_language: warren_courier::Language::default(),
            webhooks: WebhookConfig::default(),
        }
    }

    /// The queues whose jobs are worked on. A worker that knows no mail server leaves letters to processes that do.
    pub fn served_queues(&self) -> Vec<Queue> {
        let has_what_it_takes = |queue: Queue| {
            self.role.may_serve(queue)
                && (queue != Queue::Mail || self.role == ProcessRole::ControlPlane || self.mailer.is_some())
        };
        self.job_queues.iter().copied().filter(|queue| has_what_it_takes(*queue)).collect()
    }

    /// The same, with its databases elsewhere.
    pub fn on(self, standing: Standing) -> Self {
        Self { standing, ..self }
    }
}

/// Why the control plane could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file or folder cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What is called outside of this process cannot be called with these settings.
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    /// Places for jobs cannot grow and shrink within these bounds.
    #[error(transparent)]
    Scaling(#[from] InvalidSetting),
    /// Webhooks cannot be called with these settings.
    #[error("webhooks: {0}")]
    Webhooks(#[from] SettingsError),
    /// The key file holds something else.
    #[error("{} does not hold a key of 32 bytes; put the original file back (a backup has it), or everything sealed with it is lost", path.display())]
    KeyFile { path: PathBuf },
    /// The key file is gone while there are data sealed with it.
    #[error("{} is missing but the database holds secrets sealed with it; put the file back from a backup", path.display())]
    KeyFileMissing { path: PathBuf },
    /// A worker has nothing to work with.
    #[error("{} holds no sealing key; copy {KEY_FILE} there from the data folder of `warren up`, readable by this user only", folder.display())]
    WorkerWithoutKey { folder: PathBuf },
    /// A worker would be alone.
    #[error("there is no installation in {place}; start `warren up` on it first, and name the same database")]
    WorkerWithoutInstallation { place: Place },
    /// Files have one process.
    #[error(
        "databases that are files belong to the one process of `warren up`; a worker needs them on a server: move them with `warren db move`, and name it with --database-url"
    )]
    WorkerOnFiles,
    /// The system database is gone while there are organisations' databases: a new one would know of none of them.
    #[error("{place} is missing but there are databases of organisations beside it; put it back from a backup")]
    SystemMissing { place: Place },
}

impl BuildError {
    /// Whether trying again may help, because a database server does not answer yet.
    pub const fn is_of_an_unreachable_server(&self) -> bool {
        matches!(self, Self::Storage(StorageError::Unreachable { .. }))
    }
}

/// Where the data folder holds the sealing key.
const KEY_FILE: &str = "sealing.key";

/// The sealing key in this file; none without a file.
fn key_in(path: &Path) -> Result<Option<SealingKey>, BuildError> {
    let Some(bytes) = read_private(path)? else { return Ok(None) };
    let bytes = bytes.try_into().map_err(|_| BuildError::KeyFile { path: path.to_owned() })?;
    Ok(Some(SealingKey::from_bytes(bytes)))
}

/// The key of the control plane, which makes it together with the installation.
fn own_key(config: &Config, found: WhatIsThere, random: &dyn Random) -> Result<SealingKey, BuildError> {
    let (path, is_new) = (config.data_folder.join(KEY_FILE), !found.system);
    if is_new && found.tenants > 0 {
        return Err(BuildError::SystemMissing { place: found.place });
    }
    match key_in(&path)? {
        Some(key) => Ok(key),
        None if is_new => {
            let key = SealingKey::generate(random);
            write_private(&path, key.expose_bytes())?;
            Ok(key)
        }
        None => Err(BuildError::KeyFileMissing { path }),
    }
}

/// The key of a worker, which somebody copied.
fn copied_key(config: &Config, found: WhatIsThere) -> Result<SealingKey, BuildError> {
    if matches!(config.standing, Standing::Folder(_)) {
        return Err(BuildError::WorkerOnFiles);
    }
    if !found.system {
        return Err(BuildError::WorkerWithoutInstallation { place: found.place });
    }
    let missing = || BuildError::WorkerWithoutKey { folder: config.data_folder.clone() };
    key_in(&config.data_folder.join(KEY_FILE))?.ok_or_else(missing)
}

/// What works on jobs, with the bells of this process.
fn workshop(
    config: &Config,
    clock: &dyn Clock,
    random: &Arc<dyn Random>,
    dependencies: &Dependencies,
) -> Result<jobs::Workshop, DependencyError> {
    let id = WorkerId::generate(clock.now(), random.as_ref());
    let workshop = jobs::Workshop::new(id, config.served_queues(), config.job_places);
    if let Some(nats) = &config.nats {
        workshop.hang(Bells::new(nats.clone(), dependencies, random.clone(), id.to_string())?);
    }
    Ok(workshop)
}

/// The control plane. Clones are handles to the same one.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    databases: Databases,
    sealing: SealingKey,
    hashing: hashing::HashingRoom,
    hub: gateways::Hub,
    live: live::Live,
    metrics: Metrics,
    started_at: Timestamp,
    notices: Mutex<Vec<String>>,
    analysis_history: tokio::sync::Mutex<analysis::History>,
    workshop: jobs::Workshop,
    dependencies: Dependencies,
    scaling: scaling::Scaling,
    operator_webhooks: WebhookClient,
    smtp: Arc<Dependency>,
    webhooks: WebhookClient,
    receivers: webhooks::Receivers,
    tasks: Tasks,
}

impl App {
    /// Opens the databases and the sealing key in `config.data_folder`, which exists; the control plane makes them when they are
    /// not there.
    ///
    /// # Errors
    /// [`BuildError`] says in one sentence what is wrong and what to do.
    pub async fn build(config: Config, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, BuildError> {
        let found = Databases::look(&config.standing).await?;
        let sealing = match config.role {
            ProcessRole::ControlPlane => own_key(&config, found, random.as_ref())?,
            ProcessRole::Worker => copied_key(&config, found)?,
        };
        let dependencies = Dependencies::new(random.clone());
        let storage = warren_storage::Config {
            dependencies: Some(dependencies.clone()),
            open_tenants_max: config.open_organisations_max,
            replica_lag_max: config.replica_lag_max,
            ..warren_storage::Config::standing(config.standing.clone())
        };
        let databases = Databases::open(storage, clock.clone(), random.clone()).await?;
        if config.role == ProcessRole::ControlPlane {
            databases.discard_orphan_tenants().await?;
        }
        let workshop = workshop(&config, clock.as_ref(), &random, &dependencies)?;
        let parts = Parts {
            smtp: dependencies::smtp(&dependencies)?,
            scaling: scaling::Scaling::new(&config.scaling, config.job_places)?,
            operator_webhooks: dependencies::operator_webhooks()?,
            webhooks: WebhookClient::build(config.webhooks.clone())?,
            receivers: webhooks::Receivers::default(),
            dependencies,
            hashing: hashing::HashingRoom::new(config.hashing_permits, random.clone()),
            hub: gateways::Hub::default(),
            live: live::Live::new(),
            metrics: Metrics::new(),
            started_at: clock.now(),
            notices: Mutex::default(),
            analysis_history: tokio::sync::Mutex::default(),
            workshop,
            tasks: Tasks::default(),
            config,
            clock,
            random,
            databases,
            sealing,
        };
        parts.metrics.watch(&parts.databases);
        parts.workshop.tally().register(&parts.metrics);
        let app = Self(Arc::new(parts));
        if app.config().role == ProcessRole::ControlPlane {
            networks::release_abandoned_ports(&app).await?;
        }
        if matches!(app.config().standing, Standing::Folder(_)) {
            // The folder is this process's alone: what stands as running was a dead one's.
            jobs::rescue_all(&app).await?;
        }
        Ok(app)
    }

    /// Starts the background work; each task ends soon after `shutdown`.
    pub fn spawn_worker(&self, shutdown: &Shutdown) -> Vec<JoinHandle<()>> {
        let mut tasks = worker::spawn(self, shutdown);
        tasks.extend(jobs::spawn(self, shutdown));
        if self.config().role == ProcessRole::ControlPlane {
            tasks.push(scaling::spawn(self, shutdown));
        }
        tasks
    }

    /// Stores what is only in memory and closes the databases.
    pub async fn close(self) {
        if self.config().role == ProcessRole::ControlPlane {
            worker::store_usage(&self).await;
        }
        jobs::retire(&self).await;
        self.0.databases.clone().close().await;
    }

    /// The clock that everything here reads.
    pub fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }
    /// The random generator that everything here uses.
    pub fn random(&self) -> &dyn Random {
        self.0.random.as_ref()
    }
    /// How people and gateways reach the portal, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.0.config.public_url
    }
    /// The server that holds the databases, as its URL without a password; none when they are files.
    pub fn database_server(&self) -> Option<String> {
        match &self.0.config.standing {
            Standing::Folder(_) => None,
            Standing::Server(servers) => Some(servers.to_string()),
        }
    }
    /// Figures for the operator.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
    /// How the connection is over which processes call each other; none where there is none.
    pub fn bells(&self) -> Option<BellsStatus> {
        self.workshop().bells().map(|bells| bells.status())
    }
    /// The background work, and how it fares.
    pub fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }
    /// Puts a sentence before the operator until the process ends, such as why the gateway did not start.
    pub fn post_notice(&self, notice: String) {
        let mut notices = self.0.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if !notices.contains(&notice) && notices.len() < NOTICES_MAX {
            notices.push(notice);
        }
    }
    /// Takes a notice back once its cause is gone.
    pub fn withdraw_notice(&self, notice: &str) {
        self.0.notices.lock().unwrap_or_else(PoisonError::into_inner).retain(|posted| posted != notice);
    }

    /// What it means that an organisation's database does not open; one that is damaged or gone is told to the operator.
    pub(crate) fn damaged(&self, organisation: OrganisationId, cause: StorageError) -> StorageError {
        let cause = match cause {
            StorageError::NotFound => {
                let place = self.0.databases.place_of(organisation);
                StorageError::Corrupt { place, detail: "it is missing".to_owned() }
            }
            other => other,
        };
        if matches!(cause, StorageError::Corrupt { .. }) {
            self.post_notice(cause.to_string());
        }
        cause
    }

    pub(crate) fn notices(&self) -> Vec<String> {
        let mut notices = self.0.notices.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notices.extend(dependencies::degradations(self.dependencies()));
        notices
    }
    pub(crate) fn analysis_history(&self) -> &tokio::sync::Mutex<analysis::History> {
        &self.0.analysis_history
    }
    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }
    pub(crate) fn databases(&self) -> &Databases {
        &self.0.databases
    }
    pub(crate) fn system(&self) -> &SystemModels {
        self.0.databases.system_models()
    }
    pub(crate) fn sealing(&self) -> &SealingKey {
        &self.0.sealing
    }
    pub(crate) fn hashing(&self) -> &hashing::HashingRoom {
        &self.0.hashing
    }
    pub(crate) fn hub(&self) -> &gateways::Hub {
        &self.0.hub
    }
    pub(crate) fn live(&self) -> &live::Live {
        &self.0.live
    }
    /// Everything outside of this process that it calls.
    pub fn dependencies(&self) -> &Dependencies {
        &self.0.dependencies
    }
    pub(crate) fn smtp(&self) -> &Arc<Dependency> {
        &self.0.smtp
    }
    pub(crate) fn scaling(&self) -> &scaling::Scaling {
        &self.0.scaling
    }
    pub(crate) fn operator_webhooks(&self) -> &WebhookClient {
        &self.0.operator_webhooks
    }
    pub(crate) fn webhooks(&self) -> &WebhookClient {
        &self.0.webhooks
    }
    pub(crate) fn receivers(&self) -> &webhooks::Receivers {
        &self.0.receivers
    }
    pub(crate) fn workshop(&self) -> &jobs::Workshop {
        &self.0.workshop
    }
    pub(crate) fn started_at(&self) -> Timestamp {
        self.0.started_at
    }
    pub(crate) fn uptime(&self) -> time::Duration {
        self.clock().now() - self.0.started_at
    }
}

/// The most notices that are shown at once.
const NOTICES_MAX: usize = 16;

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("public_url", &self.0.config.public_url).finish_non_exhaustive()
    }
}
