//! What the tests load from: a truth that changes, gates that hold loads back, and randomness that is none.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;
use uuid::Uuid;
use warren_cache::{Cache, Caches, Config, Definition, Held, Loaded, Scope};
use warren_model::{AccountId, OrganisationId, Random};
use warren_runtime::{dependency::Dependencies, supervise::Tasks};

pub const MEGABYTE: u64 = 1 << 20;
/// Who is to load does so before this.
const REACHED_WITHIN: Duration = Duration::from_secs(20);
pub const FRESH_FOR: Duration = Duration::from_secs(60);

/// Always the same bytes.
#[derive(Debug)]
pub struct Bytes(pub u8);

impl Random for Bytes {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

/// Why nothing could be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub &'static str);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

pub type Numbers = Cache<u32, u64, Unavailable>;
pub type Answer = Result<Option<Held<u64>>, Unavailable>;

pub const NUMBERS: Definition<u64> = Definition::in_memory("numbers", FRESH_FOR);

/// Caches in memory whose times have no jitter.
pub fn caches() -> Caches {
    caches_with(Bytes(0))
}

pub fn caches_with(random: Bytes) -> Caches {
    let random: Arc<dyn Random> = Arc::new(random);
    let dependencies = Dependencies::new(Arc::clone(&random));
    warren_cache::build(&Config::in_memory(MEGABYTE), random, &dependencies, &Tasks::default()).unwrap()
}

pub fn numbers(definition: Definition<u64>) -> (Caches, Numbers) {
    let caches = caches();
    let numbers = caches.cache(definition).unwrap();
    (caches, numbers)
}

pub fn organisation(number: u128) -> Scope {
    Scope::Organisation(organisation_id(number))
}

pub fn organisation_id(number: u128) -> OrganisationId {
    OrganisationId::from_uuid(Uuid::from_u128(number))
}

pub fn account(number: u128) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(number))
}

/// What a database would be: a number that changes, and that may not be had.
#[derive(Debug, Clone, Default)]
pub struct Truth(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    value: AtomicU64,
    reads: AtomicU64,
    outage: Mutex<Option<Unavailable>>,
}

impl Truth {
    pub fn of(value: u64) -> Self {
        let truth = Self::default();
        truth.set(value);
        truth
    }
    pub fn set(&self, value: u64) {
        self.0.value.store(value, Ordering::SeqCst);
    }
    pub fn fail(&self, why: &'static str) {
        *self.0.outage.lock().unwrap() = Some(Unavailable(why));
    }
    pub fn mend(&self) {
        *self.0.outage.lock().unwrap() = None;
    }
    /// How often it was read, also in vain.
    pub fn reads(&self) -> u64 {
        self.0.reads.load(Ordering::SeqCst)
    }
    /// A load of it.
    pub fn load(&self) -> impl Future<Output = Result<Loaded<u64>, Unavailable>> + Send + 'static + use<> {
        let truth = self.clone();
        async move { truth.read().map(Loaded::found) }
    }
    pub fn read(&self) -> Result<u64, Unavailable> {
        self.0.reads.fetch_add(1, Ordering::SeqCst);
        match &*self.0.outage.lock().unwrap() {
            Some(outage) => Err(outage.clone()),
            None => Ok(self.0.value.load(Ordering::SeqCst)),
        }
    }
    /// A load that reads, and then waits at the gate before it ends.
    pub fn load_through(
        &self,
        gate: &Gate,
    ) -> impl Future<Output = Result<Loaded<u64>, Unavailable>> + Send + 'static + use<> {
        let (truth, gate) = (self.clone(), gate.clone());
        async move {
            let read = truth.read().map(Loaded::found);
            gate.pass().await;
            read
        }
    }
}

/// Holds loads back until it is opened.
#[derive(Debug, Clone)]
pub struct Gate {
    arrivals: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub fn shut() -> Self {
        Self { arrivals: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }
    async fn pass(&self) {
        self.arrivals.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }
    /// Waits until somebody stands before it.
    pub async fn reached(&self) {
        let arrival = tokio::time::timeout(REACHED_WITHIN, self.arrivals.acquire()).await;
        arrival.expect("nobody loads").unwrap().forget();
    }
    /// Lets `count` pass.
    pub fn open(&self, count: usize) {
        self.open.add_permits(count);
    }
}

/// The number itself.
pub fn value(answer: Answer) -> u64 {
    *answer.unwrap().expect("there is one")
}

/// The one cache's counts.
pub fn tally(caches: &Caches) -> warren_cache::TallyView {
    caches.status().caches[0].tally
}

/// Has everything that can go on go on.
pub async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
