//! Between the domain and the frames of the gateway link.

use warren_app::{
    gateways::{
        Backend, Fault,
        link::{DesiredChange, DesiredNetwork, DesiredPeer},
    },
    live::PeerObservation,
};
use warren_model::{DeviceId, NetworkId, PresharedKey, network::DeviceTraffic};
use warren_wire::node::v1;

pub(super) fn network(desired: &DesiredNetwork) -> v1::Network {
    let settings = &desired.network.settings;
    v1::Network {
        id: desired.network.id.uuid(),
        organisation: desired.organisation.uuid(),
        private_key: desired.private_key.expose_base64(),
        listen_port: desired.network.listen_port,
        ipv4: settings.prefixes.ipv4(),
        ipv6: settings.prefixes.ipv6(),
        routes: settings.routes(),
        device_traffic: match settings.device_traffic {
            DeviceTraffic::Allowed => v1::DeviceTraffic::Allowed,
            DeviceTraffic::Blocked => v1::DeviceTraffic::Blocked,
        },
        mtu: settings.mtu.bytes(),
    }
}

pub(super) fn peer(desired: &DesiredPeer) -> v1::Peer {
    v1::Peer {
        device: desired.device.uuid(),
        public_key: desired.public_key.to_string(),
        preshared_key: desired.preshared_key.as_ref().map(PresharedKey::expose_base64),
        ipv4: desired.addresses.ipv4,
        ipv6: desired.addresses.ipv6,
        expires_at: desired.expires_at,
    }
}

pub(super) fn change(desired: &DesiredChange) -> v1::Change {
    match desired {
        DesiredChange::NetworkSet(desired) => v1::Change::NetworkSet { network: network(desired) },
        DesiredChange::NetworkRemoved(id) => v1::Change::NetworkRemoved { network: id.uuid() },
        DesiredChange::PeerSet(desired) => v1::Change::PeerSet { network: desired.network.uuid(), peer: peer(desired) },
        DesiredChange::PeerRemoved { network, device } => {
            v1::Change::PeerRemoved { network: network.uuid(), device: device.uuid() }
        }
    }
}

pub(super) fn backend(backend: v1::Backend) -> Backend {
    match backend {
        v1::Backend::Userspace => Backend::Userspace,
        v1::Backend::Kernel => Backend::Kernel,
    }
}

pub(super) fn fault(fault: v1::Fault) -> Fault {
    Fault {
        network: NetworkId::from_uuid(fault.network),
        reason: fault.reason.chars().take(FAULT_CHARACTERS_MAX).collect(),
    }
}

pub(super) fn observation(report: v1::PeerReport) -> PeerObservation {
    PeerObservation {
        network: NetworkId::from_uuid(report.network),
        device: DeviceId::from_uuid(report.device),
        last_handshake_at: report.last_handshake_at,
        endpoint: report.endpoint,
        received_bytes: report.received_bytes,
        sent_bytes: report.sent_bytes,
    }
}

/// The longest reason that is kept of a fault.
const FAULT_CHARACTERS_MAX: usize = 500;
