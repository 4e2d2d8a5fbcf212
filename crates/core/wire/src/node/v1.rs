//! Version 1 of the gateway link: JSON text frames over one WebSocket (RFC 6455), opened by the gateway.
//!
//! After [`FromGateway::Hello`] the control plane sends the desired state whole (`SnapshotBegin`, any number of
//! `SnapshotNetworks` and then of `SnapshotPeers`, `SnapshotEnd`), then each change as a [`ToGateway::Change`] whose version is one higher than the last.
//! A gateway that sees a gap closes the link and connects again. Frames hold at most [`FRAME_BYTES_MAX`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// The version that both sides of this module speak.
pub const PROTOCOL: u16 = 1;
/// The path of the link on the portal.
pub const LINK_PATH: &str = "/node/v1/link";
/// The path where a one-time token becomes a credential.
pub const ENROL_PATH: &str = "/node/v1/enrol";
/// The largest frame that either side accepts, in bytes.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// The most networks in one frame: each takes at most 4 KB with all its routes.
pub const NETWORKS_PER_FRAME_MAX: usize = 200;
/// The most peers in one frame.
pub const PEERS_PER_FRAME_MAX: usize = 1000;
/// Each side sends a WebSocket ping when it has been silent this long, in seconds.
pub const PING_AFTER_SECONDS: u64 = 10;
/// Each side gives the link up when it has heard nothing this long, in seconds.
pub const SILENCE_SECONDS_MAX: u64 = 30;

/// Control plane to gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToGateway {
    /// The desired state follows; networks without their peers.
    SnapshotBegin { version: u64, networks: Vec<Network> },
    /// More networks of the snapshot, after [`ToGateway::SnapshotBegin`] and before any peers.
    SnapshotNetworks { networks: Vec<Network> },
    /// Peers of one network of the snapshot.
    SnapshotPeers { network: Uuid, peers: Vec<Peer> },
    /// The snapshot is complete: what it did not name is to be removed.
    SnapshotEnd { version: u64 },
    /// A step from the version before.
    Change { version: u64, changes: Vec<Change> },
    /// The link ends and should not be opened again at once.
    Refused { reason: String },
}

/// One step of the desired state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// The network is new or its settings differ; its peers stay.
    NetworkSet {
        network: Network,
    },
    NetworkRemoved {
        network: Uuid,
    },
    /// The peer is new or differs.
    PeerSet {
        network: Uuid,
        peer: Peer,
    },
    PeerRemoved {
        network: Uuid,
        device: Uuid,
    },
}

/// A network that the gateway serves.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    pub id: Uuid,
    /// The organisation that it belongs to; two organisations never share anything.
    pub organisation: Uuid,
    /// Base64 of the 32-byte Curve25519 private key.
    pub private_key: String,
    /// The UDP port in the host's namespace.
    pub listen_port: u16,
    pub ipv4: Option<Ipv4Net>,
    pub ipv6: Option<Ipv6Net>,
    /// Where devices may go beyond the gateway's own addresses: the network's prefixes and what lies behind.
    pub routes: Vec<IpNet>,
    /// Whether devices of this network reach each other.
    pub device_traffic: DeviceTraffic,
    /// In bytes.
    pub mtu: u16,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("id", &self.id).field("listen_port", &self.listen_port).finish_non_exhaustive()
    }
}

/// Whether devices of one network reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceTraffic {
    Allowed,
    Blocked,
}

/// A device that may use a network.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    pub device: Uuid,
    /// Base64 of the 32-byte Curve25519 public key.
    pub public_key: String,
    /// Base64 of the 32-byte pre-shared key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preshared_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Ipv6Addr>,
    /// The gateway removes the peer then, also while the control plane is away.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

impl Peer {
    /// The peer's addresses, IPv4 first.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.ipv4.map(IpAddr::from).into_iter().chain(self.ipv6.map(IpAddr::from))
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("device", &self.device).finish_non_exhaustive()
    }
}

/// Gateway to control plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromGateway {
    /// The first frame.
    Hello {
        protocol: u16,
        /// The version of the gateway's software.
        software: String,
        /// New at each start of the gateway; byte counters begin at zero with it.
        boot: Uuid,
        backend: Backend,
    },
    /// The desired state up to `version` is in force, except for what `faults` names.
    Applied { version: u64, faults: Vec<Fault> },
    /// What changed at the peers since the last report; at most [`PEERS_PER_FRAME_MAX`].
    Report { peers: Vec<PeerReport> },
}

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    Userspace,
    Kernel,
}

/// A network that could not be brought into its desired state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub network: Uuid,
    /// One English sentence for the operator: what failed and what to do.
    pub reason: String,
}

/// One peer as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerReport {
    pub network: Uuid,
    pub device: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub last_handshake_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<SocketAddr>,
    /// Bytes from the device since the gateway's start; they never fall, also when the peer is removed and set again.
    pub received_bytes: u64,
    /// Bytes to the device since the gateway's start.
    pub sent_bytes: u64,
}

/// `POST` to [`ENROL_PATH`].
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The one-time token.
    pub token: String,
}

/// The answer to an [`EnrolRequest`]. The credential goes into `Authorization: Bearer` on the link.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrolAnswer {
    pub gateway: Uuid,
    pub name: String,
    pub credential: String,
}
