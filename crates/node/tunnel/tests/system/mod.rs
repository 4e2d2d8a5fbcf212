//! A system that carries out commands by the book, and a control plane that remembers what it sent.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses its part of this module")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base64::{Engine, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use uuid::Uuid;
use warren_model::{DeviceId, NetworkId, Timestamp};
use warren_tunnel::{
    Action, Command, Failure, Gateway, Identity, NetworkSettings, PEERS_PER_COMMAND_MAX, PeerSettings, Remains,
    SavedState, Whereabouts,
};
use warren_wire::node::v1::{self, Backend, Change, FromGateway, ToGateway};

pub fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(1_800_000_000 + seconds).unwrap()
}

pub fn network_id(number: u8) -> Uuid {
    Uuid::from_u128(0x1000 + u128::from(number))
}

pub fn device_id(number: u8) -> Uuid {
    Uuid::from_u128(0x2000 + u128::from(number))
}

fn key(number: u8) -> String {
    let mut bytes = [number; 32];
    bytes[0] = 9;
    STANDARD.encode(bytes)
}

/// Variants 0 and 1 differ in port and so in the tunnel; 2 differs from 0 only in what is around it.
pub fn network(number: u8, variant: u8) -> v1::Network {
    v1::Network {
        id: network_id(number),
        organisation: Uuid::from_u128(7),
        private_key: key(number),
        listen_port: 51820 + u16::from(number) + if variant == 1 { 100 } else { 0 },
        ipv4: Some("10.20.0.0/24".parse().unwrap()),
        ipv6: Some("fd00:1::/64".parse().unwrap()),
        routes: vec!["10.20.0.0/24".parse().unwrap()],
        device_traffic: if variant == 2 { v1::DeviceTraffic::Blocked } else { v1::DeviceTraffic::Allowed },
        mtu: 1420,
    }
}

/// `address` is used for both families; an expiry is in seconds from the beginning.
pub fn peer(device: u8, key_number: u8, address: u8, expires: Option<u8>) -> v1::Peer {
    v1::Peer {
        device: device_id(device),
        public_key: key(key_number),
        preshared_key: None,
        ipv4: Some([10, 20, 0, address].into()),
        ipv6: Some([0xfd00, 1, 0, 0, 0, 0, 0, address.into()].into()),
        expires_at: expires.map(|seconds| moment(seconds.into())),
    }
}

/// A peer in numbers: device, key, address, expiry.
pub type Numbers = (u8, u8, u8, Option<u8>);

/// What was wanted, told in the plainest way: a fold over everything that was sent.
#[derive(Debug, Default, Clone)]
pub struct Sent {
    pub version: u64,
    networks: BTreeMap<Uuid, (v1::Network, Vec<Wanted>)>,
}

#[derive(Debug, Clone)]
struct Wanted {
    wire: v1::Peer,
    expired: bool,
}

/// Networks with the key and addresses of each device.
pub type Picture = BTreeMap<NetworkId, (NetworkSettings, BTreeMap<DeviceId, (String, Vec<IpNet>)>)>;

impl Sent {
    pub fn take(&mut self, change: &Change, now: Timestamp) {
        match change {
            Change::NetworkSet { network } => {
                self.networks.entry(network.id).or_insert_with(|| (network.clone(), vec![])).0 = network.clone();
            }
            Change::NetworkRemoved { network } => {
                self.networks.remove(network);
            }
            Change::PeerSet { network, peer } => {
                let Some((_, peers)) = self.networks.get_mut(network) else { return };
                peers.retain(|other| other.wire.device != peer.device && other.wire.public_key != peer.public_key);
                for other in peers.iter_mut() {
                    other.wire.ipv4 = other.wire.ipv4.filter(|held| Some(*held) != peer.ipv4);
                    other.wire.ipv6 = other.wire.ipv6.filter(|held| Some(*held) != peer.ipv6);
                }
                let expired = peer.expires_at.is_some_and(|at| at <= now);
                peers.push(Wanted { wire: peer.clone(), expired });
            }
            Change::PeerRemoved { network, device } => {
                let Some((_, peers)) = self.networks.get_mut(network) else { return };
                peers.retain(|other| other.wire.device != *device);
            }
        }
    }

    pub fn replace(&mut self, networks: Vec<(u8, u8, Vec<Numbers>)>, now: Timestamp) {
        self.version += 1;
        self.networks.clear();
        for (number, variant, peers) in networks {
            self.networks.remove(&network_id(number));
            self.take(&Change::NetworkSet { network: network(number, variant) }, now);
            for (device, key, address, expires) in peers {
                let peer = peer(device, key, address, expires);
                self.take(&Change::PeerSet { network: network_id(number), peer }, now);
            }
        }
    }

    pub fn expire(&mut self, now: Timestamp) {
        for peer in self.networks.values_mut().flat_map(|(_, peers)| peers) {
            peer.expired |= peer.wire.expires_at.is_some_and(|at| at <= now);
        }
    }

    pub fn expected(&self) -> Picture {
        let picture = |peers: &Vec<Wanted>| {
            let valid = peers.iter().filter(|peer| !peer.expired);
            valid
                .map(|peer| {
                    let addresses = peer.wire.addresses().map(IpNet::from).collect();
                    (DeviceId::from_uuid(peer.wire.device), (peer.wire.public_key.clone(), addresses))
                })
                .collect()
        };
        let networks = self.networks.iter();
        networks
            .map(|(id, (wire, peers))| {
                (NetworkId::from_uuid(*id), (NetworkSettings::try_from(wire).unwrap(), picture(peers)))
            })
            .collect()
    }
}

/// A gateway with what stands in the system around it.
pub struct System {
    pub gateway: Gateway,
    pub now: Timestamp,
    networks: BTreeMap<NetworkId, (NetworkSettings, BTreeMap<DeviceId, PeerSettings>)>,
    waiting: VecDeque<Command>,
    applied: Option<u64>,
    lost: BTreeSet<NetworkId>,
    /// Who was called, and where.
    pub called: Vec<(DeviceId, std::net::SocketAddr)>,
}

fn identity() -> Identity {
    Identity { software: "test".into(), boot: Uuid::from_u128(1), backend: Backend::Userspace }
}

impl System {
    pub fn new() -> Self {
        let gateway = Gateway::new(identity());
        Self {
            gateway,
            now: moment(0),
            networks: BTreeMap::new(),
            waiting: VecDeque::new(),
            applied: None,
            called: Vec::new(),
            lost: BTreeSet::new(),
        }
    }

    pub fn send_snapshot(&mut self, sent: &Sent) {
        self.gateway.handle_disconnected();
        self.gateway.handle_connected();
        let version = sent.version;
        let networks = sent.networks.values().map(|(network, _)| network.clone()).collect();
        self.frame(ToGateway::SnapshotBegin { version, networks });
        for (id, (_, peers)) in &sent.networks {
            let peers = peers.iter().map(|peer| peer.wire.clone()).collect();
            self.frame(ToGateway::SnapshotPeers { network: *id, peers });
        }
        self.frame(ToGateway::SnapshotEnd { version });
    }

    pub fn send_changes(&mut self, sent: &mut Sent, changes: Vec<Change>) {
        sent.version += 1;
        self.frame(ToGateway::Change { version: sent.version, changes });
    }

    fn frame(&mut self, frame: ToGateway) {
        self.gateway.handle_frame(frame, self.now).unwrap();
        self.poll();
    }

    fn poll(&mut self) {
        while let Some(command) = self.gateway.poll_command() {
            self.waiting.push_back(command);
        }
        while let Some(frame) = self.gateway.poll_frame() {
            if let FromGateway::Applied { version, .. } = frame {
                self.applied = Some(version);
            }
        }
    }

    pub fn commands_waiting(&self) -> Vec<Command> {
        self.waiting.iter().cloned().collect()
    }

    pub fn last_applied(&self) -> Option<u64> {
        self.applied
    }

    pub fn carry_out(&mut self, count: usize) {
        for _ in 0..count {
            let Some(command) = self.waiting.pop_front() else { return };
            let network = command.action.network();
            let done = self.apply(command.action);
            match done {
                Ok(()) => self.gateway.handle_applied(command.id),
                Err(reason) => {
                    self.networks.remove(&network);
                    let failure = Failure { reason, remains: Remains::Nothing };
                    self.gateway.handle_failed(command.id, failure, self.now);
                }
            }
            self.poll();
        }
    }

    fn apply(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::EnsureNetwork { settings } => {
                let (standing, peers) =
                    self.networks.entry(settings.id).or_insert_with(|| (settings.clone(), BTreeMap::new()));
                if !standing.same_tunnel(&settings) {
                    peers.clear();
                }
                *standing = settings;
            }
            Action::RemoveNetwork { network } => {
                let stood = self.networks.remove(&network).is_some();
                assert!(stood || self.lost.remove(&network), "a network was removed that does not stand");
            }
            Action::SetPeers { network, peers } => {
                assert!((1..=PEERS_PER_COMMAND_MAX).contains(&peers.len()));
                let (_, standing) = self.networks.get_mut(&network).ok_or("no tunnel")?;
                for peer in peers {
                    assert_ne!(standing.get(&peer.device), Some(&peer), "a peer was set as it stood");
                    let others = standing.values().filter(|other| other.device != peer.device);
                    for other in others {
                        assert_ne!(other.public_key, peer.public_key, "one key for two devices");
                        assert!(
                            !other.allowed.iter().any(|net| peer.allowed.contains(net)),
                            "one address for two devices"
                        );
                    }
                    if let Some(before) = standing.get(&peer.device) {
                        assert_eq!(before.public_key, peer.public_key, "a new key without a removal");
                    }
                    standing.insert(peer.device, peer);
                }
            }
            Action::CallPeers { network, peers } => {
                assert!((1..=PEERS_PER_COMMAND_MAX).contains(&peers.len()));
                let (_, standing) = self.networks.get(&network).ok_or("no tunnel")?;
                self.called.extend(peers.into_iter().filter(|(device, _)| standing.contains_key(device)));
            }
            Action::RemovePeers { network, devices } => {
                assert!((1..=PEERS_PER_COMMAND_MAX).contains(&devices.len()));
                let (_, standing) = self.networks.get_mut(&network).ok_or("no tunnel")?;
                for device in devices {
                    standing.remove(&device).expect("a peer that stands");
                }
            }
        }
        Ok(())
    }

    pub fn fail_next(&mut self, remains: Remains) {
        let Some(command) = self.waiting.pop_front() else { return };
        let id = command.action.network();
        // A tunnel can only remain where the wanted one stands already.
        let stands = match &command.action {
            Action::EnsureNetwork { settings } => {
                self.networks.get(&id).is_some_and(|(standing, _)| standing.same_tunnel(settings))
            }
            _ => false,
        };
        let remains = if stands { remains } else { Remains::Nothing };
        if remains == Remains::Nothing {
            self.networks.remove(&id);
        }
        self.gateway.handle_failed(command.id, Failure { reason: "on purpose".into(), remains }, self.now);
        self.poll();
    }

    /// The network goes by itself.
    pub fn lose(&mut self, number: u8) {
        let id = NetworkId::from_uuid(network_id(number));
        if self.networks.remove(&id).is_some() {
            self.lost.insert(id);
            self.gateway.handle_lost(id, "gone".into(), self.now);
            self.poll();
        }
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now += time::Duration::seconds(seconds);
        self.gateway.handle_timeout(self.now);
        self.poll();
    }

    /// The gateway starts again from what it kept; the system forgot everything and the control plane is away.
    pub fn restart(&mut self) {
        let kept = SavedState::decode(&self.gateway.state().encode().unwrap()).unwrap();
        let whereabouts = Whereabouts::decode(&self.gateway.whereabouts(self.now).encode());
        self.gateway = Gateway::restore(identity(), kept, self.now);
        self.gateway.recall(whereabouts, self.now);
        self.networks.clear();
        self.waiting.clear();
        self.applied = None;
        self.poll();
    }

    pub fn settle(&mut self) {
        for _ in 0..3 {
            self.carry_out(10_000);
            self.pass(40);
        }
        assert!(self.waiting.is_empty());
    }

    pub fn devices_named_until_settled(&mut self) -> Vec<DeviceId> {
        let mut named = Vec::new();
        while let Some(command) = self.waiting.front() {
            match &command.action {
                Action::SetPeers { peers, .. } => named.extend(peers.iter().map(|peer| peer.device)),
                Action::RemovePeers { devices, .. } => named.extend(devices),
                other => panic!("{other:?}"),
            }
            self.carry_out(1);
        }
        named
    }

    pub fn in_force(&self) -> Picture {
        let picture = |peers: &BTreeMap<DeviceId, PeerSettings>| {
            peers.values().map(|peer| (peer.device, (peer.public_key.to_string(), peer.allowed.clone()))).collect()
        };
        self.networks.iter().map(|(id, (settings, peers))| (*id, (settings.clone(), picture(peers)))).collect()
    }
}
