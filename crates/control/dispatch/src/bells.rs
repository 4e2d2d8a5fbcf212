//! The bells of this process: what was rung is noted at once, and goes out when there is a connection.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;
use warren_model::{Queue, Random, ambient::random_bytes};
use warren_resilience::{Backoff, BreakerSettings, Window};
use warren_runtime::{
    Shutdown,
    dependency::{AtOnce, Dependencies, Dependency, DependencyError, DependencyName, DependencySettings},
};

use crate::{BellsStatus, Listener, NatsConfig, session::Session, status::Ledger};

/// The wait after the first failure; it doubles with each, with jitter, up to the cap.
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_CAP: Duration = Duration::from_secs(5);
/// One answer of the server.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The bells of this process.
#[derive(Debug)]
pub struct Bells {
    pub(crate) config: NatsConfig,
    pub(crate) dependency: Arc<Dependency>,
    pub(crate) ledger: Ledger,
    /// Which process this is.
    pub(crate) me: String,
    random: Arc<dyn Random>,
    /// Queues that were rung for and not told of yet: as many as there are queues at most.
    waiting: Mutex<BTreeSet<Queue>>,
    rang: Notify,
}

impl Bells {
    /// Bells that nobody carries yet; [`Bells::run`] does. `me` is a word that no other process has. They are the dependency `nats`.
    ///
    /// # Errors
    /// When `dependencies` takes no more.
    pub fn new(
        config: NatsConfig,
        dependencies: &Dependencies,
        random: Arc<dyn Random>,
        me: String,
    ) -> Result<Arc<Self>, DependencyError> {
        let dependency = dependencies.add(DependencyName::new("nats"), settings())?;
        let (ledger, waiting, rang) = (Ledger::default(), Mutex::default(), Notify::new());
        Ok(Arc::new(Self { config, dependency, ledger, me, random, waiting, rang }))
    }

    /// Says elsewhere that there is work in `queue`. Rings for one queue that come close after each other are one.
    pub fn ring(&self, queue: Queue) {
        self.waiting.lock().insert(queue);
        self.rang.notify_one();
    }

    /// How the connection is.
    pub fn status(&self) -> BellsStatus {
        self.ledger.view(self.config.url.server())
    }

    /// Carries rings in both directions until `shutdown`, over one connection after the other.
    pub async fn run(&self, listener: &dyn Listener, shutdown: &Shutdown) {
        let mut backoff = Backoff::new(WAIT_FIRST, WAIT_CAP);
        loop {
            let error = tokio::select! {
                () = shutdown.requested() => return,
                error = Session::carry(self, listener) => error,
            };
            if self.ledger.failed(self.config.url.server(), &error) {
                backoff.reset();
            }
            let wait = backoff.after_failure(u64::from_ne_bytes(random_bytes(&*self.random)));
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Waits until somebody here rings, or has rung since the last time.
    pub(crate) async fn rung(&self) {
        self.rang.notified().await;
    }
    /// What was rung for.
    pub(crate) fn take(&self) -> BTreeSet<Queue> {
        std::mem::take(&mut self.waiting.lock())
    }
}

/// Short waits: the connection is tried again by [`Bells::run`], and nobody stands in a line.
fn settings() -> DependencySettings {
    DependencySettings {
        breaker: BreakerSettings {
            window: Window::Calls(10),
            calls_min: 5,
            probes: 1,
            open_first: Duration::from_secs(1),
            open_max: WAIT_CAP,
            ..BreakerSettings::default()
        },
        at_once: AtOnce::Fixed(4),
        // Connecting and making what rings are kept in takes some answers.
        time_limit: 3 * ANSWER_WITHIN,
        ..DependencySettings::default()
    }
}
