//! What can be said to `warren up`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use warren_gateway::BackendChoice;
use warren_model::gateway::{EndpointHost, Gateway};
use warren_runtime::telemetry;

use super::{mail::MailOptions, scaling::ScalingOptions, webhooks::WebhookOptions};
use crate::{database::DatabaseOptions, folder, nats::NatsOptions};

/// Options of `warren up`.
#[derive(Debug, Args)]
pub struct Options {
    /// Where everything is kept; made when it is not there.
    #[arg(long, env = "WARREN_DATA", default_value = folder::DEFAULT, value_name = "DIR")]
    pub data: PathBuf,
    #[command(flatten)]
    pub database: DatabaseOptions,
    /// How long to wait at the start for a database server that does not answer yet, in seconds.
    #[arg(long, env = "WARREN_DATABASE_WAIT", default_value_t = 60, value_name = "SECONDS")]
    pub database_wait: u64,
    #[command(flatten)]
    pub nats: NatsOptions,
    #[command(flatten)]
    pub mail: MailOptions,
    /// Where the portal listens.
    #[arg(long, env = "WARREN_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// How people and gateways reach the portal; by default the listen address.
    #[arg(long, env = "WARREN_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// The certificate chain of the portal, in PEM.
    #[arg(long, env = "WARREN_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, env = "WARREN_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Listen without TLS beyond this machine: for a reverse proxy that brings it. Browsers sign in over https only.
    #[arg(long)]
    pub allow_plain_http: bool,
    /// A reverse proxy in front, as a prefix, whose X-Forwarded-For is believed; may be given more than once.
    #[arg(long, value_name = "PREFIX")]
    pub trusted_proxy: Vec<IpNet>,
    #[command(flatten)]
    pub webhooks: WebhookOptions,
    #[command(flatten)]
    pub scaling: ScalingOptions,
    /// The host that devices dial; by default the public URL's.
    #[arg(long, env = "WARREN_GATEWAY_ENDPOINT", value_name = "HOST")]
    pub gateway_endpoint: Option<EndpointHost>,
    /// The UDP port of the gateway's first network; later ones count up.
    #[arg(long, default_value_t = Gateway::FIRST_PORT_DEFAULT, value_name = "PORT")]
    pub gateway_port: u16,
    /// What carries the gateway's packets: auto (the kernel where it has WireGuard), userspace or kernel.
    #[arg(long, env = "WARREN_GATEWAY_BACKEND", default_value_t = BackendChoice::Auto, value_name = "BACKEND")]
    pub backend: BackendChoice,
    /// Carry no traffic on this machine.
    #[arg(long)]
    pub no_gateway: bool,
    /// Which log lines to write, as `info` or `info,warren_app=debug`.
    #[arg(long, env = "WARREN_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
    /// How log lines look; by default text on a terminal and JSON elsewhere.
    #[arg(long, env = "WARREN_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

impl LogFormat {
    /// The one that was said, or the one that fits standard error.
    pub fn or_fitting(said: Option<Self>) -> telemetry::LogFormat {
        match said {
            Some(Self::Text) => telemetry::LogFormat::Text,
            Some(Self::Json) => telemetry::LogFormat::Json,
            None => telemetry::LogFormat::for_stderr(),
        }
    }
}
