//! What both carriers of WireGuard traffic share: the peers they are given and what they tell of them.

pub(crate) mod ledger;

use std::{io, net::SocketAddr};

use ipnet::IpNet;
use warren_model::{DeviceId, PresharedKey, PublicKey, Timestamp};

/// A device that may use the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSettings {
    pub device: DeviceId,
    pub public_key: PublicKey,
    pub preshared_key: Option<PresharedKey>,
    /// What the device may send from and is sent to. No two devices of a tunnel may share a prefix; where they do, the
    /// one set last holds it.
    pub allowed: Vec<IpNet>,
}

/// What a carrier knows of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStats {
    pub device: DeviceId,
    pub last_handshake_at: Option<Timestamp>,
    /// Where the device's last authentic packet came from.
    pub endpoint: Option<SocketAddr>,
    /// Bytes from the device since the tunnel's start; they never fall, also when the peer is removed and set again.
    pub received_bytes: u64,
    /// Bytes to the device since the tunnel's start.
    pub sent_bytes: u64,
}

/// Why traffic cannot be carried.
#[derive(Debug, thiserror::Error)]
pub enum CarrierError {
    /// Another program, or another network, holds the port: give the network another one.
    #[error("UDP port {port} is in use; free it or give the network another port")]
    PortInUse { port: u16 },
    /// The device presents the network's own key; everything else of the same call was done.
    #[error("device {device} has the network's own key; make a new key for it")]
    OwnKey { device: DeviceId },
    /// The network's private key has a public key that nothing can be agreed with: make a new one.
    #[error("the network's key is too weak to be used; make a new one")]
    WeakKey,
    /// The kernel has no WireGuard: use the userspace carrier.
    #[error("this kernel has no WireGuard")]
    NoKernelWireGuard,
    /// The process lacks `CAP_NET_ADMIN`, or `CAP_SYS_ADMIN` for another network namespace.
    #[error("not permitted to {action}; the gateway needs CAP_NET_ADMIN and CAP_SYS_ADMIN for it")]
    NotPermitted { action: &'static str },
    /// The system refused something that nothing above can put right; make a new tunnel.
    #[error("cannot {action}")]
    System { action: &'static str, source: io::Error },
}

impl CarrierError {
    /// What failed while doing `action`, told apart by what can be done about it.
    pub(crate) fn from_io(action: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => Self::NotPermitted { action },
            _ => Self::System { action, source },
        }
    }

    /// The sentence with its causes.
    pub(crate) fn in_full(&self) -> String {
        match self {
            Self::System { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        }
    }
}
