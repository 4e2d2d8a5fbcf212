//! Peers and what is known of them, as the gateway and its keeper tell each other.

use std::{fmt, net::SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;
use warren_model::{DeviceId, PresharedKey, PrivateKey};

use crate::carrier::{PeerSettings, PeerStats};

/// The most prefixes of one peer.
const ALLOWED_MAX: usize = 8;

/// A key in Base64 that no log line shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct KeyText(String);

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText")
    }
}

impl From<&PrivateKey> for KeyText {
    fn from(key: &PrivateKey) -> Self {
        Self(key.expose_base64())
    }
}

impl KeyText {
    /// # Errors
    /// A sentence for the operator when it is no key.
    pub fn read(&self) -> Result<PrivateKey, String> {
        self.0.parse().map_err(|flaw| format!("the network's private key {flaw}"))
    }
}

/// A device that may use a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Peer {
    device: Uuid,
    public_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preshared_key: Option<KeyText>,
    allowed: Vec<IpNet>,
}

impl From<PeerSettings> for Peer {
    fn from(peer: PeerSettings) -> Self {
        Self {
            device: peer.device.uuid(),
            public_key: peer.public_key.to_string(),
            preshared_key: peer.preshared_key.as_ref().map(|key| KeyText(PresharedKey::expose_base64(key))),
            allowed: peer.allowed,
        }
    }
}

impl Peer {
    /// # Errors
    /// A sentence for the operator when it cannot be used.
    pub fn read(self) -> Result<PeerSettings, String> {
        let device = DeviceId::from_uuid(self.device);
        if self.allowed.len() > ALLOWED_MAX {
            return Err(format!("device {device} has more than {ALLOWED_MAX} addresses"));
        }
        let public_key = self.public_key.parse().map_err(|flaw| format!("the public key of device {device} {flaw}"))?;
        let preshared_key = match self.preshared_key {
            Some(KeyText(text)) => {
                Some(text.parse().map_err(|flaw| format!("the pre-shared key of device {device} {flaw}"))?)
            }
            None => None,
        };
        Ok(PeerSettings { device, public_key, preshared_key, allowed: self.allowed })
    }
}

/// What the kernel knows of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    device: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    last_handshake_at: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<SocketAddr>,
    received_bytes: u64,
    sent_bytes: u64,
}

impl Reading {
    /// None when there is nothing to tell: the device has not been there yet.
    pub fn of(stats: PeerStats) -> Option<Self> {
        let PeerStats { device, last_handshake_at, endpoint, received_bytes, sent_bytes } = stats;
        let silent = last_handshake_at.is_none() && received_bytes == 0 && sent_bytes == 0;
        (!silent).then(|| Self { device: device.uuid(), last_handshake_at, endpoint, received_bytes, sent_bytes })
    }
}

impl From<Reading> for PeerStats {
    fn from(reading: Reading) -> Self {
        let Reading { device, last_handshake_at, endpoint, received_bytes, sent_bytes } = reading;
        Self { device: DeviceId::from_uuid(device), last_handshake_at, endpoint, received_bytes, sent_bytes }
    }
}

#[cfg(test)]
mod tests {
    use warren_tunnel::PEERS_PER_COMMAND_MAX;

    use super::{
        super::message::{Answer, MESSAGE_BYTES_MAX, READINGS_PER_PAGE_MAX, Request},
        *,
    };

    fn settings() -> PeerSettings {
        PeerSettings {
            device: DeviceId::from_uuid(Uuid::max()),
            public_key: warren_model::PublicKey::from_bytes([255; 32]).unwrap(),
            preshared_key: Some(PresharedKey::from_bytes([254; 32])),
            allowed: ["255.255.255.255/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/128"]
                .map(|net| net.parse().unwrap())
                .into(),
        }
    }

    #[test]
    fn the_largest_messages_fit() {
        let peers = vec![Peer::from(settings()); PEERS_PER_COMMAND_MAX];
        let set = serde_json::to_vec(&Request::SetPeers { network: Uuid::max(), peers }).unwrap();
        let reading = Reading {
            device: Uuid::max(),
            last_handshake_at: Some(time::macros::datetime!(2026-01-02 03:04:05.123_456_789 UTC)),
            endpoint: Some("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().unwrap()),
            received_bytes: u64::MAX,
            sent_bytes: u64::MAX,
        };
        let stats = serde_json::to_vec(&Answer::Stats { peers: vec![reading; READINGS_PER_PAGE_MAX] }).unwrap();
        for bytes in [set, stats] {
            assert!(bytes.len() <= MESSAGE_BYTES_MAX, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_peer_is_read_back_and_its_key_stays_out_of_logs() {
        let peer = Peer::from(settings());
        assert!(!format!("{peer:?}").contains(&settings().preshared_key.unwrap().expose_base64()));
        assert_eq!(peer.read(), Ok(settings()));
    }
}
