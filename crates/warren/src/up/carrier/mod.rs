//! The local gateway: a process of its own that outlives a crash of this one, and is taken over again by the next start.

mod identity;
mod process;

use std::{path::PathBuf, time::Duration};

use tokio::task::JoinHandle;
use warren_app::App;
use warren_model::{
    ambient::random_bytes,
    gateway::{EndpointHost, Enrolment, Gateway},
};
use warren_resilience::Backoff;
use warren_runtime::Shutdown;

use self::process::{Process, Start};
use super::plan::{LocalGateway, Plan};
use crate::Failure;

const RESTART_AFTER_FIRST: Duration = Duration::from_millis(200);
const RESTART_AFTER_MAX: Duration = Duration::from_secs(15);
/// A gateway that ran this long starts its waits anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// What carries traffic on this machine.
#[derive(Debug)]
pub enum Carrier {
    /// Nothing, as was asked.
    Unwanted,
    /// Nothing: this machine, or this user, lacks something.
    Unable { missing: Vec<String> },
    /// A process, watched over.
    Watched { origin: Origin, gateway: Gateway, watch: JoinHandle<()> },
}

/// Where the process came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Started,
    /// It still carried traffic from before.
    Adopted,
}

impl Carrier {
    /// Starts the gateway, or takes over one that still runs.
    ///
    /// # Errors
    /// [`Failure`] when the database or the gateway's folder cannot be used.
    pub async fn start(app: &App, plan: &Plan, shutdown: &Shutdown) -> Result<Self, Failure> {
        let start = Start {
            folder: plan.gateway_folder(),
            socket: plan.node_socket(),
            log: plan.log.clone(),
            log_format: plan.log_format,
            backend: plan.gateway.backend(),
        };
        let LocalGateway::Wanted { endpoint, first_port, backend } = &plan.gateway else {
            // One that a crash left behind would go on carrying traffic that nobody wants any more.
            if let Some(process) = Process::adopt(&start).await {
                process.stop(process::STOP_WITHIN).await;
            }
            return Ok(Self::Unwanted);
        };
        if let Err(missing) = warren_gateway::preflight(*backend) {
            let missing: Vec<String> = missing.iter().map(|one| format!("{one}; run: {}", one.remedy())).collect();
            app.post_notice(format!("This machine carries no traffic: {}", missing.join(" · ")));
            tracing::warn!(?missing, "the gateway is not started");
            return Ok(Self::Unable { missing });
        }
        let wanted =
            identity::Wanted { endpoint: endpoint.clone(), host: plan.public_host()?, first_port: *first_port };
        let (process, gateway) = match Process::adopt(&start).await {
            Some(process) => match identity::known(app, plan, &wanted).await? {
                Some(gateway) if gateway.enrolment != Enrolment::Pending => (process, gateway),
                // It belongs to other data than these, or its credential was taken from it.
                _ => {
                    process.stop(process::STOP_WITHIN).await;
                    let gateway = identity::renew(app, plan, &wanted).await?;
                    (start.spawn()?, gateway)
                }
            },
            None => {
                let gateway = identity::renew(app, plan, &wanted).await?;
                (start.spawn()?, gateway)
            }
        };
        let origin = process.origin();
        let watch = tokio::spawn(watch(app.clone(), start, process, shutdown.clone()));
        Ok(Self::Watched { origin, gateway, watch })
    }

    /// Waits until the gateway has ended; `shutdown` was requested before.
    pub async fn finish(self, within: Duration) {
        if let Self::Watched { watch, .. } = self {
            // A little more than the process itself is given, so that it is not left behind.
            let _ = tokio::time::timeout(within + Duration::from_millis(500), watch).await;
        }
    }

    /// How it is, in sentences for the person who started Warren.
    pub fn describe(&self) -> Vec<String> {
        match self {
            Self::Unwanted => vec!["none on this machine (--no-gateway)".into()],
            Self::Unable { missing } => {
                std::iter::once("not started; everything else works".to_owned()).chain(missing.clone()).collect()
            }
            Self::Watched { origin, gateway, .. } => {
                let how = match origin {
                    Origin::Started => "started",
                    Origin::Adopted => "still running, taken over",
                };
                let ports =
                    format!("{how}; devices connect to {}, UDP from {} on", gateway.endpoint, gateway.first_port);
                std::iter::once(ports).chain(only_here(&gateway.endpoint)).collect()
            }
        }
    }
}

fn only_here(endpoint: &EndpointHost) -> Option<String> {
    endpoint.is_loopback().then(|| {
        "Only this machine can reach that; say the name that others use with --gateway-endpoint HOST.".to_owned()
    })
}

/// Keeps the gateway alive until `shutdown`, then ends it.
async fn watch(app: App, start: Start, mut process: Process, shutdown: Shutdown) {
    const NOTICE: &str = "The gateway on this machine ends again and again; its log lines say why.";
    let mut backoff = Backoff::new(RESTART_AFTER_FIRST, RESTART_AFTER_MAX);
    loop {
        let started = tokio::time::Instant::now();
        tokio::select! {
            () = shutdown.requested() => return process.stop(process::STOP_WITHIN).await,
            how = process.ended() => tracing::error!(how, "the gateway ended; it is started again"),
        }
        if started.elapsed() >= HEALTHY_AFTER {
            backoff.reset();
            app.withdraw_notice(NOTICE);
        }
        process = loop {
            let wait = backoff.after_failure(u64::from_le_bytes(random_bytes(app.random())));
            if backoff.failures() > 3 {
                app.post_notice(NOTICE.to_owned());
            }
            tokio::select! {
                () = shutdown.requested() => return,
                () = tokio::time::sleep(wait) => {}
            }
            match start.spawn() {
                Ok(process) => break process,
                Err(failure) => {
                    tracing::error!(cause = &failure as &dyn std::error::Error, "the gateway cannot be started")
                }
            }
        };
    }
}

impl Plan {
    fn node_socket(&self) -> PathBuf {
        crate::folder::node_socket(&self.data)
    }
}
