//! What every handler reaches: the use cases, and the limits that all requests share.

use std::sync::Arc;

use ipnet::IpNet;
use tokio::sync::Semaphore;
use warren_app::App;
use warren_runtime::Shutdown;

use crate::{
    admission::{self, Admission},
    attempts::Attempts,
    metrics::RequestMetrics,
};

/// How the portal is set.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The reverse proxies whose `X-Forwarded-For` is believed. Empty: the connection's own address counts.
    pub trusted_proxies: Vec<IpNet>,
}

/// Shared by every request; cloning is cheap.
#[derive(Clone)]
pub struct PortalState(Arc<Inner>);

struct Inner {
    app: App,
    config: Config,
    shutdown: Shutdown,
    /// `scheme://host[:port]` of the public URL, as browsers send it in `Origin`.
    origin: String,
    attempts: Attempts,
    admission: Admission,
    streams: Arc<Semaphore>,
    uploads: Semaphore,
    metrics: RequestMetrics,
}

impl PortalState {
    /// Requests that are worked on at once; more are turned away with 503.
    pub const REQUESTS_AT_ONCE_MAX: usize = admission::REQUESTS_AT_ONCE_MAX as usize;
    /// Live streams that are open at once; more are turned away with 503.
    pub const STREAMS_AT_ONCE_MAX: usize = 2048;
    /// Files that come in at once; more are turned away with 503.
    pub const UPLOADS_AT_ONCE_MAX: usize = 16;

    /// The state of one portal. `shutdown` ends its live streams and gateway links.
    pub fn new(app: App, config: Config, shutdown: Shutdown) -> Self {
        let origin = origin_of(app.public_url());
        let metrics = RequestMetrics::register(app.metrics());
        Self(Arc::new(Inner {
            app,
            config,
            shutdown,
            origin,
            attempts: Attempts::default(),
            admission: Admission::default(),
            streams: Arc::new(Semaphore::new(Self::STREAMS_AT_ONCE_MAX)),
            uploads: Semaphore::new(Self::UPLOADS_AT_ONCE_MAX),
            metrics,
        }))
    }
    /// The use cases.
    pub fn app(&self) -> &App {
        &self.0.app
    }
    pub fn config(&self) -> &Config {
        &self.0.config
    }
    /// Requested when the process is to end.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }
    /// The origin of the public URL: `https://vpn.example.org`.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }
    /// Whether browsers reach the portal over TLS.
    pub fn is_https(&self) -> bool {
        self.0.origin.starts_with("https://")
    }
    /// Failed attempts to prove who one is, by address.
    pub(crate) fn attempts(&self) -> &Attempts {
        &self.0.attempts
    }
    pub(crate) fn admission(&self) -> &Admission {
        &self.0.admission
    }
    pub(crate) fn streams(&self) -> Arc<Semaphore> {
        self.0.streams.clone()
    }
    pub(crate) fn uploads(&self) -> &Semaphore {
        &self.0.uploads
    }
    pub(crate) fn metrics(&self) -> &RequestMetrics {
        &self.0.metrics
    }
}

/// The part of `url` that browsers call its origin: lower case, without path and without the scheme's usual port.
fn origin_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let scheme = scheme.to_ascii_lowercase();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let usual_port = if scheme == "http" { ":80" } else { ":443" };
    let authority = authority.strip_suffix(usual_port).unwrap_or(&authority);
    format!("{scheme}://{authority}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_what_browsers_send() {
        for (url, origin) in [
            ("https://vpn.example.org", "https://vpn.example.org"),
            ("https://VPN.example.org:443/warren", "https://vpn.example.org"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80/", "http://[::1]"),
        ] {
            assert_eq!(origin_of(url), origin);
        }
    }
}
