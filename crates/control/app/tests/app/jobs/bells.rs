//! Several processes, in effect, on one database: who asks for a job, who works on it, and the bell between them.

use std::time::Instant;

use warren_app::{BellsStatus, BuildError, NatsConfig, NatsCredentials, NatsPrefix, ProcessRole};
use warren_testkit::servers::NatsServer;

use super::*;

/// Far longer than any test waits for a job.
const NEVER: Duration = Duration::from_secs(600);

/// One process of an installation.
struct Process {
    app: App,
    shutdown: Shutdown,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    file: PathBuf,
}

impl Process {
    async fn start(ground: &Ground, config: Config) -> Self {
        let app = App::build(knowing(config), Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
        let shutdown = Shutdown::new();
        let tasks = app.spawn_worker(&shutdown);
        Self { app, shutdown, tasks, file: ground.folder().join("notes") }
    }

    async fn ask(&self, number: u64, conduct: Conduct) -> JobId {
        let note = Anywhere(Note { file: self.file.clone(), number, conduct });
        self.app.ask(&note, Asked::default()).await.unwrap()
    }

    async fn until(&self, id: JobId, wanted: JobState) {
        for _ in 0..6000 {
            if self.app.job(id).await.unwrap().unwrap().state == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never was {wanted}: {:?}, {:?}", self.app.job(id).await, self.app.bells())
    }

    async fn until_bells(&self, wanted: impl Fn(&BellsStatus) -> bool) {
        for _ in 0..3000 {
            if wanted(&self.app.bells().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("bells never were so: {:?}", self.app.bells())
    }

    async fn end(self) {
        self.shutdown.request();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.app.close().await;
    }
}

fn knowing(config: Config) -> Config {
    Config { further_jobs: vec![kind::<Anywhere>(), kind::<Bulk>()], ..config }
}

/// A job that any process may work on, whether it has a mail server or not.
#[derive(Serialize, Deserialize)]
struct Anywhere(Note);

impl Job for Anywhere {
    const KIND: &'static str = "anywhere";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy { queue: Queue::Webhooks, time_limit: Duration::from_secs(60), ..Note::POLICY };
    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        self.0.run(work).await
    }
}

/// A job that only the control plane may work on.
#[derive(Serialize, Deserialize)]
struct Bulk {}

impl Job for Bulk {
    const KIND: &'static str = "bulk";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy { queue: Queue::Records, ..Note::POLICY };
    async fn run(self, _: &Work) -> Result<Outcome, JobError> {
        Ok(Outcome::default())
    }
}

fn nats(url: String) -> NatsConfig {
    NatsConfig {
        url: url.parse().unwrap(),
        credentials: NatsCredentials::OfUrl,
        ca_file: None,
        prefix: NatsPrefix::default(),
    }
}

/// A control plane that works on no jobs, and a worker, which look so often.
async fn both(ground: &Ground, url: String, looked_every: Duration) -> (Process, Process) {
    let both = Config { nats: Some(nats(url)), jobs_looked_for_every: looked_every, ..config(ground) };
    let asks = Process::start(ground, Config { job_queues: Vec::new(), ..both.clone() }).await;
    let works = Process::start(ground, Config { role: ProcessRole::Worker, ..both }).await;
    (asks, works)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_begins_elsewhere_because_of_the_bell_alone() {
    let (ground, server) = (Ground::of(Database::PostgreSql).unwrap(), NatsServer::start().unwrap());
    let (asks, works) = both(&ground, server.url(), NEVER).await;
    asks.until_bells(|status| status.connected_for.is_some()).await;
    works.until_bells(|status| status.connected_for.is_some()).await;
    let mut took = Vec::new();
    for number in 0..20 {
        let asked_at = Instant::now();
        let id = asks.ask(number, Conduct::Good).await;
        asks.until(id, JobState::Done).await;
        took.push(asked_at.elapsed());
        // Each ring is one of its own.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    took.sort_unstable();
    println!("from the question to the end of a job: median {:?}, longest {:?}", took[10], took[19]);
    assert!(works.app.bells().unwrap().received >= 20, "{:?}", works.app.bells());
    works.end().await;
    asks.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_full_calls_the_next_one() {
    let (ground, server) = (Ground::of(Database::PostgreSql).unwrap(), NatsServer::start().unwrap());
    let (asks, one) = both(&ground, server.url(), NEVER).await;
    let config = Config {
        role: ProcessRole::Worker,
        nats: Some(nats(server.url())),
        jobs_looked_for_every: NEVER,
        ..config(&ground)
    };
    let two = Process::start(&ground, config).await;
    for process in [&asks, &one, &two] {
        process.until_bells(|status| status.connected_for.is_some()).await;
    }
    // More than one of them has places for, at once and with one ring.
    let mut ids = Vec::new();
    for number in 0..8 {
        ids.push(asks.ask(number, Conduct::Slow { ms: 1500 }).await);
    }
    for id in ids {
        asks.until(id, JobState::Done).await;
    }
    let (first, second) = (one.app.bells().unwrap(), two.app.bells().unwrap());
    assert!(first.received > 0 && second.received > 0, "{first:?} {second:?}");
    for process in [one, two, asks] {
        process.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_run_without_nats_and_the_bell_works_again_when_it_is_back_and_empty() {
    let (ground, server) = (Ground::of(Database::PostgreSql).unwrap(), NatsServer::down().unwrap());
    let (asks, works) = both(&ground, server.url(), Duration::from_millis(500)).await;
    let first = asks.ask(1, Conduct::Good).await;
    asks.until(first, JobState::Done).await;
    server.restart().unwrap();
    for number in [2, 4] {
        for process in [&asks, &works] {
            process.until_bells(|status| status.connected_for.is_some()).await;
        }
        let heard = works.app.bells().unwrap().received;
        let rung = asks.ask(number, Conduct::Good).await;
        works.until_bells(|status| status.received > heard).await;
        asks.until(rung, JobState::Done).await;

        server.kill().unwrap();
        let silent = asks.ask(number + 1, Conduct::Good).await;
        asks.until(silent, JobState::Done).await;
        works.until_bells(|status| status.connected_for.is_none()).await;
        server.lose_disk().unwrap();
        server.restart().unwrap();
    }
    works.end().await;
    asks.end().await;
    let mut done = noted(&ground.folder().join("notes"));
    done.sort_unstable();
    assert_eq!(done, [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_stops_no_job() {
    let (ground, server) = (Ground::of(Database::PostgreSql).unwrap(), NatsServer::start().unwrap());
    let (asks, works) = both(&ground, server.url_with("guessed"), Duration::from_millis(500)).await;
    let id = asks.ask(1, Conduct::Good).await;
    asks.until(id, JobState::Done).await;
    asks.until_bells(|status| status.last_error.as_ref().is_some_and(|told| told.contains("does not accept"))).await;
    works.end().await;
    asks.end().await;
}

#[tokio::test]
async fn a_worker_leaves_records_to_the_control_plane() {
    let ground = Ground::of(Database::PostgreSql).unwrap();
    let asks = Process::start(&ground, Config { job_queues: Vec::new(), ..config(&ground) }).await;
    let works = Process::start(&ground, Config { role: ProcessRole::Worker, ..config(&ground) }).await;
    let bulk = asks.app.ask(&Bulk {}, Asked::default()).await.unwrap();
    let after = asks.ask(1, Conduct::Good).await;
    asks.until(after, JobState::Done).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(asks.app.job(bulk).await.unwrap().unwrap().state, JobState::Ready);
    asks.end().await;
    let control = Process::start(&ground, config(&ground)).await;
    control.until(bulk, JobState::Done).await;
    control.end().await;
    // Letters are for who has a mail server.
    let letter = Note { file: works.file.clone(), number: 2, conduct: Conduct::Good };
    let letter = works.app.ask(&letter, Asked::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(works.app.job(letter).await.unwrap().unwrap().state, JobState::Ready);
    works.end().await;
}

#[tokio::test]
async fn a_worker_joins_an_installation_on_a_server_and_makes_none() {
    let ground = Ground::of(Database::PostgreSql).unwrap();
    let worker = |config: Config| {
        let config = Config { role: ProcessRole::Worker, ..config };
        async { App::build(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.map(|_| ()) }
    };
    assert!(matches!(worker(config(&ground)).await, Err(BuildError::WorkerWithoutInstallation { .. })));
    assert!(ground.server().unwrap().names().unwrap().is_empty(), "it made a database");
    build(config(&ground)).await.close().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let without_key = Config { data_folder: elsewhere.path().to_owned(), ..config(&ground) };
    let refused = worker(without_key).await.unwrap_err();
    assert!(refused.to_string().contains("copy sealing.key there"), "{refused}");
    let files = Ground::of(Database::Sqlite).unwrap();
    assert!(matches!(worker(config(&files)).await, Err(BuildError::WorkerOnFiles)));
}

const GROUND: &str = "WARREN_TEST_WORKER_GROUND";
const DATABASE: &str = "WARREN_TEST_WORKER_DATABASE";
const NATS: &str = "WARREN_TEST_WORKER_NATS";
const KILLS: u64 = 3;
const JOBS: u64 = 150;

/// Places for one queue in a worker.
const OF_QUEUE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_loses_nothing() {
    let (ground, server) = (Ground::of(Database::PostgreSql).unwrap(), NatsServer::start().unwrap());
    let asks = Config { job_queues: Vec::new(), nats: Some(nats(server.url())), ..config(&ground) };
    let asks = Process::start(&ground, asks).await;
    for number in 0..JOBS {
        asks.ask(number, Conduct::Slow { ms: 5 }).await;
    }
    let done = || noted(&asks.file);
    let worker = || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "jobs::bells::the_worker", "--ignored", "--nocapture"])
            .env(GROUND, ground.folder())
            .env(DATABASE, ground.database_url().unwrap())
            .env(NATS, server.url())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    for kill in 1..=KILLS {
        let mut killed = worker();
        while done().len() < usize::try_from(kill * 20).unwrap() {
            assert!(killed.try_wait().unwrap().is_none(), "the worker ended by itself");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    // What it held is taken up by the next once it is known to be dead.
    let mut last = worker();
    let deadline = Instant::now() + Duration::from_secs(120);
    let all: std::collections::BTreeSet<u64> = (0..JOBS).collect();
    while done().into_iter().collect::<std::collections::BTreeSet<u64>>() != all {
        assert!(Instant::now() < deadline, "{} of {JOBS} were done", done().len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let twice = done().len() - all.len();
    assert!(twice <= usize::try_from(KILLS).unwrap() * OF_QUEUE, "{twice} were done twice");
    last.kill().unwrap();
    last.wait().unwrap();
    asks.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process that the test beside it kills"]
async fn the_worker() {
    let [Ok(folder), Ok(url), Ok(server)] = [GROUND, DATABASE, NATS].map(|name| {
        #[expect(clippy::disallowed_methods, reason = "what the test that starts this process tells it")]
        std::env::var(name)
    }) else {
        return;
    };
    let plain = Config::new(PathBuf::from(folder), "https://vpn.example.org".into());
    let config = Config {
        role: ProcessRole::Worker,
        nats: Some(nats(server)),
        ..plain.on(warren_app::Standing::Server(url.parse().unwrap()))
    };
    let app = App::build(knowing(config), Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    let _tasks = app.spawn_worker(&Shutdown::new());
    // Whoever started it kills it.
    std::future::pending::<()>().await;
}
