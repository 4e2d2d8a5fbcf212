//! Byte counters and handshakes of peers since the gateway's start.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
};

use warren_model::{DeviceId, NetworkId, Timestamp};
use warren_wire::node::v1::{PEERS_PER_FRAME_MAX, PeerReport};

use crate::{command::CommandId, whereabouts::Whereabout};

/// How many removed devices keep their counters for the case that they come back.
pub const RETIRED_MAX: usize = 100_000;

/// One peer as its tunnel counts it. The counters begin at zero with the tunnel and never fall while it stands, also when
/// the peer is removed and set again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStats {
    pub device: DeviceId,
    pub last_handshake_at: Option<Timestamp>,
    pub endpoint: Option<SocketAddr>,
    /// Bytes from the device.
    pub received_bytes: u64,
    /// Bytes to the device.
    pub sent_bytes: u64,
}

type Key = (NetworkId, DeviceId);

/// Totals of all peers that ever were in force, and which of them the control plane has not heard of.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    totals: BTreeMap<Key, Totals>,
    unreported: BTreeSet<Key>,
    retired: VecDeque<Key>,
    moves: u64,
}

#[derive(Debug, Default)]
struct Totals {
    received: Counter,
    sent: Counter,
    last_handshake_at: Option<Timestamp>,
    endpoint: Option<SocketAddr>,
    /// The last command that had been handed out when a tunnel went; older readings count what is folded in already.
    folded_by: CommandId,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counter {
    before: u64,
    current: u64,
}

impl Counter {
    const fn total(self) -> u64 {
        self.before.saturating_add(self.current)
    }
    const fn read(&mut self, value: u64) {
        if value < self.current {
            self.fold();
        }
        self.current = value;
    }
    const fn fold(&mut self) {
        self.before = self.total();
        self.current = 0;
    }
}

impl Totals {
    fn whereabout(&self, (network, device): Key, now: Timestamp) -> Option<Whereabout> {
        let whereabout = Whereabout::new(network, device, self.endpoint?, self.last_handshake_at?);
        whereabout.is_fresh(now).then_some(whereabout)
    }
}

fn all_of(network: NetworkId) -> std::ops::RangeInclusive<Key> {
    let key = |device| (network, DeviceId::from_uuid(device));
    key(uuid::Uuid::nil())..=key(uuid::Uuid::max())
}

impl Counters {
    /// Takes a reading of `network`'s tunnel that began after the command `as_of` had been carried out.
    pub fn read(&mut self, network: NetworkId, as_of: CommandId, stats: Vec<PeerStats>) {
        for peer in stats {
            let key = (network, peer.device);
            if peer.received_bytes == 0 && peer.sent_bytes == 0 && peer.last_handshake_at.is_none() {
                continue;
            }
            let totals = self.totals.entry(key).or_default();
            if totals.folded_by > as_of {
                continue;
            }
            let before = (totals.received.total(), totals.sent.total(), totals.last_handshake_at, totals.endpoint);
            totals.received.read(peer.received_bytes);
            totals.sent.read(peer.sent_bytes);
            totals.last_handshake_at = totals.last_handshake_at.max(peer.last_handshake_at);
            totals.endpoint = peer.endpoint.or(totals.endpoint);
            if (before.2, before.3) != (totals.last_handshake_at, totals.endpoint) {
                self.moves += 1;
            }
            if before != (totals.received.total(), totals.sent.total(), totals.last_handshake_at, totals.endpoint) {
                self.unreported.insert(key);
            }
        }
    }

    /// Grows whenever [`Counters::whereabouts`] may tell something else than before.
    pub const fn moves(&self) -> u64 {
        self.moves
    }

    /// Where the devices are whose sessions may stand now.
    pub fn whereabouts(&self, now: Timestamp) -> impl Iterator<Item = Whereabout> {
        self.totals.iter().filter_map(move |(key, totals)| totals.whereabout(*key, now))
    }

    /// Of one network.
    pub fn whereabouts_in(&self, network: NetworkId, now: Timestamp) -> impl Iterator<Item = Whereabout> {
        self.totals.range(all_of(network)).filter_map(move |(key, totals)| totals.whereabout(*key, now))
    }

    /// The network's tunnel went with its counters; the next one counts on from here.
    pub fn fold(&mut self, network: NetworkId, command: CommandId) {
        for totals in self.totals.range_mut(all_of(network)).map(|(_, totals)| totals) {
            totals.received.fold();
            totals.sent.fold();
            totals.folded_by = command;
        }
    }

    /// Devices left; forgets those that left longest ago, beyond [`RETIRED_MAX`]. `in_force` says which are back.
    pub fn retire(&mut self, network: NetworkId, devices: &[DeviceId], in_force: impl Fn(NetworkId, DeviceId) -> bool) {
        let keys = devices.iter().map(|device| (network, *device));
        self.retired.extend(keys.filter(|key| self.totals.contains_key(key)));
        while self.retired.len() > RETIRED_MAX {
            let Some((network, device)) = self.retired.pop_front() else { return };
            if !in_force(network, device) {
                self.totals.remove(&(network, device));
                self.unreported.remove(&(network, device));
            }
        }
    }

    /// Everything is to be reported again: the control plane may have missed what was sent last.
    pub fn report_all(&mut self) {
        self.unreported = self.totals.keys().copied().collect();
    }
    pub fn has_unreported(&self) -> bool {
        !self.unreported.is_empty()
    }
    /// One frame's worth of what is unreported.
    pub fn take_report(&mut self) -> Vec<PeerReport> {
        let mut reports = Vec::new();
        while reports.len() < PEERS_PER_FRAME_MAX {
            let Some((network, device)) = self.unreported.pop_first() else { break };
            let Some(totals) = self.totals.get(&(network, device)) else { continue };
            reports.push(PeerReport {
                network: network.uuid(),
                device: device.uuid(),
                last_handshake_at: totals.last_handshake_at,
                endpoint: totals.endpoint,
                received_bytes: totals.received.total(),
                sent_bytes: totals.sent.total(),
            });
        }
        reports
    }
}
