//! Figures of requests and links, in the Prometheus text format at `/metrics` of the admin socket.

use std::time::Duration;

use axum::{extract::State, response::IntoResponse};
use http::{Method, header};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};
use warren_app::Metrics;

use crate::PortalState;

/// What the portal counts. The handles are shared with the registry.
#[derive(Debug, Clone)]
pub(crate) struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    pub turned_away: Counter,
    /// How many may be worked on at once now, as the limit was found.
    pub at_once_max: Gauge,
    pub panics: Counter,
    pub streams: Gauge,
    pub links: Gauge,
}

/// Only values from small fixed sets: a stranger must not be able to add series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

/// From what the cache answers to the time limit of a request.
const SECONDS_BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

impl RequestMetrics {
    /// Makes the figures and enters them into `registry`.
    pub fn register(registry: &Metrics) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS_BUCKETS)),
            turned_away: Counter::default(),
            at_once_max: Gauge::default(),
            panics: Counter::default(),
            streams: Gauge::default(),
            links: Gauge::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register("http_request_seconds", "Time until an answer began", metrics.seconds.clone());
        registry.register(
            "http_requests_turned_away",
            "Requests refused for want of room",
            metrics.turned_away.clone(),
        );
        registry.register(
            "http_requests_at_once_max",
            "Requests that may be worked on at once, as found from how long answers take",
            metrics.at_once_max.clone(),
        );
        registry.register("http_panics", "Requests that ended in a panic", metrics.panics.clone());
        registry.register("live_streams", "Live streams open now", metrics.streams.clone());
        registry.register("gateway_links", "Gateway links open now", metrics.links.clone());
        metrics
    }

    /// Counts one answer. `route` is the pattern that matched, never the path.
    pub fn answered(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let (method, route) = (method_label(method), route.to_owned());
        self.seconds.get_or_create(&RouteLabels { method, route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    }
}

/// One more while it lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// `GET /metrics` on the admin socket.
pub(crate) async fn show(State(state): State<PortalState>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.app().metrics().render())
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
