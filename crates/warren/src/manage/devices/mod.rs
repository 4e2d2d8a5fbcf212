//! `warren devices`: what may join a network.

mod enrol;
mod key;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;
use warren_runtime::SystemClock;
use warren_wire::rest::v1::{Device, Network, Person, UpdateDevice};

use super::{
    confirm::Confirmation,
    console::{Console, ListOptions, print},
    format, lookup,
    moment::Moment,
    scope::Scope,
    table::{Particulars, Table},
};
use crate::Failure;

/// Devices.
#[derive(Debug, Args)]
pub struct Devices {
    #[command(flatten)]
    scope: Scope,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them.
    List {
        /// Only those of this network: a name or an identifier.
        #[arg(long)]
        network: Option<String>,
        /// Only those of this person: a name, an e-mail address or an identifier.
        #[arg(long)]
        owner: Option<String>,
        /// Only those whose name holds this text.
        #[arg(long, short, value_name = "TEXT")]
        query: Option<String>,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Show one.
    Show(Which),
    /// Enrol one; prints its configuration. The key pair is made here unless said otherwise.
    Enrol(Box<enrol::Enrol>),
    /// Print its configuration again, with a placeholder where the private key goes.
    Configuration {
        #[command(flatten)]
        which: Which,
        /// Write it to this new file instead, readable by its owner only.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Give one another name.
    Rename {
        #[command(flatten)]
        which: Which,
        name: String,
    },
    /// Let a disabled one in again.
    Enable(Which),
    /// Keep one out for now; it keeps its addresses.
    Disable(Which),
    /// Change when it expires: `never`, a date as 2027-01-31, or a span as 12h or 30d.
    Expire {
        #[command(flatten)]
        which: Which,
        when: Moment,
    },
    /// Keep one out for ever; its addresses and key are free again.
    Revoke {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// One device.
#[derive(Debug, Args)]
struct Which {
    /// A name or an identifier.
    device: String,
}

impl Devices {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let path = format!("{organisation}/devices");
        match self.verb {
            Verb::List { network, owner, query, list } => {
                let mut filter: Vec<(&str, String)> = query.map(|text| ("q", text)).into_iter().collect();
                if let Some(given) = network {
                    let path = format!("{organisation}/networks");
                    filter.push(("network", lookup::find::<Network>(&console, &path, &[], &given).await?.to_string()));
                }
                if let Some(given) = owner {
                    let path = format!("{organisation}/people");
                    filter.push(("owner", lookup::find::<Person>(&console, &path, &[], &given).await?.to_string()));
                }
                console
                    .list(&path, &filter, &list, table, "There is no device here; enrol one: warren devices enrol")
                    .await
            }
            Verb::Show(which) => {
                let answer = console.client.get(&which.find(&console, &path).await?).await?;
                console.show(&answer, |device: Device| particulars(&device))
            }
            Verb::Enrol(enrol) => enrol.run(&console, &organisation).await,
            Verb::Configuration { which, output } => {
                let path = which.find(&console, &path).await?;
                let answer = console.client.get(&format!("{path}/configuration")).await?;
                let text = String::from_utf8_lossy(&answer.body);
                match output {
                    Some(file) => enrol::PrivateFile::create(file)?.write(&text),
                    None => print(text),
                }
            }
            Verb::Rename { which, name } => {
                change(
                    &console,
                    &which.find(&console, &path).await?,
                    UpdateDevice { name: Some(name), ..<_>::default() },
                )
                .await
            }
            Verb::Enable(which) => change(&console, &which.find(&console, &path).await?, standing("enabled")).await,
            Verb::Disable(which) => change(&console, &which.find(&console, &path).await?, standing("disabled")).await,
            Verb::Expire { which, when } => {
                let at = when.resolve(&SystemClock);
                let text = at.map_or_else(
                    || Ok("never".to_owned()),
                    |at| at.format(&time::format_description::well_known::Rfc3339),
                );
                let text = text.map_err(|_| Failure::Usage("that moment lies too far ahead".into()))?;
                let body = UpdateDevice { expires_at: Some(text), ..<_>::default() };
                change(&console, &which.find(&console, &path).await?, body).await
            }
            Verb::Revoke { which, confirmation } => {
                let path = which.find(&console, &path).await?;
                let read = console.client.get(&path).await?;
                let known: Device = read.read()?;
                confirmation.ask(&format!("Revoke {} of {} for ever?", known.name, known.owner.name))?;
                let answer = console.client.post_to(&format!("{path}/revoke"), &read).await?;
                console.show(&answer, |now: Device| format!("Revoked {}.", now.name))
            }
        }
    }
}

impl Which {
    /// The path of the device that was named.
    async fn find(&self, console: &Console, path: &str) -> Result<String, Failure> {
        let query = [("q", self.device.clone())];
        let id: Uuid = lookup::find::<Device>(console, path, &query, &self.device).await?;
        Ok(format!("{path}/{id}"))
    }
}

async fn change(console: &Console, path: &str, body: UpdateDevice) -> Result<(), Failure> {
    let read = console.client.get(path).await?;
    let answer = console.client.patch(path, &read, &body).await?;
    console.show(&answer, |now: Device| particulars(&now))
}

fn standing(standing: &str) -> UpdateDevice {
    UpdateDevice { standing: Some(standing.to_owned()), ..<_>::default() }
}

fn table(items: &[Device]) -> Table {
    let columns = ["NAME", "OWNER", "NETWORK", "ADDRESSES", "STATE", "LAST SEEN", "RECEIVED", "SENT", "ID"];
    Table::new(&columns).right("RECEIVED").right("SENT").rows(items, |device| {
        vec![
            device.name.clone(),
            device.owner.name.clone(),
            device.network.name.clone(),
            format::addresses(device),
            device.state.clone(),
            format::seen(&device.live),
            format::bytes(device.live.received_bytes),
            format::bytes(device.live.sent_bytes),
            device.id.to_string(),
        ]
    })
}

fn particulars(device: &Device) -> Particulars {
    Particulars::of(&device.name)
        .line("owner", &device.owner.name)
        .line("network", &device.network.name)
        .line("addresses", format::addresses(device))
        .line("state", &device.state)
        .line("expires", format::moment(device.expires_at))
        .line("last seen", format::seen(&device.live))
        .line("from", device.live.endpoint.clone().unwrap_or_default())
        .line("received", format::bytes(device.live.received_bytes))
        .line("sent", format::bytes(device.live.sent_bytes))
        .line("public key", &device.public_key)
        .line("pre-shared key", if device.preshared_key { "used" } else { "not used" })
        .line("created", format::moment(Some(device.created_at)))
        .line("id", device.id.to_string())
}
