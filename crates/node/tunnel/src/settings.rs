//! What a network and a peer are to be, read from the wire and checked once.

use ipnet::IpNet;
use warren_model::{
    DeviceId, Invalid, NetworkId, OrganisationId, PresharedKey, PrivateKey, PublicKey, Timestamp,
    address::{HostIndex, Prefixes},
    network::{DeviceTraffic, Mtu},
};
use warren_wire::node::v1;

/// The most routes of one network: what an admin may name, the prefixes of the network itself, and room to grow.
pub const ROUTES_MAX: usize = 256;

/// A network as the gateway is to carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSettings {
    pub id: NetworkId,
    pub organisation: OrganisationId,
    pub private_key: PrivateKey,
    /// The UDP port in the host's namespace; never zero.
    pub listen_port: u16,
    pub prefixes: Prefixes,
    /// Where devices may go beyond the gateway's own addresses; at most [`ROUTES_MAX`].
    pub routes: Vec<IpNet>,
    pub device_traffic: DeviceTraffic,
    pub mtu: Mtu,
}

impl NetworkSettings {
    /// Whether a running tunnel of `other` can go on under these settings: key and port make a tunnel, the rest is around it.
    pub fn same_tunnel(&self, other: &Self) -> bool {
        self.private_key == other.private_key && self.listen_port == other.listen_port
    }
}

/// A device as the tunnel is to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSettings {
    pub device: DeviceId,
    pub public_key: PublicKey,
    pub preshared_key: Option<PresharedKey>,
    /// Single addresses; no other peer of the network has one of them. May be empty.
    pub allowed: Vec<IpNet>,
}

/// Why a network or peer from the wire cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("the network's private key {0}")]
    PrivateKey(Invalid),
    #[error("the network's UDP port is 0")]
    Port,
    #[error("the network's prefix {0}")]
    Prefix(Invalid),
    #[error("the network has {length} routes; at most {ROUTES_MAX} are allowed")]
    Routes { length: usize },
    #[error("the network's MTU {0}")]
    Mtu(Invalid),
    #[error("the public key of device {device} {flaw}")]
    PublicKey { device: DeviceId, flaw: Invalid },
    #[error("device {device} has the network's own key; make a new key for it")]
    OwnKey { device: DeviceId },
    #[error("the pre-shared key of device {device} {flaw}")]
    PresharedKey { device: DeviceId, flaw: Invalid },
    #[error("address {address} of device {device} is not one that a device of this network can hold")]
    Address { device: DeviceId, address: std::net::IpAddr },
}

impl TryFrom<&v1::Network> for NetworkSettings {
    type Error = Flaw;
    fn try_from(network: &v1::Network) -> Result<Self, Flaw> {
        if network.listen_port == 0 {
            return Err(Flaw::Port);
        }
        if network.routes.len() > ROUTES_MAX {
            return Err(Flaw::Routes { length: network.routes.len() });
        }
        Ok(Self {
            id: NetworkId::from_uuid(network.id),
            organisation: OrganisationId::from_uuid(network.organisation),
            private_key: network.private_key.parse().map_err(Flaw::PrivateKey)?,
            listen_port: network.listen_port,
            prefixes: Prefixes::new(network.ipv4, network.ipv6).map_err(Flaw::Prefix)?,
            routes: network.routes.iter().map(IpNet::trunc).collect(),
            device_traffic: match network.device_traffic {
                v1::DeviceTraffic::Allowed => DeviceTraffic::Allowed,
                v1::DeviceTraffic::Blocked => DeviceTraffic::Blocked,
            },
            mtu: Mtu::new(network.mtu.into()).map_err(Flaw::Mtu)?,
        })
    }
}

impl From<&NetworkSettings> for v1::Network {
    fn from(settings: &NetworkSettings) -> Self {
        Self {
            id: settings.id.uuid(),
            organisation: settings.organisation.uuid(),
            private_key: settings.private_key.expose_base64(),
            listen_port: settings.listen_port,
            ipv4: settings.prefixes.ipv4(),
            ipv6: settings.prefixes.ipv6(),
            routes: settings.routes.clone(),
            device_traffic: match settings.device_traffic {
                DeviceTraffic::Allowed => v1::DeviceTraffic::Allowed,
                DeviceTraffic::Blocked => v1::DeviceTraffic::Blocked,
            },
            mtu: settings.mtu.bytes(),
        }
    }
}

/// A peer as the control plane wants it, with the moment from which it is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DesiredPeer {
    pub settings: PeerSettings,
    pub expires_at: Option<Timestamp>,
    /// Once expired it stays so until it is set again, also when the clock goes back.
    pub standing: Standing,
}

/// Whether a wanted peer is to be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Valid,
    Expired,
}

impl DesiredPeer {
    /// Reads a peer; with `prefixes` its addresses must be ones that a device can hold there.
    pub fn read(peer: &v1::Peer, prefixes: Option<&Prefixes>, now: Timestamp) -> Result<Self, Flaw> {
        let device = DeviceId::from_uuid(peer.device);
        let public_key = peer.public_key.parse().map_err(|flaw| Flaw::PublicKey { device, flaw })?;
        let preshared_key = match &peer.preshared_key {
            Some(text) => Some(text.parse().map_err(|flaw| Flaw::PresharedKey { device, flaw })?),
            None => None,
        };
        let mut allowed = Vec::with_capacity(2);
        for address in peer.addresses() {
            let holds = |prefixes: &Prefixes| {
                prefixes.iter().any(|net| net.contains(&address))
                    && prefixes.at(HostIndex::GATEWAY).iter().all(|gateway| gateway != address)
            };
            if prefixes.is_some_and(|prefixes| !holds(prefixes)) {
                return Err(Flaw::Address { device, address });
            }
            allowed.push(IpNet::from(address));
        }
        let settings = PeerSettings { device, public_key, preshared_key, allowed };
        let mut peer = Self { settings, expires_at: peer.expires_at, standing: Standing::Valid };
        peer.stand(now);
        Ok(peer)
    }

    /// Decides by the moment `now` whether it is to be in force.
    pub fn stand(&mut self, now: Timestamp) {
        self.standing = if self.expires_at.is_some_and(|at| at <= now) { Standing::Expired } else { Standing::Valid };
    }
}

impl From<&DesiredPeer> for v1::Peer {
    fn from(peer: &DesiredPeer) -> Self {
        let settings = &peer.settings;
        let mut wire = Self {
            device: settings.device.uuid(),
            public_key: settings.public_key.to_string(),
            preshared_key: settings.preshared_key.as_ref().map(PresharedKey::expose_base64),
            ipv4: None,
            ipv6: None,
            expires_at: peer.expires_at,
        };
        for net in &settings.allowed {
            match net {
                IpNet::V4(net) => wire.ipv4 = Some(net.addr()),
                IpNet::V6(net) => wire.ipv6 = Some(net.addr()),
            }
        }
        wire
    }
}
