//! The workshop: takes jobs as places come free, and writes down how they ended.
//!
//! Ends and beginnings share transactions: whatever ended since the last one is written down by the next, which also takes
//! what there is room for. The busier the workshop, the more there is in one.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use warren_dispatch::{Bells, Listener};
use warren_model::{JobId, JobPriority, OrganisationId, Queue, Timestamp, WorkerId};
use warren_runtime::Shutdown;
use warren_storage::{
    Cursor, Isolation, JobClaim, JobProgress, QueueClaim, Settlement, StorageError, StoredJob, TransactionOptions,
    Verdict, WorkContext,
};

use super::{door::Door, job::Progress, places::Places, relay::Waiting, run, tally::Tally};
use crate::App;

/// After a transaction that failed.
const WAIT_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Now and then the least urgent are served first, so that they do not wait for ever.
const LEAST_FIRST_EVERY: u64 = 8;
/// How long jobs may still run when the process is to end; then they are let go of.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);

/// What works on jobs in this process, as the rest of it sees it.
#[derive(Debug, Clone)]
pub(crate) struct Workshop(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    worker: WorkerId,
    /// The queues whose jobs are worked on here.
    queues: Vec<Queue>,
    places: Places,
    /// Told when a place may have come free.
    freed: Notify,
    door: Door,
    waiting: Waiting,
    tally: Tally,
    running: Mutex<HashMap<JobId, Running>>,
}

/// A job at work.
#[derive(Debug)]
struct Running {
    queue: Queue,
    progress: Arc<Progress>,
    told: JobProgress,
    stop: CancellationToken,
    called_off: bool,
}

/// The end of an attempt.
struct Ended {
    settlement: Settlement,
    queue: Queue,
    /// How far it had come, where that was not told yet.
    progress: Option<JobProgress>,
}

impl Workshop {
    pub(crate) fn new(worker: WorkerId, queues: Vec<Queue>, places: usize) -> Self {
        Self(Arc::new(Parts {
            worker,
            queues,
            places: Places::new(places),
            freed: Notify::new(),
            door: Door::default(),
            waiting: Waiting::default(),
            tally: Tally::default(),
            running: Mutex::default(),
        }))
    }

    /// Which process this is, in the queue's eyes.
    pub(crate) fn worker(&self) -> WorkerId {
        self.0.worker
    }
    pub(crate) fn places(&self) -> &Places {
        &self.0.places
    }
    pub(crate) fn tally(&self) -> &Tally {
        &self.0.tally
    }
    pub(super) fn waiting(&self) -> &Waiting {
        &self.0.waiting
    }
    /// Says that there is work in `queue`, here and elsewhere.
    pub(crate) fn ring(&self, queue: Queue) {
        self.0.door.ring(queue);
    }
    /// Says so here only: somebody else rang.
    pub(crate) fn ring_here(&self) {
        self.0.door.ring_here();
    }
    /// Has other processes called as well.
    pub(crate) fn hang(&self, bells: Arc<Bells>) {
        self.0.door.hang(bells);
    }
    /// The bells by which other processes are called.
    pub(crate) fn bells(&self) -> Option<&Arc<Bells>> {
        self.0.door.bells()
    }
    /// Changes how many jobs are worked on at once.
    pub(crate) fn set_places(&self, places: usize) {
        self.0.places.set(places);
        self.0.freed.notify_waiters();
        self.ring_here();
    }
    /// Says that `organisation` left jobs in its outbox.
    pub(crate) fn relay_soon(&self, organisation: OrganisationId) {
        self.0.waiting.add(organisation);
    }
    /// Jobs that run here now.
    pub(crate) fn running(&self) -> usize {
        self.0.running.lock().len()
    }
    /// Those that run here.
    pub(super) fn held(&self) -> Vec<JobId> {
        self.0.running.lock().keys().copied().collect()
    }
    /// Asks a job that runs here to stop, because somebody called it off.
    pub(super) fn call_off(&self, job: JobId) {
        if let Some(running) = self.0.running.lock().get_mut(&job) {
            running.called_off = true;
            running.stop.cancel();
        }
    }
    /// What has moved since it was asked last.
    pub(super) fn progress_to_tell(&self) -> Vec<(JobId, JobProgress)> {
        let mut running = self.0.running.lock();
        let moved = running.iter_mut().filter_map(|(job, running)| {
            let now = running.progress.now();
            (std::mem::replace(&mut running.told, now) != now).then_some((*job, now))
        });
        moved.collect()
    }

    /// Jobs of `queue` that may begin here now.
    fn free(&self, queue: Queue, running: &HashMap<Queue, usize>) -> usize {
        if self.0.queues.contains(&queue) { self.0.places.free(queue, running) } else { 0 }
    }

    fn running_by_queue(&self) -> HashMap<Queue, usize> {
        let mut by_queue = HashMap::new();
        for running in self.0.running.lock().values() {
            *by_queue.entry(running.queue).or_default() += 1;
        }
        by_queue
    }
}

/// Takes rings of other processes while there is room for what they may be about.
impl Listener for Workshop {
    fn queues(&self) -> Vec<Queue> {
        self.0.queues.clone()
    }
    fn has_room(&self, queue: Queue) -> bool {
        self.free(queue, &self.running_by_queue()) > 0
    }
    fn room(&self, queue: Queue) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let freed = self.0.freed.notified();
                if self.has_room(queue) {
                    return;
                }
                freed.await;
            }
        })
    }
    fn rung(&self, _: Queue) {
        self.ring_here();
    }
}

pub(super) fn spawn(app: &App, shutdown: &Shutdown) -> JoinHandle<()> {
    let (tasks, app, stop) = (app.tasks(), app.clone(), shutdown.clone());
    tasks.supervise("jobs", shutdown.clone(), move || {
        let dispatcher = Dispatcher::new(app.clone());
        let stop = stop.clone();
        async move {
            dispatcher.run(&stop).await;
            Ok::<(), StorageError>(())
        }
    })
}

struct Dispatcher {
    app: App,
    workshop: Workshop,
    cursor: Cursor,
    cycles: u64,
    ended: Vec<Ended>,
    ends: (mpsc::UnboundedSender<Ended>, mpsc::UnboundedReceiver<Ended>),
}

impl Dispatcher {
    fn new(app: App) -> Self {
        let workshop = app.workshop().clone();
        // Bounded by the places: one message for each job that runs.
        let ends = mpsc::unbounded_channel();
        Self { app, workshop, cursor: Cursor::default(), cycles: 0, ended: Vec::new(), ends }
    }

    async fn run(mut self, shutdown: &Shutdown) {
        let look_every = self.app.config().jobs_looked_for_every;
        while !shutdown.is_requested() {
            let more = match self.cycle(Take::New).await {
                Ok(more) => more,
                Err(cause) => {
                    tracing::warn!(%cause, "jobs wait: the queue cannot be read or written; it is tried again");
                    tokio::time::sleep(WAIT_AFTER_FAILURE).await;
                    continue;
                }
            };
            tokio::select! {
                () = shutdown.requested() => break,
                () = self.workshop.0.door.rung() => {}
                Some(ended) = self.ends.1.recv() => self.ended.push(ended),
                () = tokio::time::sleep(look_every), if !more => {}
                () = std::future::ready(()), if more => {}
            }
            while let Ok(ended) = self.ends.1.try_recv() {
                self.ended.push(ended);
            }
        }
        self.drain().await;
    }

    /// One transaction: writes down what ended and takes what there is room for. Says whether there may be more to take.
    async fn cycle(&mut self, take: Take) -> Result<bool, StorageError> {
        let now = self.app.clock().now();
        let claim = self.claim(now, take);
        let places: usize = claim.queues.iter().map(|of| of.places).sum();
        let settlements: Vec<Settlement> = self.ended.iter().map(|ended| ended.settlement.clone()).collect();
        let progress = self.ended.iter().filter_map(|ended| Some((ended.settlement.job, ended.progress?)));
        let progress: Vec<(JobId, JobProgress)> = progress.collect();
        let (worker, before) = (self.workshop.worker(), self.cursor.clone());
        let options = TransactionOptions { isolation: Isolation::ReadCommitted, ..TransactionOptions::idempotent() };
        let (taken, cursor) = self
            .app
            .system()
            .with_transaction(&WorkContext::BACKGROUND, options, async |tx| {
                let mut cursor = before.clone();
                for (job, at) in &progress {
                    tx.jobs().set_progress(worker, *job, *at).await?;
                }
                if !settlements.is_empty() {
                    tx.jobs().settle(worker, now, &settlements).await?;
                }
                if places == 0 {
                    return Ok::<_, StorageError>((Vec::new(), cursor));
                }
                tx.jobs().promote(now).await?;
                let taken = tx.jobs().claim(&claim, &mut cursor).await?;
                Ok((taken, cursor))
            })
            .await?;
        self.cursor = cursor;
        self.cycles += 1;
        for ended in self.ended.drain(..) {
            let verdict = &ended.settlement.verdict;
            let again = matches!(verdict, Verdict::Retry { run_at, .. } if *run_at <= now);
            if again || matches!(verdict, Verdict::Released) {
                self.workshop.0.door.ring(ended.queue);
            }
        }
        let some = !taken.is_empty();
        self.pass_on(&claim, &taken);
        for job in taken {
            self.begin(job, now);
        }
        // A lane that is full leaves places open; nothing new is found before something ends.
        Ok(some && places > 0 && self.claim(now, Take::New).queues.iter().any(|of| of.places > 0))
    }

    /// Where as much was taken as there was room for, there may be more: others are called.
    fn pass_on(&self, claim: &JobClaim, taken: &[StoredJob]) {
        for of in claim.queues.iter().filter(|of| of.places > 0) {
            if taken.iter().filter(|job| job.queue == of.queue).count() >= of.places {
                self.workshop.0.door.ring_elsewhere(of.queue);
            }
        }
    }

    fn claim(&self, now: Timestamp, take: Take) -> JobClaim {
        let running = self.workshop.running_by_queue();
        let of = |queue: &Queue| QueueClaim {
            queue: *queue,
            places: match take {
                Take::New => self.workshop.free(*queue, &running),
                Take::Nothing => 0,
            },
            lane_max: Places::of_lane_max(*queue),
        };
        let usual = [JobPriority::Urgent, JobPriority::Normal, JobPriority::Low];
        let least_first = [JobPriority::Low, JobPriority::Normal, JobPriority::Urgent];
        let order = if self.cycles % LEAST_FIRST_EVERY == LEAST_FIRST_EVERY - 1 { least_first } else { usual };
        JobClaim { worker: self.workshop.worker(), now, queues: self.workshop.0.queues.iter().map(of).collect(), order }
    }

    fn begin(&self, job: StoredJob, now: Timestamp) {
        let waited = (now - job.run_at).try_into().unwrap_or_default();
        self.workshop.tally().began(job.queue, waited);
        let (progress, stop) = (Arc::<Progress>::default(), CancellationToken::new());
        let running = Running {
            queue: job.queue,
            progress: Arc::clone(&progress),
            told: job.progress,
            stop: stop.clone(),
            called_off: false,
        };
        self.workshop.0.running.lock().insert(job.id, running);
        let (app, workshop, ends) = (self.app.clone(), self.workshop.clone(), self.ends.0.clone());
        tokio::spawn(async move {
            let job = Arc::new(job);
            let attempted = run::attempt(&app, &job, &progress, &stop).await;
            let running = workshop.0.running.lock().remove(&job.id);
            workshop.0.freed.notify_waiters();
            let untold = running.as_ref().map(|running| (running.told, running.progress.now()));
            let progress = untold.and_then(|(told, now)| (told != now).then_some(now));
            let verdict = match attempted.verdict {
                // The process ends, and nobody called the job off.
                Verdict::Cancelled if !running.is_some_and(|running| running.called_off) => Verdict::Released,
                verdict => verdict,
            };
            workshop.tally().ended(job.queue, &verdict, attempted.ran);
            tell(&job, &verdict, attempted.ran);
            let settlement = Settlement { job: job.id, attempt: job.attempts, verdict };
            let _ = ends.send(Ended { settlement, queue: job.queue, progress });
        });
    }

    /// Takes nothing new, lets what runs come to its end or to a good place, and lets go of the rest.
    async fn drain(&mut self) {
        let deadline = Instant::now() + DRAIN_WITHIN;
        for running in self.workshop.0.running.lock().values() {
            running.stop.cancel();
        }
        while self.workshop.running() > 0 {
            let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.ends.1.recv()).await else { break };
            self.ended.push(ended);
        }
        while let Ok(ended) = self.ends.1.try_recv() {
            self.ended.push(ended);
        }
        if let Err(cause) = self.cycle(Take::Nothing).await {
            tracing::warn!(%cause, jobs = self.ended.len(), "how the last jobs ended could not be written down; they run again");
        }
    }
}

/// Whether a transaction takes jobs.
#[derive(Debug, Clone, Copy)]
enum Take {
    New,
    Nothing,
}

fn tell(job: &StoredJob, verdict: &Verdict, ran: Duration) {
    let (id, kind, attempt) = (job.id, job.kind.as_str(), job.attempts);
    let request = job.request.map(|id| id.to_string()).unwrap_or_default();
    let ran_ms = u64::try_from(ran.as_millis()).unwrap_or(u64::MAX);
    match verdict {
        Verdict::Dead { error } => {
            tracing::error!(job = %id, kind, attempt, request, error, "a job failed for good; an operator may replay it");
        }
        Verdict::Retry { error, .. } => {
            tracing::warn!(job = %id, kind, attempt, request, error, "a job failed and is tried again");
        }
        Verdict::Postponed { reason, .. } => tracing::info!(job = %id, kind, request, reason, "a job is put off"),
        Verdict::Done { .. } => tracing::debug!(job = %id, kind, attempt, request, ran_ms, "a job is done"),
        Verdict::Cancelled | Verdict::Released => tracing::info!(job = %id, kind, request, "a job was stopped"),
    }
}
