//! A process of an installation, as far as caches are concerned: its own memory, and its own way to Redis.

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use warren_cache::{
    Caches, CachesStatus, ClusterState, ClusterStatus, Config, Definition, RedisConfig, Scope, TallyView,
};
use warren_runtime::{SystemRandom, dependency::Dependencies, supervise::Tasks};
use warren_testkit::servers::RedisServer;

use super::proxy::Proxy;
use crate::support::*;

pub const SHARED: Definition<u64> = Definition::shared("numbers", 1, FRESH_FOR);
/// Whatever is waited for comes sooner, or not at all.
const WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(5);

#[derive(Debug, Clone)]
pub struct Process {
    pub caches: Caches,
    pub numbers: Numbers,
}

impl Process {
    /// One that is certain of hearing the others.
    pub async fn joining(server: &RedisServer) -> Self {
        Self::certain(&config_of(&server.url()), SHARED).await
    }

    /// One with a network of its own, certain of hearing the others.
    pub async fn behind(server: &RedisServer) -> (Self, Proxy) {
        let proxy = Proxy::before(server.port()).await;
        let url = server.url().replace(&server.port().to_string(), &proxy.port.to_string());
        (Self::certain(&config_of(&url), SHARED).await, proxy)
    }

    pub async fn certain(redis: &RedisConfig, definition: Definition<u64>) -> Self {
        let process = Self::starting(redis, definition);
        process.until(ClusterState::Certain).await;
        process
    }

    pub fn starting(redis: &RedisConfig, definition: Definition<u64>) -> Self {
        let caches = build(redis);
        let numbers = caches.cache(definition).unwrap();
        Self { caches, numbers }
    }

    pub async fn get(&self, key: u32, truth: &Truth) -> u64 {
        value(self.numbers.get(Scope::Installation, &key, || truth.load()).await)
    }

    /// A change, as a transaction makes and tells it.
    pub async fn change(&self, key: u32, truth: &Truth, to: u64) {
        truth.set(to);
        self.numbers.invalidate(Scope::Installation, &key).await;
    }

    pub fn status(&self) -> CachesStatus {
        self.caches.status()
    }

    pub fn cluster(&self) -> ClusterStatus {
        self.status().cluster.unwrap()
    }

    pub fn tally(&self) -> TallyView {
        tally(&self.caches)
    }

    pub async fn until(&self, state: ClusterState) {
        until(&format!("{state:?}"), || async { self.cluster().state == state }).await;
    }

    /// Until it sees `wanted`; how long that took.
    pub async fn until_seen(&self, key: u32, truth: &Truth, wanted: u64) -> Duration {
        let begun = Instant::now();
        until(&format!("{wanted} is seen"), || async { self.get(key, truth).await == wanted }).await;
        begun.elapsed()
    }
}

pub fn config_of(url: &str) -> RedisConfig {
    RedisConfig::new(url.parse().unwrap())
}

pub fn build(redis: &RedisConfig) -> Caches {
    let random: Arc<SystemRandom> = Arc::new(SystemRandom);
    let dependencies = Dependencies::new(random.clone());
    let config = Config { memory_bytes_max: MEGABYTE, redis: Some(redis.clone()) };
    warren_cache::build(&config, random, &dependencies, &Tasks::default()).unwrap()
}

/// A definition of another value under the same name.
pub fn of_version<V: Serialize + DeserializeOwned>(version: u32) -> Definition<V> {
    Definition::shared("numbers", version, FRESH_FOR)
}

pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let give_up_at = Instant::now() + WITHIN;
    while !condition().await {
        assert!(Instant::now() < give_up_at, "not within {WITHIN:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What this process logs from here on.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn begin() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::set_global_default(lines).expect("each test is a process of its own");
        log
    }

    pub fn count(&self, what: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).lines().filter(|line| line.contains(what)).count()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
