//! `warren gateways`: the hosts that carry traffic.

use clap::{Args, Subcommand};
use uuid::Uuid;
use warren_wire::rest::v1::{CreateGateway, CreatedGateway, Gateway, JoinToken, UpdateGateway};

use super::{
    confirm::Confirmation,
    console::{Console, ListOptions},
    format, lookup,
    scope::Reach,
    table::{Particulars, Table},
};
use crate::Failure;

const PATH: &str = "/api/v1/gateways";

/// Gateways.
#[derive(Debug, Args)]
pub struct Gateways {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them.
    List(ListOptions),
    /// Show one.
    Show {
        /// A name or an identifier.
        gateway: String,
    },
    /// Create one on another host; prints the command to run there.
    Create {
        name: String,
        /// The host name or address that devices dial.
        endpoint: String,
        /// The UDP port of its first network; later ones count up.
        #[arg(long, value_name = "PORT")]
        first_port: Option<i64>,
    },
    /// Change its name or the host that devices dial.
    Change {
        /// A name or an identifier.
        gateway: String,
        #[arg(long)]
        name: Option<String>,
        /// The host name or address that devices dial; they need their configuration anew.
        #[arg(long, value_name = "HOST")]
        endpoint: Option<String>,
    },
    /// Make a new join token, for a host that has not joined or has lost its credential.
    JoinToken {
        /// A name or an identifier.
        gateway: String,
    },
    /// Remove one; possible only while it carries no network.
    Remove {
        /// A name or an identifier.
        gateway: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

impl Gateways {
    pub async fn run(self) -> Result<(), Failure> {
        let console = self.reach.console();
        match self.verb {
            Verb::List(options) => {
                let empty = "There is no gateway yet; create one: warren gateways create NAME HOST";
                console.list(PATH, &[], &options, table, empty).await
            }
            Verb::Show { gateway } => {
                let answer = console.client.get(&find(&console, &gateway).await?).await?;
                console.show(&answer, |gateway: Gateway| particulars(&gateway))
            }
            Verb::Create { name, endpoint, first_port } => {
                let body = CreateGateway { name, endpoint_host: endpoint, first_port };
                let answer = console.client.post(PATH, &body).await?;
                console.show(&answer, |made: CreatedGateway| join(&made.join))
            }
            Verb::Change { gateway, name, endpoint } => {
                let path = find(&console, &gateway).await?;
                let read = console.client.get(&path).await?;
                let body = UpdateGateway { name, endpoint_host: endpoint };
                let answer = console.client.patch(&path, &read, &body).await?;
                console.show(&answer, |now: Gateway| particulars(&now))
            }
            Verb::JoinToken { gateway } => {
                let path = format!("{}/join-token", find(&console, &gateway).await?);
                let answer = console.client.post(&path, &serde_json::json!({})).await?;
                console.show(&answer, |token: JoinToken| join(&token))
            }
            Verb::Remove { gateway, confirmation } => {
                let path = find(&console, &gateway).await?;
                let read = console.client.get(&path).await?;
                let known: Gateway = read.read()?;
                confirmation.ask(&format!("Remove the gateway {}?", known.name))?;
                console.client.delete(&path, &read).await?;
                console.done(format_args!("Removed {}.", known.name))
            }
        }
    }
}

/// The path of the gateway that `given` names.
async fn find(console: &Console, given: &str) -> Result<String, Failure> {
    let id: Uuid = lookup::find::<Gateway>(console, PATH, &[], given).await?;
    Ok(format!("{PATH}/{id}"))
}

fn join(token: &JoinToken) -> String {
    format!(
        "Run this on the gateway's host; the token works once, until {}:\n\n  {}",
        format::moment(Some(token.expires_at)),
        token.command
    )
}

fn table(items: &[Gateway]) -> Table {
    Table::new(&["NAME", "ENDPOINT", "STATE", "NETWORKS", "LAST SEEN", "ID"]).right("NETWORKS").rows(items, |gateway| {
        vec![
            gateway.name.clone(),
            gateway.endpoint_host.clone(),
            gateway.state.clone(),
            gateway.networks.to_string(),
            format::moment(gateway.last_seen_at),
            gateway.id.to_string(),
        ]
    })
}

fn particulars(gateway: &Gateway) -> Particulars {
    let shown = Particulars::of(&gateway.name)
        .line("state", &gateway.state)
        .line("endpoint", format!("{}, UDP ports from {}", gateway.endpoint_host, gateway.first_port))
        .line("networks", gateway.networks.to_string())
        .line("software", gateway.software.clone().unwrap_or_default())
        .line("carried by", gateway.backend.clone().unwrap_or_default())
        .line("last seen", format::moment(gateway.last_seen_at))
        .line("created", format::moment(Some(gateway.created_at)))
        .line("id", gateway.id.to_string());
    gateway
        .faults
        .iter()
        .fold(shown, |shown, fault| shown.line("fault", format!("network {}: {}", fault.network_id, fault.reason)))
}
