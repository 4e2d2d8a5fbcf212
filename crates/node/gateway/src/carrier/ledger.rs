//! Which devices a tunnel serves, what must be done to serve others, and the bytes of those that left.
//!
//! No I/O: [`Ledger::plan_set`] and [`Ledger::plan_remove`] say what to do, the carrier does it.

use std::collections::HashMap;

use ipnet::IpNet;
use warren_model::{DeviceId, PublicKey, Timestamp};

use crate::carrier::PeerSettings;

/// A handshake time computed again from "so long ago" differs by the time that the computation takes. Within this many
/// milliseconds it is the same handshake; real ones are at least five seconds apart (WireGuard's `REKEY_TIMEOUT`).
const SAME_HANDSHAKE_MS: i64 = 1000;

/// The devices of one tunnel.
#[derive(Debug)]
pub(crate) struct Ledger {
    own_key: PublicKey,
    devices: HashMap<DeviceId, PeerSettings>,
    owners: HashMap<PublicKey, DeviceId>,
    /// Of each device's earlier peers. Kept for the tunnel's life: 40 bytes a device.
    earlier: HashMap<DeviceId, Bytes>,
    handshakes: HashMap<DeviceId, Timestamp>,
}

/// What has passed through a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bytes {
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

/// One thing to do, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Remove(DeviceId, PublicKey),
    Add(PeerSettings),
    /// The session stays.
    Allow(PublicKey, Vec<IpNet>),
}

/// What brings peers into force.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// A device that has the network's own key; it is not in force.
    pub(crate) refused: Option<DeviceId>,
}

impl Ledger {
    /// An empty one for a network whose key is `own_key`.
    pub(crate) fn new(own_key: PublicKey) -> Self {
        Self {
            own_key,
            devices: HashMap::new(),
            owners: HashMap::new(),
            earlier: HashMap::new(),
            handshakes: HashMap::new(),
        }
    }

    /// What brings `wanted` into force; the ledger then takes it as done.
    pub(crate) fn plan_set(&mut self, wanted: Vec<PeerSettings>) -> Plan {
        let mut steps = Vec::new();
        let mut refused = None;
        for peer in wanted {
            if peer.public_key == self.own_key {
                steps.extend(self.leave(peer.device));
                refused = Some(peer.device);
                continue;
            }
            match self.devices.get(&peer.device) {
                Some(present) if *present == peer => continue,
                // A new pre-shared key must not leave a session standing that was made with the old one.
                Some(present)
                    if present.public_key != peer.public_key || present.preshared_key != peer.preshared_key =>
                {
                    steps.extend(self.leave(peer.device));
                }
                Some(_) => {
                    steps.push(Step::Allow(peer.public_key, peer.allowed.clone()));
                    self.devices.insert(peer.device, peer);
                    continue;
                }
                None => {}
            }
            if let Some(owner) = self.owners.get(&peer.public_key).copied() {
                steps.extend(self.leave(owner));
            }
            self.owners.insert(peer.public_key, peer.device);
            self.devices.insert(peer.device, peer.clone());
            steps.push(Step::Add(peer));
        }
        Plan { steps, refused }
    }

    /// What takes `devices` out of force; those that are not there need nothing.
    pub(crate) fn plan_remove(&mut self, devices: Vec<DeviceId>) -> Vec<Step> {
        devices.into_iter().filter_map(|device| self.leave(device)).collect()
    }

    /// Keeps the bytes of a peer that is about to leave.
    pub(crate) fn carry(&mut self, device: DeviceId, bytes: Bytes) {
        let earlier = self.earlier.entry(device).or_default();
        earlier.received += bytes.received;
        earlier.sent += bytes.sent;
    }

    /// The bytes of a device over all of its peers, `present` being those of the one in force.
    pub(crate) fn total(&self, device: DeviceId, present: Bytes) -> Bytes {
        let earlier = self.earlier.get(&device).copied().unwrap_or_default();
        Bytes { received: earlier.received + present.received, sent: earlier.sent + present.sent }
    }

    /// The device that `key` stands for.
    pub(crate) fn owner(&self, key: &PublicKey) -> Option<DeviceId> {
        self.owners.get(key).copied()
    }

    /// The key that stands for `device`, if it is in force.
    pub(crate) fn key(&self, device: DeviceId) -> Option<PublicKey> {
        self.devices.get(&device).map(|peer| peer.public_key)
    }

    /// The moment of a handshake that was computed to be `seen`, the same each time that it is asked for.
    pub(crate) fn steady_handshake(&mut self, device: DeviceId, seen: Timestamp) -> Timestamp {
        let known = self.handshakes.entry(device).or_insert(seen);
        if (seen - *known).whole_milliseconds().abs() > SAME_HANDSHAKE_MS.into() {
            *known = seen;
        }
        *known
    }

    fn leave(&mut self, device: DeviceId) -> Option<Step> {
        let peer = self.devices.remove(&device)?;
        self.owners.remove(&peer.public_key);
        self.handshakes.remove(&device);
        Some(Step::Remove(device, peer.public_key))
    }
}

#[cfg(test)]
mod tests {
    use warren_model::PresharedKey;

    use super::*;

    fn ledger() -> Ledger {
        Ledger::new(key(200))
    }
    fn device(number: u8) -> DeviceId {
        format!("01900000-0000-7000-8000-0000000000{number:02x}").parse().unwrap()
    }
    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; 32]).unwrap()
    }
    fn peer(number: u8, key_number: u8, address: &str) -> PeerSettings {
        PeerSettings {
            device: device(number),
            public_key: key(key_number),
            preshared_key: None,
            allowed: vec![address.parse().unwrap()],
        }
    }

    #[test]
    fn the_same_settings_again_need_nothing() {
        let mut ledger = ledger();
        assert_eq!(ledger.plan_set(vec![peer(1, 11, "10.0.0.2/32")]).steps, [Step::Add(peer(1, 11, "10.0.0.2/32"))]);
        assert_eq!(ledger.plan_set(vec![peer(1, 11, "10.0.0.2/32")]).steps, []);
    }

    #[test]
    fn another_address_keeps_the_session() {
        let mut ledger = ledger();
        ledger.plan_set(vec![peer(1, 11, "10.0.0.2/32")]);
        let steps = ledger.plan_set(vec![peer(1, 11, "10.0.0.3/32")]).steps;
        assert_eq!(steps, [Step::Allow(key(11), vec!["10.0.0.3/32".parse().unwrap()])]);
    }

    #[test]
    fn another_key_or_preshared_key_ends_the_session() {
        let mut ledger = ledger();
        ledger.plan_set(vec![peer(1, 11, "10.0.0.2/32")]);
        let renewed = peer(1, 12, "10.0.0.2/32");
        assert_eq!(
            ledger.plan_set(vec![renewed.clone()]).steps,
            [Step::Remove(device(1), key(11)), Step::Add(renewed.clone())]
        );
        let shared = PeerSettings { preshared_key: Some(PresharedKey::from_bytes([1; 32])), ..renewed };
        assert_eq!(ledger.plan_set(vec![shared.clone()]).steps, [Step::Remove(device(1), key(12)), Step::Add(shared)]);
    }

    #[test]
    fn a_key_belongs_to_the_device_that_has_it_last() {
        let mut ledger = ledger();
        ledger.plan_set(vec![peer(1, 11, "10.0.0.2/32")]);
        let heir = peer(2, 11, "10.0.0.3/32");
        assert_eq!(ledger.plan_set(vec![heir.clone()]).steps, [Step::Remove(device(1), key(11)), Step::Add(heir)]);
        assert_eq!(ledger.owner(&key(11)), Some(device(2)));
        assert_eq!(ledger.plan_remove(vec![device(1)]), []);
    }

    #[test]
    fn bytes_survive_removal() {
        let mut ledger = ledger();
        ledger.plan_set(vec![peer(1, 11, "10.0.0.2/32")]);
        ledger.carry(device(1), Bytes { received: 5, sent: 7 });
        assert_eq!(ledger.plan_remove(vec![device(1), device(2)]), [Step::Remove(device(1), key(11))]);
        ledger.plan_set(vec![peer(1, 12, "10.0.0.2/32")]);
        assert_eq!(ledger.total(device(1), Bytes { received: 1, sent: 1 }), Bytes { received: 6, sent: 8 });
    }

    #[test]
    fn a_handshake_keeps_its_moment() {
        let mut ledger = ledger();
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(ledger.steady_handshake(device(1), at), at);
        assert_eq!(ledger.steady_handshake(device(1), at + time::Duration::milliseconds(3)), at);
        let later = at + time::Duration::seconds(120);
        assert_eq!(ledger.steady_handshake(device(1), later), later);
    }

    #[test]
    fn the_networks_own_key_is_no_devices_key() {
        let mut ledger = ledger();
        ledger.plan_set(vec![peer(1, 11, "10.0.0.2/32")]);
        let plan = ledger.plan_set(vec![peer(1, 200, "10.0.0.2/32"), peer(2, 12, "10.0.0.3/32")]);
        assert_eq!(plan.refused, Some(device(1)));
        assert_eq!(plan.steps, [Step::Remove(device(1), key(11)), Step::Add(peer(2, 12, "10.0.0.3/32"))]);
    }
}
