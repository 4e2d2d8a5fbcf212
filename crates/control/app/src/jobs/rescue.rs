//! Signs of life, and the rescue of what dead processes leave behind.
//!
//! A process is dead when its beat has not moved for a while as others measure it, each by a clock that only goes forward: a
//! wall clock that jumps kills nobody.

use std::{collections::HashMap, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use warren_model::{JobId, WorkerId};
use warren_runtime::Shutdown;
use warren_storage::{Settlement, StorageError, Verdict, Worker};

use crate::App;

const BEAT_EVERY: Duration = Duration::from_secs(1);
/// Others are looked at on each of so many beats.
const LOOK_AT_OTHERS_EVERY: u32 = 5;
/// Without a beat for this long, a process is dead.
const DEAD_AFTER: Duration = Duration::from_secs(30);

pub(super) fn spawn(app: &App, shutdown: &Shutdown) -> JoinHandle<()> {
    let (tasks, app, stop) = (app.tasks(), app.clone(), shutdown.clone());
    tasks.supervise("beat", shutdown.clone(), move || Beating::new(app.clone()).run(stop.clone()))
}

/// Rescues everything that runs, at the start of the only process that there is.
pub(crate) async fn rescue_all(app: &App) -> Result<(), StorageError> {
    let jobs = app.system().jobs();
    let mut dead: Vec<WorkerId> = jobs.workers().await?.iter().map(|worker| worker.id).collect();
    dead.extend(app.system().transaction(async |tx| tx.jobs().orphans(&dead).await).await?);
    for worker in dead {
        rescue(app, worker).await?;
    }
    Ok(())
}

async fn rescue(app: &App, worker: WorkerId) -> Result<(), StorageError> {
    let now = app.clock().now();
    let rescued = app.system().transaction(async |tx| tx.jobs().rescue(worker, now).await).await?;
    let (again, dead, cancelled) = (rescued.again, rescued.dead, rescued.cancelled);
    if again + dead + cancelled > 0 {
        tracing::warn!(%worker, again, dead, cancelled, "a process that worked on jobs is gone; its jobs were taken up");
    }
    app.workshop().ring_here();
    Ok(())
}

struct Beating {
    app: App,
    beat: u64,
    /// The beat of each other process, and since when it has not moved.
    others: HashMap<WorkerId, (u64, Instant)>,
    /// Jobs that stand as this process's and that it knows nothing of; twice in a row, they are let go of.
    unknown: Vec<JobId>,
}

impl Beating {
    fn new(app: App) -> Self {
        Self { app, beat: 0, others: HashMap::new(), unknown: Vec::new() }
    }

    async fn run(mut self, shutdown: Shutdown) -> Result<(), StorageError> {
        let mut ticks = tokio::time::interval(BEAT_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for tick in 0_u32.. {
            tokio::select! {
                () = shutdown.requested() => break,
                _ = ticks.tick() => {}
            }
            if let Err(cause) = self.once(tick % LOOK_AT_OTHERS_EVERY == 0).await {
                tracing::warn!(%cause, "this process could not give a sign of life; it is tried again");
            }
        }
        Ok(())
    }

    async fn once(&mut self, looks_at_others: bool) -> Result<(), StorageError> {
        let (app, workshop) = (self.app.clone(), self.app.workshop().clone());
        let moved = workshop.progress_to_tell();
        if looks_at_others || !moved.is_empty() {
            self.beat += 1;
            let me = self.myself();
            let beating = async |tx: &mut warren_storage::SystemTransaction| {
                tx.jobs().beat(&me).await?;
                for (job, progress) in &moved {
                    tx.jobs().set_progress(me.id, *job, *progress).await?;
                }
                Ok::<_, StorageError>(())
            };
            app.system().transaction(beating).await?;
        }
        if workshop.running() > 0 {
            for job in app.system().jobs().stop_asked(workshop.worker()).await? {
                workshop.call_off(job);
            }
        }
        if looks_at_others {
            self.look_at_others().await?;
            self.let_go_of_unknown().await?;
        }
        Ok(())
    }

    fn myself(&self) -> Worker {
        let app = &self.app;
        Worker {
            id: app.workshop().worker(),
            host: app.config().host.clone(),
            process: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            places: u32::try_from(app.workshop().places().now()).unwrap_or(u32::MAX),
            beat: self.beat,
            started_at: app.started_at(),
        }
    }

    async fn look_at_others(&mut self) -> Result<(), StorageError> {
        let (app, me, now) = (self.app.clone(), self.app.workshop().worker(), Instant::now());
        let workers = app.system().jobs().workers().await?;
        let known: Vec<WorkerId> = workers.iter().map(|worker| worker.id).collect();
        let orphans = app.system().transaction(async |tx| tx.jobs().orphans(&known).await).await?;
        let beats = workers.iter().map(|worker| (worker.id, worker.beat)).chain(orphans.iter().map(|id| (*id, 0)));
        let beats: Vec<(WorkerId, u64)> = beats.filter(|(id, _)| *id != me).collect();
        self.others.retain(|id, _| beats.iter().any(|(other, _)| other == id));
        for (id, beat) in beats {
            let seen = self.others.entry(id).or_insert((beat, now));
            if seen.0 != beat {
                *seen = (beat, now);
            } else if now.duration_since(seen.1) >= DEAD_AFTER {
                self.others.remove(&id);
                rescue(&app, id).await?;
            }
        }
        Ok(())
    }

    /// A claim whose commit nobody knows the outcome of may have succeeded.
    async fn let_go_of_unknown(&mut self) -> Result<(), StorageError> {
        let workshop = self.app.workshop();
        let standing = self.app.system().jobs().held_by(workshop.worker()).await?;
        let held = workshop.held();
        let unknown: Vec<(JobId, u16)> = standing.into_iter().filter(|(job, _)| !held.contains(job)).collect();
        let twice: Vec<Settlement> = unknown
            .iter()
            .filter(|(job, _)| self.unknown.contains(job))
            .map(|(job, attempt)| Settlement { job: *job, attempt: *attempt, verdict: Verdict::Released })
            .collect();
        self.unknown = unknown.into_iter().map(|(job, _)| job).collect();
        if twice.is_empty() {
            return Ok(());
        }
        let (worker, now) = (workshop.worker(), self.app.clock().now());
        self.app.system().transaction(async |tx| tx.jobs().settle(worker, now, &twice).await).await?;
        workshop.ring_here();
        Ok(())
    }
}

/// Takes this process out of the list, once it works on nothing any more.
pub(crate) async fn retire(app: &App) {
    if let Err(cause) = rescue(app, app.workshop().worker()).await {
        tracing::debug!(%cause, "this process stays in the list of workers until another takes it out");
    }
}
