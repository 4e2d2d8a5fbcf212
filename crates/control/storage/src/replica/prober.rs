//! Looks at the primary and its replicas at regular times, for the whole installation at once.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
    time::{error::Elapsed, timeout},
};
use warren_runtime::{Shutdown, supervise::supervise};

use super::{
    Replicas,
    look::{self, ReplicaSeen, Seen},
    member::{Condition, Member},
    samples::{Progress, Samples},
};
use crate::{
    StorageError,
    engine::{Connection, Role, Target},
};

/// Who does not answer a question within this time is taken for gone.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// A replica that has not yet got what the primary had a moment ago is asked again after these.
const ASK_AGAIN_AFTER: [Duration; 3] = [Duration::from_millis(5), Duration::from_millis(20), Duration::from_millis(75)];

/// The task that looks. It ends with the value.
#[derive(Debug)]
pub(crate) struct Prober {
    shutdown: Shutdown,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Prober {
    /// Begins to look at `primary`, a database of the primary server, and at the same database of each replica.
    pub fn start(primary: &Target, replicas: &Arc<Replicas>) -> Self {
        let shutdown = Shutdown::new();
        let (primary, replicas, stop) = (primary.clone(), Arc::clone(replicas), shutdown.clone());
        let task = supervise("look at replicas", shutdown.clone(), move || {
            let (primary, replicas, stop) = (primary.clone(), Arc::clone(&replicas), stop.clone());
            async move {
                tokio::select! {
                    () = stop.requested() => Ok(()),
                    failed = look_at_all(primary, replicas) => failed,
                }
            }
        });
        Self { shutdown, task: Mutex::new(Some(task)) }
    }

    /// Stops looking and closes the connections for it.
    pub async fn stop(&self) {
        self.shutdown.request();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::debug!(%error, "the task that looks at replicas did not end in order");
        }
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

/// One loop for each server, so that one that hangs holds up no other. They end with this future.
async fn look_at_all(primary: Target, replicas: Arc<Replicas>) -> Result<(), JoinError> {
    let samples = Arc::new(Mutex::new(Samples::default()));
    let (sampled, _) = watch::channel(());
    let mut loops = JoinSet::new();
    for (index, member) in replicas.members().iter().enumerate() {
        let following = Following {
            replicas: Arc::clone(&replicas),
            index,
            samples: Arc::clone(&samples),
            line: Line::to(primary.on(&member.url)),
        };
        loops.spawn(following.for_ever(sampled.subscribe()));
    }
    loops.spawn(sample_for_ever(Line::to(primary), samples, sampled, replicas.probe_interval()));
    match loops.join_next().await {
        Some(Err(error)) => Err(error),
        Some(Ok(never)) => match never {},
        None => Ok(()),
    }
}

/// Looks at the primary once in each interval.
async fn sample_for_ever(
    mut primary: Line,
    samples: Arc<Mutex<Samples>>,
    sampled: watch::Sender<()>,
    interval: Duration,
) -> Infallible {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let at = Instant::now();
        match primary.ask_primary().await {
            Ok(Ok(seen)) => lock(&samples).note(at, seen),
            Ok(Err(why)) => lock(&samples).cannot_tell(why),
            // Without news of the primary the replicas grow stale by themselves.
            Err(error) => tracing::debug!(%error, "the primary does not say where it stands"),
        }
        sampled.send_replace(());
    }
}

/// What looks at one replica.
struct Following {
    replicas: Arc<Replicas>,
    index: usize,
    samples: Arc<Mutex<Samples>>,
    line: Line,
}

impl Following {
    /// Looks whenever the primary was looked at.
    async fn for_ever(mut self, mut sampled: watch::Receiver<()>) -> Infallible {
        loop {
            let bound = self.replicas.probe_interval() + ANSWER_WITHIN * 2;
            let _ = timeout(bound, sampled.changed()).await;
            let mut progress = self.look().await;
            for wait in ASK_AGAIN_AFTER {
                if progress == Progress::Settled {
                    break;
                }
                tokio::time::sleep(wait).await;
                progress = self.look().await;
            }
        }
    }

    async fn look(&mut self) -> Progress {
        let condition = match self.line.ask_replica().await {
            Ok(ReplicaSeen::Follows(seen)) => match lock(&self.samples).reached(&seen) {
                None => return Progress::Settled,
                Some(Ok((reached, progress))) => {
                    self.member().follows(reached, self.replicas.lag_max());
                    return progress;
                }
                Some(Err(condition)) => condition,
            },
            Ok(ReplicaSeen::TakesWrites) => Condition::TakesWrites,
            Ok(ReplicaSeen::Untellable(why)) => Condition::Untellable(why),
            Err(error) => Condition::Unreachable(error.to_string().into()),
        };
        self.member().is_no_use(condition, self.replicas.lag_max());
        Progress::Settled
    }

    fn member(&self) -> &Member {
        &self.replicas.members()[self.index]
    }
}

/// The connection by which one server is asked; opened again whenever it broke.
struct Line {
    target: Target,
    connection: Option<Connection>,
}

impl Line {
    const fn to(target: Target) -> Self {
        Self { target, connection: None }
    }

    async fn ask_primary(&mut self) -> Result<Result<Seen, Arc<str>>, StorageError> {
        let answer = timeout(ANSWER_WITHIN, async { look::at_primary(self.open().await?).await }).await;
        self.settle(answer)
    }

    async fn ask_replica(&mut self) -> Result<ReplicaSeen, StorageError> {
        let answer = timeout(ANSWER_WITHIN, async { look::at_replica(self.open().await?).await }).await;
        self.settle(answer)
    }

    async fn open(&mut self) -> Result<&mut Connection, sqlx::Error> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(self.target.connect(Role::Replica).await?)),
        }
    }

    /// A connection on which something went wrong is not used again.
    fn settle<T>(&mut self, answer: Result<Result<T, sqlx::Error>, Elapsed>) -> Result<T, StorageError> {
        let place = self.target.place();
        let error = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => StorageError::from_driver(&Arc::new(error), &place),
            Err(elapsed) => StorageError::Unreachable { place, source: Arc::new(elapsed) },
        };
        self.connection = None;
        Err(error)
    }
}

fn lock(samples: &Mutex<Samples>) -> MutexGuard<'_, Samples> {
    samples.lock().unwrap_or_else(PoisonError::into_inner)
}
