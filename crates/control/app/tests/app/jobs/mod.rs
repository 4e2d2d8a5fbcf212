//! Jobs at work: what comes of those that succeed, fail, panic, hang or are called off, and of their process's death.

mod bells;
mod killed;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rstest::rstest;
use rstest_reuse::apply;
use serde::{Deserialize, Serialize};
use warren_app::{
    App, AppError, Config, Contradiction, OpContext,
    jobs::{Asked, Job, JobError, Outcome, Policy, Secrecy, Work, kind, manage},
};
use warren_auth::Subject;
use warren_model::{JobId, JobPriority, JobState, Queue, RequestId, audit::Source, page::PageRequest};
use warren_runtime::{Shutdown, SystemClock, SystemRandom};
use warren_testkit::ground::{Database, Ground};

use super::support::{config, on_every_database};

/// A job that writes down that it was done, or does worse.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    pub file: PathBuf,
    pub number: u64,
    pub conduct: Conduct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conduct {
    Good,
    /// It takes its time before it writes.
    Slow {
        ms: u64,
    },
    /// It fails the first two times.
    FailsTwice,
    Panics,
    Hangs,
    /// It goes on until it is asked to stop.
    StopsWhenAsked,
}

impl Job for Note {
    const KIND: &'static str = "note";
    const VERSION: u16 = 2;
    const POLICY: Policy = Policy {
        queue: Queue::Mail,
        priority: JobPriority::Normal,
        time_limit: Duration::from_secs(2),
        attempts_max: 3,
        wait_first: Duration::from_millis(10),
        wait_cap: Duration::from_millis(20),
        deadline: None,
        secrecy: Secrecy::Sealed,
    };

    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        match self.conduct {
            Conduct::Good => {}
            Conduct::Slow { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            Conduct::FailsTwice if work.job.attempts < 3 => return Err(JobError::retry("not yet")),
            Conduct::FailsTwice => {}
            Conduct::Panics => panic!("on purpose"),
            Conduct::Hangs => std::future::pending().await,
            Conduct::StopsWhenAsked => loop {
                work.progress(3, 10);
                if work.is_stopped() {
                    return Err(JobError::Stopped);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            },
        }
        let mut file = fs::OpenOptions::new().append(true).create(true).open(&self.file).map_err(JobError::retry)?;
        file.write_all(format!("{}\n", self.number).as_bytes()).map_err(JobError::retry)?;
        Outcome::of(&self.number)
    }
}

/// A control plane at work, with the real clock.
pub struct Shop {
    pub app: App,
    shutdown: Shutdown,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    pub ground: Ground,
}

impl Shop {
    pub async fn new(database: Database) -> Self {
        Self::on(Ground::of(database).unwrap()).await
    }

    pub async fn on(ground: Ground) -> Self {
        let app = build(config(&ground)).await;
        let shutdown = Shutdown::new();
        let tasks = app.spawn_worker(&shutdown);
        Self { app, shutdown, tasks, ground }
    }

    pub fn cx(&self) -> OpContext {
        OpContext {
            app: self.app.clone(),
            subject: Subject::LocalOperator { user: "root".into() },
            source: Source::Local,
            request: RequestId::generate(warren_model::Clock::now(&SystemClock), &SystemRandom),
            idempotency: None,
        }
    }

    pub fn file(&self) -> PathBuf {
        self.ground.folder().join("notes")
    }

    pub async fn ask(&self, number: u64, conduct: Conduct) -> JobId {
        let note = Note { file: self.file(), number, conduct };
        self.app.ask(&note, Asked::default()).await.unwrap()
    }

    /// Waits until the job is as `wanted` says.
    pub async fn until(&self, id: JobId, wanted: JobState) -> warren_storage::StoredJob {
        for _ in 0..2000 {
            let job = self.app.job(id).await.unwrap().unwrap();
            if job.state == wanted {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never was {wanted}: {:?}", self.app.job(id).await)
    }

    /// Ends as a process that is asked to.
    pub async fn end(self) -> Ground {
        self.shutdown.request();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.app.close().await;
        self.ground
    }
}

pub async fn build(config: Config) -> App {
    let config = Config { further_jobs: vec![kind::<Note>()], ..config };
    App::build(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap()
}

pub fn noted(file: &Path) -> Vec<u64> {
    fs::read_to_string(file).unwrap_or_default().lines().map(|line| line.parse().unwrap()).collect()
}

#[apply(on_every_database)]
#[tokio::test]
async fn jobs_are_done_tried_again_and_given_up(#[case] database: Database) {
    let shop = Shop::new(database).await;
    let good = shop.ask(1, Conduct::Good).await;
    let fails = shop.ask(2, Conduct::FailsTwice).await;
    let panics = shop.ask(3, Conduct::Panics).await;
    let done = shop.until(good, JobState::Done).await;
    assert_eq!((done.result.as_deref(), done.attempts), (Some("1"), 1));
    assert!(!done.payload.contains("notes"), "a sealed payload can be read: {}", done.payload);
    assert_eq!(shop.until(fails, JobState::Done).await.attempts, 3);
    let dead = shop.until(panics, JobState::Dead).await;
    assert_eq!((dead.error.as_deref(), dead.attempts), (Some("it panicked: on purpose"), 3));
    let mut all = noted(&shop.file());
    all.sort_unstable();
    assert_eq!(all, [1, 2]);

    let overview = manage::overview(&shop.cx()).await.unwrap();
    let mail = overview.queues.iter().find(|queue| queue.depth.queue == Queue::Mail).unwrap();
    assert_eq!((mail.depth.dead, mail.tally.done, mail.tally.failed, mail.tally.dead), (1, 2, 4, 1));
    assert!(shop.app.metrics().render().contains(r#"warren_job_attempts_total{queue="mail",end="done"} 2"#));
    let filter = manage::Filter { state: Some(JobState::Dead), ..manage::Filter::default() };
    let page = manage::page(&shop.cx(), filter, &PageRequest::new(None, None).unwrap()).await.unwrap();
    assert_eq!(page.items.iter().map(|job| job.id).collect::<Vec<_>>(), [panics]);
    manage::replay(&shop.cx(), panics).await.unwrap();
    assert_eq!(shop.until(panics, JobState::Dead).await.attempts, 3);
    let refused = manage::replay(&shop.cx(), good).await;
    assert!(matches!(refused, Err(AppError::Contradiction(Contradiction::JobNotEnded))));
    shop.end().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_hangs_is_broken_off_and_what_is_called_off_stops(#[case] database: Database) {
    let shop = Shop::new(database).await;
    let hangs = shop.ask(1, Conduct::Hangs).await;
    let stops = shop.ask(2, Conduct::StopsWhenAsked).await;
    shop.until(stops, JobState::Running).await;
    manage::cancel(&shop.cx(), stops).await.unwrap();
    let stopped = shop.until(stops, JobState::Cancelled).await;
    assert_eq!(stopped.progress.done, 3, "{stopped:?}");
    let refused = manage::cancel(&shop.cx(), stops).await;
    assert!(matches!(refused, Err(AppError::Contradiction(Contradiction::JobEnded))));
    let dead = shop.until(hangs, JobState::Dead).await;
    assert_eq!(dead.error.as_deref(), Some("it took longer than 2 s and was broken off"));
    assert!(noted(&shop.file()).is_empty());
    shop.end().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_process_that_ends_lets_go_of_what_it_worked_on(#[case] database: Database) {
    let shop = Shop::new(database).await;
    let long = shop.ask(1, Conduct::StopsWhenAsked).await;
    let short = shop.ask(2, Conduct::Slow { ms: 300 }).await;
    shop.until(long, JobState::Running).await;
    shop.until(short, JobState::Running).await;
    let ground = shop.end().await;
    let app = build(config(&ground)).await;
    let (long, short) = (app.job(long).await.unwrap().unwrap(), app.job(short).await.unwrap().unwrap());
    assert_eq!((long.state, long.attempts), (JobState::Ready, 0), "it counts as an attempt, or is lost");
    assert_eq!(short.state, JobState::Done, "what could come to its end did not");
    app.close().await;
}

#[tokio::test]
async fn a_paused_queue_waits_on_an_operator() {
    let shop = Shop::new(Database::Sqlite).await;
    manage::pause(&shop.cx(), Queue::Mail).await.unwrap();
    let waits = shop.ask(1, Conduct::Good).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(shop.app.job(waits).await.unwrap().unwrap().state, JobState::Ready);
    manage::resume(&shop.cx(), Queue::Mail).await.unwrap();
    shop.until(waits, JobState::Done).await;
    shop.end().await;
}

#[tokio::test]
async fn a_job_of_a_later_version_waits_for_the_program_that_knows_it() {
    let shop = Shop::new(Database::Sqlite).await;
    // As a later program would have left it.
    #[derive(Serialize, Deserialize)]
    struct LaterNote {}
    impl Job for LaterNote {
        const KIND: &'static str = Note::KIND;
        const VERSION: u16 = 3;
        const POLICY: Policy = Note::POLICY;
        async fn run(self, _: &Work) -> Result<Outcome, JobError> {
            Ok(Outcome::default())
        }
    }
    let later = shop.app.ask(&LaterNote {}, Asked::default()).await.unwrap();
    let waiting = shop.until(later, JobState::Waiting).await;
    assert_eq!(waiting.attempts, 0);
    let told = waiting.error.unwrap();
    assert!(told.contains("does not know jobs `note` of version 3"), "{told}");
    shop.end().await;
}
