//! What templates show of devices, networks, people and gateways.

use warren_app::{
    devices::DeviceView,
    gateways::{GatewayState, GatewayView},
    networks::NetworkView,
};
use warren_model::{AccountId, DeviceId, DeviceState, GatewayId, NetworkId, Person, Timestamp, network::Tunnel};

/// An entry of a list to choose from.
#[derive(Debug, Clone)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Choice {
    /// Entries, of which the one with the value `chosen` is chosen.
    pub fn list(entries: impl IntoIterator<Item = (String, String)>, chosen: &str) -> Vec<Self> {
        entries.into_iter().map(|(value, label)| Self { chosen: value == chosen, value, label }).collect()
    }
}

/// A device.
#[derive(Debug, Clone)]
pub struct Device {
    pub id: DeviceId,
    pub name: String,
    pub owner: String,
    pub network: String,
    pub network_id: NetworkId,
    pub addresses: Vec<String>,
    pub public_key: String,
    pub preshared_key: bool,
    pub state: &'static str,
    /// The colour of the state.
    pub tone: &'static str,
    pub online: bool,
    pub last_handshake_at: Option<Timestamp>,
    pub endpoint: Option<String>,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: i64,
}

impl From<&DeviceView> for Device {
    fn from(view: &DeviceView) -> Self {
        let device = &view.device;
        Self {
            id: device.id,
            name: device.name.to_string(),
            owner: view.owner_name.to_string(),
            network: view.network_name.to_string(),
            network_id: device.network,
            addresses: device.addresses.iter().flat_map(|addresses| addresses.iter()).map(|a| a.to_string()).collect(),
            public_key: device.public_key.to_string(),
            preshared_key: device.preshared_key == warren_model::device::PresharedKeyUse::Used,
            state: view.state.as_str(),
            tone: match view.state {
                DeviceState::Active => "",
                DeviceState::Disabled | DeviceState::Expired => "warn",
                DeviceState::Revoked => "bad",
            },
            online: view.online,
            last_handshake_at: view.usage.last_handshake_at,
            endpoint: view.usage.last_endpoint.map(|endpoint| endpoint.to_string()),
            received_bytes: view.usage.received_bytes,
            sent_bytes: view.usage.sent_bytes,
            expires_at: device.expires_at,
            created_at: device.created_at,
            revision: device.revision,
        }
    }
}

/// A network.
#[derive(Debug, Clone)]
pub struct Network {
    pub id: NetworkId,
    pub name: String,
    pub prefix_list: Vec<String>,
    pub tunnel: &'static str,
    pub routes: Vec<String>,
    pub device_traffic: &'static str,
    pub dns_servers: Vec<String>,
    pub search_domains: Vec<String>,
    /// The host of `host:port`.
    pub host: String,
    pub port: u16,
    pub endpoint: String,
    /// Whether devices elsewhere cannot reach the address that they are told.
    pub loopback: bool,
    pub public_key: String,
    pub capacity: u32,
    pub mtu: u16,
    pub keepalive_seconds: u16,
    pub gateway: GatewayId,
    pub gateway_state: &'static str,
    pub gateway_tone: &'static str,
    /// Why the gateway cannot carry the network, in its own words.
    pub fault: Option<String>,
    pub created_at: Timestamp,
}

impl From<&NetworkView> for Network {
    fn from(view: &NetworkView) -> Self {
        let (network, settings) = (&view.network, &view.network.settings);
        let prefix_list: Vec<String> = settings.prefixes.iter().map(|prefix| prefix.to_string()).collect();
        let (gateway_state, gateway_tone) = match (view.gateway, &view.fault) {
            (GatewayState::Online, Some(_)) => ("faulty", "bad"),
            (state, _) => (state.as_str(), tone_of(state)),
        };
        let (tunnel, routes) = match &settings.tunnel {
            Tunnel::Full => ("full", Vec::new()),
            Tunnel::Split { routes } => ("split", routes.iter().map(ToString::to_string).collect()),
        };
        Self {
            id: network.id,
            name: settings.name.to_string(),
            prefix_list,
            tunnel,
            routes,
            device_traffic: settings.device_traffic.as_str(),
            dns_servers: settings.dns.servers().iter().map(ToString::to_string).collect(),
            search_domains: settings.dns.search_domains().iter().map(ToString::to_string).collect(),
            host: view.endpoint.rsplit_once(':').map_or("", |(host, _)| host).to_owned(),
            port: network.listen_port,
            endpoint: view.endpoint.clone(),
            loopback: view.is_loopback,
            public_key: network.public_key.to_string(),
            capacity: settings.prefixes.capacity(),
            mtu: settings.mtu.bytes(),
            keepalive_seconds: settings.keepalive.seconds(),
            gateway: network.gateway,
            gateway_state,
            gateway_tone,
            fault: view.fault.clone(),
            created_at: network.created_at,
        }
    }
}

/// A person of an organisation.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: AccountId,
    pub name: String,
    pub email: String,
    pub role: &'static str,
    pub standing: &'static str,
    pub created_at: Timestamp,
    pub revision: i64,
}

impl From<&Person> for Member {
    fn from(person: &Person) -> Self {
        Self {
            id: person.account,
            name: person.name.to_string(),
            email: person.email.to_string(),
            role: person.role.as_str(),
            standing: person.standing.as_str(),
            created_at: person.created_at,
            revision: person.revision,
        }
    }
}

/// A gateway.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub id: GatewayId,
    pub name: String,
    pub endpoint: String,
    /// Whether devices elsewhere cannot reach the address that they are told.
    pub loopback: bool,
    pub first_port: u16,
    pub state: &'static str,
    pub tone: &'static str,
    pub software: Option<String>,
    pub backend: Option<&'static str>,
    pub last_seen_at: Option<Timestamp>,
    pub networks: u64,
    pub faults: Vec<String>,
    pub created_at: Timestamp,
    pub revision: i64,
}

impl From<&GatewayView> for Gateway {
    fn from(view: &GatewayView) -> Self {
        let gateway = &view.gateway;
        Self {
            id: gateway.id,
            name: gateway.name.to_string(),
            endpoint: gateway.endpoint.to_string(),
            loopback: gateway.endpoint.is_loopback(),
            first_port: gateway.first_port,
            state: view.state.as_str(),
            tone: tone_of(view.state),
            software: view.software.clone(),
            backend: view.backend.map(|backend| backend.as_str()),
            last_seen_at: view.last_seen_at,
            networks: view.networks,
            faults: view.faults.iter().map(|fault| fault.reason.clone()).collect(),
            created_at: gateway.created_at,
            revision: gateway.revision,
        }
    }
}

/// The colour of a gateway's state.
const fn tone_of(state: GatewayState) -> &'static str {
    match state {
        GatewayState::Online => "good",
        GatewayState::Pending => "warn",
        GatewayState::Offline => "bad",
    }
}
