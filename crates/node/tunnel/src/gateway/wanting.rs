//! What the control plane wants: frames become the wanted state of networks, and marks where that differs from what is in
//! force.

use std::collections::BTreeMap;

use warren_model::{DeviceId, NetworkId, Timestamp};
use warren_wire::node::v1::{Change, ToGateway};

use super::{FAULTS_PER_FRAME_MAX, Following, Gateway, Link, Told};
use crate::{
    assembly::{AssembledNetwork, Assembly, NETWORKS_MAX, PEERS_MAX},
    command::LinkError,
    network::{NetworkState, Wanted},
    peers::DesiredPeers,
    pending::UNCOUNTED,
    settings::{DesiredPeer, Flaw, NetworkSettings},
};

impl Gateway {
    /// Takes a frame of the control plane.
    ///
    /// # Errors
    /// [`LinkError`]: the link is to be closed; what is in force stays.
    pub fn handle_frame(&mut self, frame: ToGateway, now: Timestamp) -> Result<(), LinkError> {
        match frame {
            ToGateway::SnapshotBegin { version, networks } => {
                if matches!(self.link, Link::Away) {
                    return Err(LinkError::Order { frame: "snapshot_begin" });
                }
                self.link = Link::Assembling(Assembly::begin(version, &networks)?);
                Ok(())
            }
            ToGateway::SnapshotNetworks { networks } => match &mut self.link {
                Link::Assembling(assembly) => assembly.name(&networks),
                _ => Err(LinkError::Order { frame: "snapshot_networks" }),
            },
            ToGateway::SnapshotPeers { network, peers } => match &mut self.link {
                Link::Assembling(assembly) => assembly.add(NetworkId::from_uuid(network), &peers, now),
                _ => Err(LinkError::Order { frame: "snapshot_peers" }),
            },
            ToGateway::SnapshotEnd { version } => {
                let assembly = match std::mem::replace(&mut self.link, Link::Open(Following::AwaitingSnapshot)) {
                    Link::Assembling(assembly) if assembly.version == version => assembly,
                    _ => return Err(LinkError::Order { frame: "snapshot_end" }),
                };
                self.link = Link::Open(Following::Changes);
                self.version = version;
                // Versions of before may have been counted otherwise; only the snapshot's own counts from here.
                self.pending.clear();
                self.uncount_all();
                self.strays.extend(assembly.strays);
                self.want_all(assembly.networks, version);
                self.told = None;
                Ok(())
            }
            ToGateway::Change { version, changes } => {
                let Link::Open(Following::Changes) = self.link else {
                    return Err(LinkError::Order { frame: "change" });
                };
                let expected = self.version.saturating_add(1);
                if version != expected {
                    return Err(LinkError::Gap { expected, got: version });
                }
                self.version = version;
                for change in changes {
                    self.take_change(change, now)?;
                }
                Ok(())
            }
            ToGateway::Refused { reason } => Err(LinkError::Refused { reason }),
        }
    }

    fn uncount_all(&mut self) {
        for network in self.networks.values_mut() {
            network.uncount(&mut self.pending);
        }
        for command in self.in_flight.values_mut() {
            command.version = UNCOUNTED;
        }
    }

    /// Wants exactly `assembled`.
    pub(super) fn want_all(&mut self, assembled: BTreeMap<NetworkId, AssembledNetwork>, version: u64) {
        self.revision += 1;
        let gone: Vec<_> = self.networks.keys().filter(|id| !assembled.contains_key(id)).copied().collect();
        for id in gone {
            self.want_removal(id, version);
        }
        for (id, new) in assembled {
            let network = self.networks.entry(id).or_insert_with(NetworkState::new);
            self.peers = self.peers + new.peers.len() - network.peers.len();
            let before = std::mem::replace(&mut network.peers, new.peers);
            let flaws = std::mem::replace(&mut network.peer_flaws, new.flaws);
            for (device, flaw) in flaws {
                // What the tunnel found stays true for as long as the key stays.
                let key = |peers: &DesiredPeers| peers.get(device).map(|peer| peer.settings.public_key);
                if matches!(flaw, Flaw::OwnKey { .. }) && key(&before).is_some() && key(&before) == key(&network.peers)
                {
                    network.peer_flaws.insert(device, flaw);
                }
            }
            want_settings(network, new.settings);
            network.mark_settings(version, &mut self.pending);
            for device in before.devices() {
                network.mark(device, version, &mut self.pending);
            }
            network.mark_all(version, &mut self.pending);
            self.touch(id);
        }
    }

    fn want_removal(&mut self, id: NetworkId, version: u64) {
        let Some(network) = self.networks.get_mut(&id) else { return };
        let before = std::mem::take(&mut network.peers);
        self.peers -= before.len();
        network.wanted = Wanted::Removal;
        network.flaw = None;
        network.peer_flaws.clear();
        for device in before.devices() {
            network.mark(device, version, &mut self.pending);
        }
        network.mark_settings(version, &mut self.pending);
        self.touch(id);
    }

    fn take_change(&mut self, change: Change, now: Timestamp) -> Result<(), LinkError> {
        self.revision += 1;
        let version = self.version;
        match change {
            Change::NetworkSet { network: wire } => {
                let id = NetworkId::from_uuid(wire.id);
                if !self.networks.contains_key(&id) && self.networks.len() >= NETWORKS_MAX {
                    return Err(LinkError::TooMuch { what: "networks", max: NETWORKS_MAX });
                }
                let network = self.networks.entry(id).or_insert_with(NetworkState::new);
                let carried = matches!(network.wanted, Wanted::Settings(_));
                want_settings(network, NetworkSettings::try_from(&wire));
                network.mark_settings(version, &mut self.pending);
                if !carried {
                    network.mark_all(version, &mut self.pending);
                }
                self.touch(id);
            }
            Change::NetworkRemoved { network } => self.want_removal(NetworkId::from_uuid(network), version),
            Change::PeerSet { network, peer } => {
                let id = NetworkId::from_uuid(network);
                let Some(network) = self.known(id) else { return Ok(()) };
                let before = network.peers.len();
                let prefixes = match &network.wanted {
                    Wanted::Settings(settings) => Some(settings.prefixes),
                    Wanted::Nothing | Wanted::Removal => None,
                };
                let device = DeviceId::from_uuid(peer.device);
                let mut touched = vec![device];
                match DesiredPeer::read(&peer, prefixes.as_ref(), now) {
                    Ok(peer) => {
                        network.peer_flaws.remove(&device);
                        touched.extend(network.peers.set(peer));
                    }
                    Err(flaw) => {
                        network.peers.remove(device);
                        network.peer_flaws.insert(device, flaw);
                    }
                }
                let after = network.peers.len();
                self.peers = self.peers + after - before;
                self.mark(id, &touched);
                if self.peers > PEERS_MAX {
                    return Err(LinkError::TooMuch { what: "peers", max: PEERS_MAX });
                }
            }
            Change::PeerRemoved { network, device } => {
                let id = NetworkId::from_uuid(network);
                let device = DeviceId::from_uuid(device);
                let Some(network) = self.known(id) else { return Ok(()) };
                let before = network.peers.len();
                network.peers.remove(device);
                network.peer_flaws.remove(&device);
                let gone = before - network.peers.len();
                self.peers -= gone;
                self.mark(id, &[device]);
            }
        }
        Ok(())
    }

    /// The network, unless the control plane never named it or removed it: that is told once.
    fn known(&mut self, id: NetworkId) -> Option<&mut NetworkState> {
        match self.networks.get_mut(&id) {
            Some(network) if !matches!(network.wanted, Wanted::Removal) => Some(network),
            _ => {
                if self.strays.len() < FAULTS_PER_FRAME_MAX {
                    self.strays.insert(id, "a device was sent for a network that the gateway was not told of".into());
                    self.faults_told = Told::No;
                }
                None
            }
        }
    }

    fn mark(&mut self, id: NetworkId, devices: &[DeviceId]) {
        if let Some(network) = self.networks.get_mut(&id) {
            for device in devices {
                network.mark(*device, self.version, &mut self.pending);
            }
        }
        self.touch(id);
    }
}

/// Settings that cannot be used leave those of before in place.
fn want_settings(network: &mut NetworkState, settings: Result<NetworkSettings, Flaw>) {
    match settings {
        Ok(settings) => {
            network.wanted = Wanted::Settings(settings);
            network.flaw = None;
        }
        Err(flaw) => {
            if matches!(network.wanted, Wanted::Removal) {
                network.wanted = Wanted::Nothing;
            }
            network.flaw = Some(flaw);
        }
    }
}
