//! Devices.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Device {
    pub id: Uuid,
    #[schema(example = "Anna's laptop")]
    pub name: String,
    pub network: NetworkReference,
    pub owner: PersonReference,
    #[schema(example = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=")]
    pub public_key: String,
    /// Whether a pre-shared key is mixed in.
    pub preshared_key: bool,
    #[schema(example = "10.20.0.2")]
    pub ipv4: Option<String>,
    #[schema(example = "fd12:3456:789a::2")]
    pub ipv6: Option<String>,
    /// `active`, `disabled`, `expired` or `revoked`.
    #[schema(example = "active")]
    pub state: String,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub live: DeviceLive,
    pub revision: i64,
}

/// The network that a device belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NetworkReference {
    pub id: Uuid,
    #[schema(example = "Office")]
    pub name: String,
}

/// The person that a device belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PersonReference {
    pub id: Uuid,
    #[schema(example = "Anna Berg")]
    pub name: String,
}

/// A device as its gateway sees it; also the `device` event of the live stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceLive {
    pub device_id: Uuid,
    /// Whether it holds a session: its last handshake is less than 180 seconds old.
    pub online: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_handshake_at: Option<OffsetDateTime>,
    /// The address and port that it last spoke from.
    #[schema(example = "203.0.113.9:40213")]
    pub endpoint: Option<String>,
    /// Bytes from the device since it was enrolled.
    pub received_bytes: u64,
    /// Bytes to the device since it was enrolled.
    pub sent_bytes: u64,
}

/// A new device.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolDevice {
    #[schema(example = "Anna's laptop", max_length = 60)]
    pub name: String,
    pub network_id: Uuid,
    /// By default the caller; another person's device takes an admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<Uuid>,
    pub key: DeviceKey,
    /// Whether to mix in a pre-shared key, made by the server and shown once.
    #[serde(default)]
    pub preshared_key: bool,
    /// At most ten years ahead; never by default.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

/// Where a device's key pair is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "made_by", rename_all = "snake_case", deny_unknown_fields)]
pub enum DeviceKey {
    /// On the device or in the browser; the private key never leaves it.
    Device {
        #[schema(example = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=")]
        public_key: String,
    },
    /// By the server, for a QR code; shown in the answer and never stored.
    Server,
}

/// A device and its configuration. Secrets in it are shown this once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EnrolledDevice {
    pub device: Device,
    pub configuration: Configuration,
}

/// A WireGuard configuration file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Configuration {
    /// The file's text. Where the private key is unknown to the server it holds `private_key_placeholder` instead.
    pub text: String,
    /// The word to replace with the device's private key; absent when the file is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key_placeholder: Option<String>,
    /// A name for the file: at most 15 of `a-z`, `0-9` and `-`, as interfaces are named, and `.conf`.
    #[schema(example = "annas-laptop.conf")]
    pub file_name: String,
}

/// What is absent stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateDevice {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Anna's old laptop", max_length = 60)]
    pub name: Option<String>,
    /// `enabled` or `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "disabled")]
    pub standing: Option<String>,
    /// A moment, or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-01-31T00:00:00Z")]
    pub expires_at: Option<String>,
}
