//! Peers as the kernel's WireGuard is told of them and tells of them (linux/wireguard.h).

use std::net::SocketAddr;

use ipnet::IpNet;
use netlink_packet_wireguard::{
    WireguardAddressFamily, WireguardAllowedIp, WireguardAllowedIpAttr, WireguardPeer, WireguardPeerAttribute,
    WireguardPeerFlags,
};
use warren_model::{PublicKey, Timestamp};

use crate::carrier::ledger::{Bytes, Step};

/// Any will do; it stands for a moment only.
const KEEPALIVE_SECONDS: u16 = 25;

/// What a step is in the kernel's words.
pub(super) fn told(step: Step) -> WireguardPeer {
    use WireguardPeerAttribute::{AllowedIps, Flags, PresharedKey, PublicKey};
    WireguardPeer(match step {
        Step::Remove(_, key) => vec![PublicKey(*key.as_bytes()), Flags(WireguardPeerFlags::RemoveMe)],
        Step::Allow(key, allowed) => vec![
            PublicKey(*key.as_bytes()),
            Flags(WireguardPeerFlags::UpdateOnly | WireguardPeerFlags::ReplaceAllowedIps),
            AllowedIps(allowed.into_iter().map(prefix).collect()),
        ],
        Step::Add(peer) => {
            let mut attributes =
                vec![PublicKey(*peer.public_key.as_bytes()), Flags(WireguardPeerFlags::ReplaceAllowedIps)];
            attributes.extend(peer.preshared_key.as_ref().map(|key| PresharedKey(*key.expose_bytes())));
            attributes.push(AllowedIps(peer.allowed.into_iter().map(prefix).collect()));
            attributes
        }
    })
}

/// Gives a peer its endpoint and has the kernel send to it at once: it does so when a keepalive interval is set where
/// there was none (drivers/net/wireguard/netlink.c, `set_peer`), and without a session that begins a handshake.
pub(super) fn calling(key: &PublicKey, endpoint: SocketAddr) -> WireguardPeer {
    WireguardPeer(vec![
        WireguardPeerAttribute::PublicKey(*key.as_bytes()),
        WireguardPeerAttribute::Flags(WireguardPeerFlags::UpdateOnly),
        WireguardPeerAttribute::Endpoint(endpoint),
        WireguardPeerAttribute::PersistentKeepalive(KEEPALIVE_SECONDS),
    ])
}

/// Takes the interval of [`calling`] away again: keepalives are the device's to send, which may be behind NAT.
pub(super) fn called(key: &PublicKey) -> WireguardPeer {
    WireguardPeer(vec![
        WireguardPeerAttribute::PublicKey(*key.as_bytes()),
        WireguardPeerAttribute::Flags(WireguardPeerFlags::UpdateOnly),
        WireguardPeerAttribute::PersistentKeepalive(0),
    ])
}

fn prefix(net: IpNet) -> WireguardAllowedIp {
    let family = match net {
        IpNet::V4(_) => WireguardAddressFamily::Ipv4,
        IpNet::V6(_) => WireguardAddressFamily::Ipv6,
    };
    WireguardAllowedIp(vec![
        WireguardAllowedIpAttr::Family(family),
        WireguardAllowedIpAttr::IpAddr(net.network()),
        WireguardAllowedIpAttr::Cidr(net.prefix_len()),
    ])
}

/// What the kernel knows of a peer.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) public_key: PublicKey,
    pub(super) last_handshake_at: Option<Timestamp>,
    pub(super) endpoint: Option<SocketAddr>,
    pub(super) bytes: Bytes,
}

impl Known {
    /// None for the later parts of a peer whose prefixes did not fit one message: they repeat the key alone.
    pub(super) fn from_kernel(peer: &WireguardPeer) -> Option<Self> {
        let (mut key, mut received, mut sent, mut endpoint, mut last_handshake_at) = (None, None, None, None, None);
        for attribute in &peer.0 {
            match attribute {
                WireguardPeerAttribute::PublicKey(bytes) => key = PublicKey::from_bytes(*bytes).ok(),
                WireguardPeerAttribute::RxBytes(bytes) => received = Some(*bytes),
                WireguardPeerAttribute::TxBytes(bytes) => sent = Some(*bytes),
                WireguardPeerAttribute::Endpoint(address) => endpoint = Some(*address),
                WireguardPeerAttribute::LastHandshake(at) if at.seconds > 0 => {
                    let nanoseconds = i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nano_seconds);
                    last_handshake_at = Timestamp::from_unix_timestamp_nanos(nanoseconds).ok();
                }
                _ => {}
            }
        }
        Some(Self { public_key: key?, last_handshake_at, endpoint, bytes: Bytes { received: received?, sent: sent? } })
    }
}
