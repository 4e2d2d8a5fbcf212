//! `warren gateway`: the process that carries traffic, on this host or on another.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ipnet::{Ipv4Net, Ipv6Net};
use warren_gateway::{BackendChoice, Config, HostPort, PlainHttp, ServerAddress, keeper};
use warren_runtime::telemetry;

use crate::{command_line::block_on, failure::Failure, manage::print, up::LogFormat};

/// A gateway.
#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// Become a gateway of an installation, with the token that its operator made.
    Join(Join),
    /// Carry traffic, until SIGINT or SIGTERM.
    Run(Box<Run>),
}

/// Whose gateway, and where it keeps what is its own.
#[derive(Debug, Args)]
struct Place {
    /// The portal of the installation, as https://vpn.example.org.
    #[arg(long, env = "WARREN_SERVER", value_name = "URL")]
    server: ServerAddress,
    /// The gateway's own folder; made when it is not there.
    #[arg(long, env = "WARREN_GATEWAY_STATE", default_value = "./warren-gateway", value_name = "DIR")]
    state: PathBuf,
    /// Certificates to trust beside those of the system, in PEM.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Speak with another machine without TLS, where the way there is encrypted otherwise: private keys pass over it.
    #[arg(long)]
    allow_plain_http: bool,
}

impl Place {
    const fn plain_http(&self) -> PlainHttp {
        if self.allow_plain_http { PlainHttp::Anywhere } else { PlainHttp::WithinThisMachine }
    }
}

/// Becoming a gateway.
#[derive(Debug, Args)]
pub struct Join {
    #[command(flatten)]
    place: Place,
    /// The token; it works once.
    #[arg(long, env = "WARREN_JOIN_TOKEN", hide_env_values = true)]
    token: String,
}

/// Being a gateway.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    place: Place,
    /// What carries the packets: auto (the kernel where it has WireGuard), userspace or kernel.
    #[arg(long, env = "WARREN_GATEWAY_BACKEND", default_value_t = BackendChoice::Auto, value_name = "BACKEND")]
    backend: BackendChoice,
    /// A port of this host that devices may reach, as tcp/443 or udp/53; may be given more than once.
    #[arg(long, value_name = "PROTOCOL/PORT")]
    host_port: Vec<HostPort>,
    /// The range that joins each network's namespace to this host; give each gateway on one host its own.
    #[arg(long, value_name = "PREFIX")]
    transit_ipv4: Option<Ipv4Net>,
    /// The same for IPv6; by default made at the first start.
    #[arg(long, value_name = "PREFIX")]
    transit_ipv6: Option<Ipv6Net>,
    /// Which log lines to write, as `info` or `info,warren_gateway=debug`.
    #[arg(long, env = "WARREN_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
    /// How log lines look; by default text on a terminal and JSON elsewhere.
    #[arg(long, env = "WARREN_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

/// The small part of a gateway that keeps its rights.
#[derive(Debug, Args)]
pub struct Keeper {}

impl Gateway {
    /// Does it.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Self::Join(join) => block_on(join.run()),
            Self::Run(run) => run.run(),
        }
    }
}

impl Join {
    async fn run(self) -> Result<(), Failure> {
        let plain_http = self.place.plain_http();
        let Place { server, state, ca_file, allow_plain_http } = self.place;
        let joined = warren_gateway::join(server.clone(), ca_file.as_ref(), &self.token, &state, plain_http).await?;
        let plain = if allow_plain_http { " --allow-plain-http" } else { "" };
        let trust = ca_file.map(|file| format!(" --ca-file '{}'", file.display())).unwrap_or_default();
        print(format_args!(
            "This host is the gateway {} now. Start it:\n\n  warren gateway run --server {server} --state '{}'{trust}{plain}",
            joined.name,
            state.display()
        ))
    }
}

impl Run {
    /// Called before any other thread exists: the gateway gives its rights up.
    fn run(self) -> Result<(), Failure> {
        telemetry::init(&self.log, LogFormat::or_fitting(self.log_format));
        let plain_http = self.place.plain_http();
        let mut config = Config::new(self.place.state, self.place.server);
        config.ca_file = self.place.ca_file;
        config.plain_http = plain_http;
        config.backend = self.backend;
        config.host_ports = self.host_port;
        config.transit_ipv4 = self.transit_ipv4.unwrap_or(config.transit_ipv4);
        config.transit_ipv6 = self.transit_ipv6;
        Ok(warren_gateway::run(&config)?)
    }
}

impl Keeper {
    /// Is the keeper until its gateway ends.
    ///
    /// # Errors
    /// [`Failure::Start`]
    pub fn run(self) -> Result<(), Failure> {
        keeper::serve().map_err(|source| Failure::start("be the keeper of a gateway", source))
    }
}
