//! The peers of one network as they are wanted: each address and each public key belongs to the last device that was given it.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use warren_model::{DeviceId, PublicKey, Timestamp};

use crate::settings::{DesiredPeer, Standing};

/// Wanted peers, by device.
#[derive(Debug, Clone, Default)]
pub(crate) struct DesiredPeers {
    peers: BTreeMap<DeviceId, DesiredPeer>,
    by_address: BTreeMap<IpNet, DeviceId>,
    by_key: BTreeMap<PublicKey, DeviceId>,
    /// When valid peers stop being so.
    expiries: BTreeSet<(Timestamp, DeviceId)>,
}

impl DesiredPeers {
    pub fn get(&self, device: DeviceId) -> Option<&DesiredPeer> {
        self.peers.get(&device)
    }
    pub fn iter(&self) -> impl Iterator<Item = &DesiredPeer> {
        self.peers.values()
    }
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> {
        self.peers.keys().copied()
    }
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Wants `peer` in place of what was wanted for its device; names the other devices that lose something by it.
    pub fn set(&mut self, peer: DesiredPeer) -> Vec<DeviceId> {
        let device = peer.settings.device;
        self.remove(device);
        let mut losers = Vec::new();
        if let Some(other) = self.by_key.get(&peer.settings.public_key).copied() {
            self.remove(other);
            losers.push(other);
        }
        for net in &peer.settings.allowed {
            if let Some(other) = self.by_address.insert(*net, device).filter(|other| *other != device) {
                if let Some(loser) = self.peers.get_mut(&other) {
                    loser.settings.allowed.retain(|held| held != net);
                }
                losers.push(other);
            }
        }
        self.by_key.insert(peer.settings.public_key, device);
        if let (Some(at), Standing::Valid) = (peer.expires_at, peer.standing) {
            self.expiries.insert((at, device));
        }
        self.peers.insert(device, peer);
        losers
    }

    /// No longer wants a device.
    pub fn remove(&mut self, device: DeviceId) {
        let Some(gone) = self.peers.remove(&device) else { return };
        self.by_key.remove(&gone.settings.public_key);
        for net in &gone.settings.allowed {
            self.by_address.remove(net);
        }
        if let Some(at) = gone.expires_at {
            self.expiries.remove(&(at, device));
        }
    }

    /// When the next peer expires.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Lets the next peer expire whose time has come.
    pub fn expire_next(&mut self, now: Timestamp) -> Option<DeviceId> {
        let (_, device) = self.expiries.first().filter(|(at, _)| *at <= now).copied()?;
        self.expiries.pop_first();
        self.peers.get_mut(&device)?.standing = Standing::Expired;
        Some(device)
    }
}
