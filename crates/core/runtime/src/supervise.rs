//! Tasks that are started again when they fail, with a growing wait between.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::Instant};
use tracing::{error, info};

use crate::{Shutdown, dependency::PastFailure};

const RESTART_AFTER_FIRST: Duration = Duration::from_millis(200);
const RESTART_AFTER_MAX: Duration = Duration::from_secs(30);
/// A task that ran this long starts its waits anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// The supervised tasks that have not come to their end, for metrics and the operator. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Tasks(Arc<Mutex<Listed>>);

/// A supervised task as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStatus {
    /// Its name.
    pub name: &'static str,
    /// Whether it runs.
    pub state: TaskState,
    /// How long it has been in this state.
    pub state_for: Duration,
    /// How often it was started again.
    pub restarts: u64,
    /// The last failure or panic.
    pub last_failure: Option<PastFailure>,
}

/// Whether a supervised task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// It does.
    Running,
    /// It ended, and is started again after a wait.
    Waiting,
}

#[derive(Debug, Default)]
struct Listed {
    next: u64,
    tasks: BTreeMap<u64, Task>,
}

#[derive(Debug)]
struct Task {
    name: &'static str,
    state: TaskState,
    since: Instant,
    restarts: u64,
    last_failure: Option<(String, Instant)>,
}

impl Tasks {
    /// Runs `make()` until `shutdown`; when it returns early or panics, logs it and runs it again after a wait.
    /// `make` must leave nothing behind that a second run would trip over.
    pub fn supervise<F, Fut, E>(&self, name: &'static str, shutdown: Shutdown, mut make: F) -> JoinHandle<()>
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let entry = self.enter(name);
        tokio::spawn(async move {
            let mut wait = RESTART_AFTER_FIRST;
            while !shutdown.is_requested() {
                let started = Instant::now();
                let failure = match tokio::spawn(make()).await {
                    Ok(Ok(())) if shutdown.is_requested() => break,
                    Ok(Ok(())) => {
                        info!(task = name, "task ended; starting it again");
                        None
                    }
                    Ok(Err(cause)) => {
                        error!(task = name, %cause, "task failed; starting it again");
                        Some(cause.to_string())
                    }
                    Err(panic) => {
                        error!(task = name, cause = %panic, "task panicked; starting it again");
                        Some(panic.to_string())
                    }
                };
                entry.waits(failure);
                if started.elapsed() >= HEALTHY_AFTER {
                    wait = RESTART_AFTER_FIRST;
                }
                tokio::select! {
                    () = shutdown.requested() => break,
                    () = tokio::time::sleep(wait) => wait = (wait * 2).min(RESTART_AFTER_MAX),
                }
                entry.runs_again();
            }
        })
    }

    /// All of them as they are now, in the order in which they were begun.
    pub fn status(&self) -> Vec<TaskStatus> {
        let status = |task: &Task| TaskStatus {
            name: task.name,
            state: task.state,
            state_for: task.since.elapsed(),
            restarts: task.restarts,
            last_failure: task
                .last_failure
                .as_ref()
                .map(|(text, at)| PastFailure { text: text.clone(), ago: at.elapsed() }),
        };
        self.0.lock().tasks.values().map(status).collect()
    }

    fn enter(&self, name: &'static str) -> Entry {
        let mut listed = self.0.lock();
        let number = listed.next;
        listed.next += 1;
        let task = Task { name, state: TaskState::Running, since: Instant::now(), restarts: 0, last_failure: None };
        listed.tasks.insert(number, task);
        Entry { tasks: self.clone(), number }
    }
}

/// Runs a task as [`Tasks::supervise`] does, without listing it.
pub fn supervise<F, Fut, E>(name: &'static str, shutdown: Shutdown, make: F) -> JoinHandle<()>
where
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    Tasks::default().supervise(name, shutdown, make)
}

/// A task's place in the list, which ends with it.
struct Entry {
    tasks: Tasks,
    number: u64,
}

impl Entry {
    fn waits(&self, failure: Option<String>) {
        self.change(|task| {
            (task.state, task.since) = (TaskState::Waiting, Instant::now());
            let cut = |text: String| text.chars().take(PastFailure::TEXT_CHARACTERS_MAX).collect();
            task.last_failure = failure.map(|text| (cut(text), task.since)).or_else(|| task.last_failure.take());
        });
    }

    fn runs_again(&self) {
        self.change(|task| {
            (task.state, task.since) = (TaskState::Running, Instant::now());
            task.restarts += 1;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.0.lock().tasks.get_mut(&self.number) {
            change(task);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.tasks.0.lock().tasks.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_runs_again_until_shutdown() {
        let shutdown = Shutdown::new();
        let runs = Arc::new(AtomicU32::new(0));
        let (counted, stop) = (runs.clone(), shutdown.clone());
        let task = supervise("test", shutdown, move || {
            let (counted, stop) = (counted.clone(), stop.clone());
            async move {
                if counted.fetch_add(1, Ordering::SeqCst) < 2 {
                    panic!("on purpose");
                }
                stop.request();
                Ok::<(), String>(())
            }
        });
        task.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_list_tells_restarts_and_the_last_failure_until_the_task_ends() {
        let (tasks, shutdown) = (Tasks::default(), Shutdown::new());
        let task = tasks.supervise("test", shutdown.clone(), || async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err::<(), _>("out of order")
        });
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let [waiting] = &tasks.status()[..] else { panic!("one task") };
        assert_eq!((waiting.name, waiting.state, waiting.restarts), ("test", TaskState::Waiting, 0));
        assert_eq!(waiting.last_failure.as_ref().unwrap().text, "out of order");
        tokio::time::sleep(Duration::from_millis(200)).await;
        let [running] = &tasks.status()[..] else { panic!("one task") };
        assert_eq!((running.state, running.restarts), (TaskState::Running, 1));
        assert_eq!(running.last_failure.as_ref().unwrap().ago.as_millis() / 100, 3);
        shutdown.request();
        task.await.unwrap();
        assert_eq!(tasks.status(), []);
    }
}
