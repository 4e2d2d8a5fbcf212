//! Warren's queue, in the system database of an installation of its own.

use std::sync::Arc;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use warren_app::{
    App, Config, Standing,
    jobs::{Asked, Job, kind},
    scaling::ScalingConfig,
};
use warren_model::{Clock, JobId, OrganisationId};
use warren_runtime::{Shutdown, SystemClock, SystemRandom};
use warren_storage::{Databases, Engine, NewJob};
use warren_testkit::servers::{DatabaseServer, Durability, ServerKind, Settings};

use super::{course::Contender, errand::Errand};

/// The name of the system database on servers.
const SYSTEM: &str = "warren_bench";
/// Jobs that are put into the queue in one transaction beforehand.
const AT_A_TIME: usize = 1000;

/// How many jobs Warren works on at once.
#[derive(Debug, Clone, Copy)]
pub enum Places {
    /// As the program comes: eight to begin with, of which mail takes half; they grow when jobs wait.
    AsItComes,
    /// So many, of which mail takes half.
    Fixed(u32),
}

/// Jobs that wait before the program starts.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub jobs: u64,
    /// Whose they are, in turn.
    pub organisations: Vec<OrganisationId>,
    pub errand: Errand,
}

/// An installation whose background work has not begun.
pub struct Warren {
    app: App,
    /// Those on whose behalf is asked, in turn by chance.
    organisations: Vec<OrganisationId>,
    // Gone after everything that uses them.
    _folder: TempDir,
    _server: Option<DatabaseServer>,
}

/// The tasks of the program.
pub struct Crew {
    shutdown: Shutdown,
    tasks: Vec<JoinHandle<()>>,
}

/// So many, which exist in the queue alone.
pub fn organisations(count: usize) -> Vec<OrganisationId> {
    (0..count).map(|_| OrganisationId::generate(SystemClock.now(), &SystemRandom)).collect()
}

impl Warren {
    /// A fresh one. Servers bring what they acknowledge to the disk, as SQLite does.
    ///
    /// # Errors
    /// When a server does not start, or the database fails.
    pub async fn with(engine: Engine, places: Places, waiting: &Waiting) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let kind_of_server = match engine {
            Engine::Sqlite => None,
            Engine::MariaDb => Some(ServerKind::MariaDb),
            Engine::PostgreSql => Some(ServerKind::PostgreSql),
        };
        let settings = Settings { durability: Durability::Real, ..Settings::default() };
        let server = kind_of_server.map(|kind| DatabaseServer::start_with(kind, &settings)).transpose()?;
        let mut config = Config::new(folder.path().to_owned(), "https://vpn.example.org".to_owned());
        if let Some(server) = &server {
            config = config.on(Standing::Server(server.url(SYSTEM).parse()?));
        }
        config.further_jobs = vec![kind::<Errand>()];
        if let Places::Fixed(places) = places {
            config.job_places = usize::try_from(places)?;
            config.scaling = ScalingConfig { places_min: places, places_max: places, ..ScalingConfig::default() };
        }
        // Makes the databases and the key.
        App::build(config.clone(), Arc::new(SystemClock), Arc::new(SystemRandom)).await?.close().await;
        fill(&config.standing, waiting).await?;
        let app = App::build(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
        Ok(Self { app, organisations: waiting.organisations.clone(), _folder: folder, _server: server })
    }

    /// Asks on behalf of an organisation.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn ask_for(&self, organisation: OrganisationId, errand: Errand) -> anyhow::Result<()> {
        self.app.ask(&errand, Asked { organisation: Some(organisation), ..Asked::default() }).await?;
        Ok(())
    }

    /// Ends the program.
    pub async fn close(self) {
        self.app.close().await;
    }
}

impl Contender for Warren {
    type Crew = Crew;

    async fn ask(&self, errand: Errand) -> anyhow::Result<()> {
        let now = SystemClock.now().microsecond() as usize;
        self.ask_for(self.organisations[now % self.organisations.len()], errand).await
    }

    async fn start(&self) -> anyhow::Result<Crew> {
        let shutdown = Shutdown::new();
        let tasks = self.app.spawn_worker(&shutdown);
        Ok(Crew { shutdown, tasks })
    }

    async fn stop(&self, crew: Crew) -> anyhow::Result<()> {
        crew.shutdown.request();
        for task in crew.tasks {
            task.await?;
        }
        Ok(())
    }
}

/// Puts jobs into the queue past the program, which is not there.
async fn fill(standing: &Standing, waiting: &Waiting) -> anyhow::Result<()> {
    let config = warren_storage::Config::standing(standing.clone());
    let databases = Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let payload = serde_json::to_string(&waiting.errand)?;
    let jobs: Vec<NewJob> = (0..usize::try_from(waiting.jobs)?)
        .map(|number| new_job(waiting.organisations[number % waiting.organisations.len()], payload.clone()))
        .collect();
    for some in jobs.chunks(AT_A_TIME) {
        let models = databases.system_models();
        models.transaction(async |tx| tx.jobs().insert_many(some).await).await?;
    }
    databases.close().await;
    Ok(())
}

fn new_job(organisation: OrganisationId, payload: String) -> NewJob {
    let now = SystemClock.now();
    NewJob {
        id: JobId::generate(now, &SystemRandom),
        queue: Errand::POLICY.queue,
        priority: Errand::POLICY.priority,
        organisation: Some(organisation),
        kind: Errand::KIND.to_owned(),
        version: Errand::VERSION,
        payload,
        created_at: now,
        run_at: now,
        attempts_max: Errand::POLICY.attempts_max,
        deadline: None,
        unique: None,
        author: None,
        request: None,
        schedule: None,
    }
}
