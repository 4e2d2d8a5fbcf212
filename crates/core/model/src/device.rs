//! A device and the states it passes through.

use crate::{
    AccountId, DeviceId, DeviceName, NetworkId, PublicKey, Timestamp,
    address::{Addresses, HostIndex},
};

/// A device as it stands in the organisation's database. Its pre-shared key is held apart, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    pub network: NetworkId,
    pub owner: AccountId,
    pub name: DeviceName,
    pub public_key: PublicKey,
    pub preshared_key: PresharedKeyUse,
    /// Its place in the network; none once it is revoked and the addresses are free again.
    pub host_index: Option<HostIndex>,
    /// The addresses at `host_index` in its network; none once it is revoked.
    pub addresses: Option<Addresses>,
    pub standing: Standing,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Grows with each change; the entity tag.
    pub revision: i64,
}

impl Device {
    /// The longest time ahead that an expiry may lie, in days.
    pub const EXPIRY_DAYS_MAX: i64 = 3650;

    /// What the device is at the moment `now`.
    pub fn state(&self, now: Timestamp) -> DeviceState {
        match self.standing {
            Standing::Revoked => DeviceState::Revoked,
            Standing::Disabled => DeviceState::Disabled,
            Standing::Enabled if self.expires_at.is_some_and(|at| at <= now) => DeviceState::Expired,
            Standing::Enabled => DeviceState::Active,
        }
    }
}

/// What people decided about a device; time has no part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    Enabled,
    /// Kept out for now; keeps its addresses.
    Disabled,
    /// Kept out for ever; its addresses and key are free again.
    Revoked,
}

/// What a device is: its standing and the time together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceState {
    Active,
    Disabled,
    Expired,
    Revoked,
}

impl DeviceState {
    /// The word for it in the API and the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// Whether a device mixes in a pre-shared key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresharedKeyUse {
    Used,
    Unused,
}

/// What has passed through a device's tunnel since it was enrolled, seen from the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that the device sent.
    pub received_bytes: u64,
    /// Bytes sent to the device.
    pub sent_bytes: u64,
    pub last_handshake_at: Option<Timestamp>,
    /// The address and port that it last spoke from.
    pub last_endpoint: Option<std::net::SocketAddr>,
}

impl Usage {
    /// A device whose handshake is older than this no longer holds a session (WireGuard's `REJECT_AFTER_TIME`, 180 s).
    pub const ONLINE_WITHIN_SECONDS: i64 = 180;

    /// Whether the device holds a session at the moment `now`.
    pub fn is_online(&self, now: Timestamp) -> bool {
        self.last_handshake_at.is_some_and(|at| (now - at).whole_seconds() < Self::ONLINE_WITHIN_SECONDS)
    }
}

/// A device's usage together with the gateway counters that it was counted up from, so that counting can go on after a
/// restart of either side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageRecord {
    pub usage: Usage,
    /// The start of the gateway that the counters below belong to.
    pub boot: Option<uuid::Uuid>,
    pub boot_received_bytes: u64,
    pub boot_sent_bytes: u64,
}

impl UsageRecord {
    /// Counts on: the gateway that started as `boot` has seen `received_bytes` and `sent_bytes` since then.
    pub fn count(&mut self, boot: uuid::Uuid, received_bytes: u64, sent_bytes: u64) {
        if self.boot != Some(boot) {
            (self.boot, self.boot_received_bytes, self.boot_sent_bytes) = (Some(boot), 0, 0);
        }
        // Counters of one start never fall; a report that came late adds nothing.
        self.usage.received_bytes += received_bytes.saturating_sub(self.boot_received_bytes);
        self.usage.sent_bytes += sent_bytes.saturating_sub(self.boot_sent_bytes);
        self.boot_received_bytes = self.boot_received_bytes.max(received_bytes);
        self.boot_sent_bytes = self.boot_sent_bytes.max(sent_bytes);
    }
}
