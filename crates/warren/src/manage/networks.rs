//! `warren networks`: the private networks of an organisation.

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;
use warren_wire::rest::v1::{CreateNetwork, Gateway, Network, PrefixSuggestion, Tunnel, UpdateNetwork};

use super::{
    confirm::Confirmation,
    console::{Console, ListOptions},
    format, lookup,
    scope::Scope,
    table::{Particulars, Table},
};
use crate::Failure;

/// Networks.
#[derive(Debug, Args)]
pub struct Networks {
    #[command(flatten)]
    scope: Scope,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List them.
    List(ListOptions),
    /// Show one with all its settings.
    Show {
        /// A name or an identifier.
        network: String,
    },
    /// Create one; without a prefix it gets free ones of both families.
    Create {
        name: String,
        #[command(flatten)]
        settings: Settings,
        /// The gateway that carries it: a name or an identifier; needed only where there are several.
        #[arg(long)]
        gateway: Option<String>,
    },
    /// Change what is named; the rest stays.
    Change {
        /// A name or an identifier.
        network: String,
        /// Its new name.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Remove one; possible only while it has no devices that hold an address.
    Remove {
        /// A name or an identifier.
        network: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// What an admin decides about a network.
#[derive(Debug, Args)]
struct Settings {
    /// As 10.20.0.0/24; an empty text removes it.
    #[arg(long, value_name = "PREFIX")]
    ipv4: Option<String>,
    /// As fd12:3456:789a::/64; an empty text removes it.
    #[arg(long, value_name = "PREFIX")]
    ipv6: Option<String>,
    /// A name server; may be given three times, or once empty for none.
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<String>,
    /// A search domain; may be given six times, or once empty for none.
    #[arg(long, value_name = "DOMAIN")]
    search: Vec<String>,
    /// All of a device's traffic goes through the tunnel.
    #[arg(long, conflicts_with_all = ["split", "route"])]
    full: bool,
    /// Only the network and its routes go through the tunnel.
    #[arg(long)]
    split: bool,
    /// A prefix behind the gateway, of a split tunnel; may be given 64 times.
    #[arg(long, value_name = "PREFIX")]
    route: Vec<String>,
    /// Whether the network's devices reach each other.
    #[arg(long)]
    device_traffic: Option<DeviceTraffic>,
    /// In bytes, 1280 to 9000.
    #[arg(long, value_name = "BYTES")]
    mtu: Option<i64>,
    /// 0 (never) to 600.
    #[arg(long, value_name = "SECONDS")]
    keepalive: Option<i64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeviceTraffic {
    Allowed,
    Blocked,
}

impl Settings {
    fn tunnel(&self) -> Option<Tunnel> {
        if self.full {
            Some(Tunnel::Full)
        } else if self.split || !self.route.is_empty() {
            Some(Tunnel::Split { routes: self.route.clone() })
        } else {
            None
        }
    }
    fn device_traffic(&self) -> Option<String> {
        self.device_traffic.map(|traffic| match traffic {
            DeviceTraffic::Allowed => "allowed".into(),
            DeviceTraffic::Blocked => "blocked".into(),
        })
    }
    fn update(self, name: Option<String>) -> UpdateNetwork {
        UpdateNetwork {
            name,
            tunnel: self.tunnel(),
            device_traffic: self.device_traffic(),
            ipv4_prefix: self.ipv4,
            ipv6_prefix: self.ipv6,
            dns_servers: (!self.dns.is_empty()).then(|| given(self.dns)),
            search_domains: (!self.search.is_empty()).then(|| given(self.search)),
            mtu: self.mtu,
            keepalive_seconds: self.keepalive,
        }
    }
    fn create(self, name: String, gateway_id: Option<Uuid>) -> CreateNetwork {
        CreateNetwork {
            name,
            tunnel: self.tunnel(),
            device_traffic: self.device_traffic(),
            ipv4_prefix: self.ipv4.filter(|text| !text.is_empty()),
            ipv6_prefix: self.ipv6.filter(|text| !text.is_empty()),
            dns_servers: given(self.dns),
            search_domains: given(self.search),
            mtu: self.mtu,
            keepalive_seconds: self.keepalive,
            gateway_id,
        }
    }
}

/// Without the empty texts that stand for none.
fn given(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

impl Networks {
    pub async fn run(self) -> Result<(), Failure> {
        let (console, organisation) = self.scope.enter().await?;
        let path = format!("{organisation}/networks");
        match self.verb {
            Verb::List(options) => {
                let empty = "There is no network yet; create the first: warren networks create NAME";
                console.list(&path, &[], &options, table, empty).await
            }
            Verb::Show { network } => {
                let id = find(&console, &path, &network).await?;
                let answer = console.client.get(&format!("{path}/{id}")).await?;
                console.show(&answer, |network: Network| particulars(&network))
            }
            Verb::Create { name, mut settings, gateway } => {
                if settings.ipv4.is_none() && settings.ipv6.is_none() {
                    let free: PrefixSuggestion = console.client.get(&format!("{path}/suggestion")).await?.read()?;
                    (settings.ipv4, settings.ipv6) = (Some(free.ipv4_prefix), Some(free.ipv6_prefix));
                }
                let gateway = match gateway {
                    Some(given) => Some(lookup::find::<Gateway>(&console, "/api/v1/gateways", &[], &given).await?),
                    None => None,
                };
                let answer = console.client.post(&path, &settings.create(name, gateway)).await?;
                console.show(&answer, |made: Network| particulars(&made))
            }
            Verb::Change { network, name, settings } => {
                let path = format!("{path}/{}", find(&console, &path, &network).await?);
                let read = console.client.get(&path).await?;
                let answer = console.client.patch(&path, &read, &settings.update(name)).await?;
                console.show(&answer, |now: Network| particulars(&now))
            }
            Verb::Remove { network, confirmation } => {
                let path = format!("{path}/{}", find(&console, &path, &network).await?);
                let read = console.client.get(&path).await?;
                let known: Network = read.read()?;
                confirmation.ask(&format!("Remove the network {}?", known.name))?;
                console.client.delete(&path, &read).await?;
                console.done(format_args!("Removed {}.", known.name))
            }
        }
    }
}

async fn find(console: &Console, path: &str, given: &str) -> Result<Uuid, Failure> {
    lookup::find::<Network>(console, path, &[], given).await
}

fn prefixes(network: &Network) -> String {
    format::list(network.ipv4_prefix.iter().chain(&network.ipv6_prefix).cloned())
}

fn table(items: &[Network]) -> Table {
    Table::new(&["NAME", "PREFIXES", "TUNNEL", "ENDPOINT", "ID"]).rows(items, |network| {
        vec![
            network.name.clone(),
            prefixes(network),
            format::tunnel(&network.tunnel),
            network.endpoint.clone(),
            network.id.to_string(),
        ]
    })
}

fn particulars(network: &Network) -> Particulars {
    let keepalive = match network.keepalive_seconds {
        0 => "never".to_owned(),
        seconds => format!("every {seconds} s"),
    };
    Particulars::of(&network.name)
        .line("prefixes", prefixes(network))
        .line("room for", format!("{} devices", network.capacity))
        .line("name servers", format::list(network.dns_servers.clone()))
        .line("search domains", format::list(network.search_domains.clone()))
        .line("tunnel", format::tunnel(&network.tunnel))
        .line("device traffic", &network.device_traffic)
        .line("MTU", format!("{} bytes", network.mtu))
        .line("keepalive", keepalive)
        .line("endpoint", &network.endpoint)
        .line("public key", &network.public_key)
        .line("gateway", network.gateway_id.to_string())
        .line("created", format::moment(Some(network.created_at)))
        .line("id", network.id.to_string())
}
