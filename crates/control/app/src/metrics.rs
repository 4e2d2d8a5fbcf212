//! Figures for the operator, in the Prometheus text format.

mod databases;

use std::sync::{Mutex, PoisonError, atomic::AtomicU64};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Metric, Registry},
};
use warren_storage::Databases;

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
        metrics
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
