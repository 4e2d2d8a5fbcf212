//! Where devices were last heard from, as it is kept, so that a gateway that starts again can call them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;
use warren_model::{DeviceId, NetworkId, Timestamp};

/// The version of the form in which it is kept.
const FORMAT: u32 = 1;

/// A device whose last handshake is older than this has no session (`REJECT_AFTER_TIME` of the WireGuard paper, section
/// 6.1): it begins the next one itself.
pub const HEARD_WITHIN: time::Duration = time::Duration::seconds(180);

/// Devices that were there a moment ago, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    pub(crate) devices: Vec<Whereabout>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whereabout {
    network: Uuid,
    device: Uuid,
    pub endpoint: SocketAddr,
    #[serde(with = "time::serde::timestamp")]
    handshake_at: OffsetDateTime,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    devices: Vec<Whereabout>,
}

impl Whereabout {
    pub const fn new(network: NetworkId, device: DeviceId, endpoint: SocketAddr, handshake_at: Timestamp) -> Self {
        Self { network: network.uuid(), device: device.uuid(), endpoint, handshake_at }
    }
    pub const fn network(&self) -> NetworkId {
        NetworkId::from_uuid(self.network)
    }
    pub const fn device(&self) -> DeviceId {
        DeviceId::from_uuid(self.device)
    }
    /// Whether its session may still stand.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        (now - self.handshake_at).abs() <= HEARD_WITHIN
    }
}

impl Whereabouts {
    /// As bytes; with many devices it takes a while.
    pub fn encode(&self) -> Vec<u8> {
        // Numbers and addresses have a written form.
        serde_json::to_vec(&Kept { format: FORMAT, devices: self.devices.clone() }).unwrap_or_default()
    }

    /// Reads what [`Whereabouts::encode`] wrote. Something else tells of nobody: devices then call by themselves.
    pub fn decode(bytes: &[u8]) -> Self {
        let kept = serde_json::from_slice::<Kept>(bytes).ok().filter(|kept| kept.format == FORMAT);
        Self { devices: kept.map(|kept| kept.devices).unwrap_or_default() }
    }
}
