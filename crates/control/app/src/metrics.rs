//! Figures for the operator, in the Prometheus text format.

mod databases;

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Metric, Registry},
};
use warren_storage::Databases;

/// Requests that the percentile speaks of, and the fewest that it does.
const REQUESTS_MAX: usize = 512;
const REQUESTS_MIN: usize = 50;

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Scaled {
    signal: &'static str,
    action: &'static str,
}

/// The registry, and the figures that use cases keep.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    pub(crate) sign_ins: Counter,
    pub(crate) sign_ins_refused: Counter,
    pub(crate) devices_enrolled: Counter,
    pub(crate) gateways_online: Gauge,
    pub(crate) open_organisations: Gauge<i64, std::sync::atomic::AtomicI64>,
    pub(crate) usage_unsaved: Gauge<u64, AtomicU64>,
    scaling: Family<Scaled, Counter>,
    requests: Mutex<VecDeque<Duration>>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("warren")),
            sign_ins: Counter::default(),
            sign_ins_refused: Counter::default(),
            devices_enrolled: Counter::default(),
            gateways_online: Gauge::default(),
            open_organisations: Gauge::default(),
            usage_unsaved: Gauge::default(),
            scaling: Family::default(),
            requests: Mutex::default(),
        };
        metrics.register("sign_ins", "Sign-ins that succeeded", metrics.sign_ins.clone());
        metrics.register("sign_ins_refused", "Sign-ins that were refused", metrics.sign_ins_refused.clone());
        metrics.register("devices_enrolled", "Devices enrolled", metrics.devices_enrolled.clone());
        metrics.register("gateways_online", "Gateways that hold a link now", metrics.gateways_online.clone());
        metrics.register(
            "organisation_databases_open",
            "Organisations' databases open now",
            metrics.open_organisations.clone(),
        );
        metrics.register("usage_rows_unsaved", "Devices whose usage waits to be stored", metrics.usage_unsaved.clone());
        metrics.register("scaling_decisions", "Decisions to have more or less, and alerts", metrics.scaling.clone());
        metrics
    }

    pub(crate) fn scaled(&self, signal: &'static str, action: &'static str) {
        self.scaling.get_or_create(&Scaled { signal, action }).inc();
    }

    /// Takes note of how long a request took.
    pub fn request_took(&self, took: Duration) {
        let mut recent = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == REQUESTS_MAX {
            recent.pop_front();
        }
        recent.push_back(took);
    }

    /// What 95 of 100 of the last requests stayed below; none before there were some.
    pub(crate) fn request_p95(&self) -> Option<Duration> {
        let mut recent: Vec<Duration> = {
            let recent = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            (recent.len() >= REQUESTS_MIN).then(|| recent.iter().copied().collect())?
        };
        let index = recent.len() * 95 / 100;
        Some(*recent.select_nth_unstable(index).1)
    }

    /// Adds a figure of another part. Names begin with `warren_`; counters get `_total`.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help, metric);
    }

    /// Adds what the databases tell of themselves.
    pub(crate) fn watch(&self, databases: &Databases) {
        let figures = Box::new(databases::DatabaseFigures(databases.clone()));
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register_collector(figures);
    }

    /// Everything, as Prometheus reads it.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}
