//! The job that every queue is given, and where it leaves what the benchmark wants to know.
//!
//! A job is made from its payload alone, in every queue: what it notes can only be the process's.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use warren_app::jobs::{Job, JobError, Outcome, Policy, Secrecy, Work};
use warren_model::{JobPriority, Queue};

use crate::figures::Times;

/// Without a job that ends for this long, a queue is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What began and ended since [`clear`].
struct Board {
    ended: AtomicU64,
    waits: Mutex<Vec<Duration>>,
}

static BOARD: Board = Board { ended: AtomicU64::new(0), waits: Mutex::new(Vec::new()) };
static FIRST_LOOK: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Does nothing, or takes its time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Errand {
    /// When it was asked for, in microseconds of this process, if how long it waits is of interest.
    asked: Option<u64>,
    takes_ms: u64,
}

impl Errand {
    /// One whose wait is noted.
    pub fn timed() -> Self {
        Self { asked: Some(moment()), takes_ms: 0 }
    }

    /// One of many that takes `takes_ms` milliseconds.
    pub const fn of_many(takes_ms: u64) -> Self {
        Self { asked: None, takes_ms }
    }

    /// Notes that it began, and when it ended.
    pub async fn carry_out(&self) {
        if let Some(asked) = self.asked {
            BOARD.waits.lock().push(Duration::from_micros(moment().saturating_sub(asked)));
        }
        if self.takes_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.takes_ms)).await;
        }
        BOARD.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Job for Errand {
    const KIND: &'static str = "errand";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Mail,
        priority: JobPriority::Normal,
        time_limit: Duration::from_secs(10),
        attempts_max: 3,
        wait_first: Duration::from_secs(1),
        wait_cap: Duration::from_secs(10),
        deadline: None,
        secrecy: Secrecy::Plain,
    };

    async fn run(self, _: &Work) -> Result<Outcome, JobError> {
        self.carry_out().await;
        Ok(Outcome::default())
    }
}

fn moment() -> u64 {
    u64::try_from(FIRST_LOOK.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Forgets what was noted.
pub fn clear() {
    BOARD.ended.store(0, Ordering::Relaxed);
    BOARD.waits.lock().clear();
}

/// Errands that ended.
pub fn ended() -> u64 {
    BOARD.ended.load(Ordering::Relaxed)
}

/// How long the timed ones waited, from before they were asked for until they began.
pub fn waits() -> Times {
    BOARD.waits.lock().iter().copied().collect()
}

/// Waits until so many errands have ended.
///
/// # Errors
/// When the queue is stuck.
pub async fn until_ended(count: u64) -> anyhow::Result<()> {
    until(count, ended).await
}

/// Waits until so many timed errands have begun.
///
/// # Errors
/// When the queue is stuck.
pub async fn until_timed(count: u64) -> anyhow::Result<()> {
    until(count, || BOARD.waits.lock().len() as u64).await
}

async fn until(wanted: u64, count: impl Fn() -> u64) -> anyhow::Result<()> {
    let (mut last, mut moved) = (count(), Instant::now());
    while last < wanted {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = count();
        if now > last {
            moved = Instant::now();
        }
        last = now;
        ensure!(moved.elapsed() < STUCK_AFTER, "nothing has ended for {STUCK_AFTER:?}; {last} of {wanted} had");
    }
    Ok(())
}
