//! One network: what is wanted of it, what is in force, and the next step from the one to the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use ipnet::IpNet;
use warren_model::{DeviceId, NetworkId, Timestamp};

use crate::{
    command::{Action, Remains},
    peers::DesiredPeers,
    pending::{Pending, UNCOUNTED},
    settings::{Flaw, NetworkSettings, PeerSettings, Standing},
};

/// The most peers that one command names; more at once would hold up the traffic of the others.
pub const PEERS_PER_COMMAND_MAX: usize = 100;
/// The most commands of one network that are being carried out at once.
pub const COMMANDS_IN_FLIGHT_MAX: usize = 8;
const RETRY_AFTER_FIRST: time::Duration = time::Duration::milliseconds(100);
/// A network that stood this long begins its waits anew when it is lost.
const LOSSES_FORGOTTEN_AFTER: time::Duration = time::Duration::minutes(5);
const RETRY_AFTER_MAX: time::Duration = time::Duration::seconds(30);

/// What is wanted of a network.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// These settings.
    Settings(NetworkSettings),
    /// No settings that can be used have come for it.
    Nothing,
    /// That it goes.
    Removal,
}

/// What stands in the system of a network.
#[derive(Debug)]
enum Force {
    Absent,
    /// A command that makes, changes or removes it is under way.
    Changing,
    Standing,
    /// The tunnel stands with its peers, but what is around it may be older than the settings in force say.
    Unsettled,
}

#[derive(Debug)]
pub(crate) struct NetworkState {
    pub wanted: Wanted,
    pub peers: DesiredPeers,
    pub flaw: Option<Flaw>,
    pub peer_flaws: BTreeMap<DeviceId, Flaw>,
    failure: Option<String>,
    failures: u32,
    losses: u32,
    lost_at: Option<Timestamp>,
    retry_at: Option<Timestamp>,
    force: Force,
    settings_in_force: Option<NetworkSettings>,
    peers_in_force: BTreeMap<DeviceId, PeerSettings>,
    addresses_in_force: BTreeMap<IpNet, DeviceId>,
    in_flight: usize,
    /// The version that first asked for the settings that are not in force.
    settings_mark: Option<u64>,
    /// Devices to be removed before any is set, with the version that first asked for it.
    removals: BTreeMap<DeviceId, u64>,
    sets: BTreeMap<DeviceId, u64>,
    /// Where devices were heard from that are to be called when they are in force.
    absent: BTreeMap<DeviceId, SocketAddr>,
    /// Of those, the ones that are in force.
    calls: Vec<(DeviceId, SocketAddr)>,
}

/// A command and the earliest version that waits for it.
#[derive(Debug)]
pub(crate) struct Step {
    pub action: Action,
    pub version: u64,
    pub leaving: Leaving,
}

/// Who leaves the tunnel by a step or a failure.
#[derive(Debug)]
pub(crate) enum Leaving {
    Nobody,
    /// These devices; the tunnel goes on counting where it was should they come back.
    Devices(Vec<DeviceId>),
    /// All: the tunnel itself is gone, and with it its counters.
    Tunnel(Vec<DeviceId>),
}

impl NetworkState {
    pub fn new() -> Self {
        Self {
            wanted: Wanted::Nothing,
            peers: DesiredPeers::default(),
            flaw: None,
            peer_flaws: BTreeMap::new(),
            failure: None,
            failures: 0,
            losses: 0,
            lost_at: None,
            retry_at: None,
            force: Force::Absent,
            settings_in_force: None,
            peers_in_force: BTreeMap::new(),
            addresses_in_force: BTreeMap::new(),
            in_flight: 0,
            settings_mark: None,
            removals: BTreeMap::new(),
            sets: BTreeMap::new(),
            absent: BTreeMap::new(),
            calls: Vec::new(),
        }
    }

    /// The sentence for the operator, when something is wrong.
    pub fn fault(&self) -> Option<String> {
        if let Some(failure) = &self.failure {
            return Some(failure.clone());
        }
        if let Some(flaw) = &self.flaw {
            return Some(flaw.to_string());
        }
        let first = self.peer_flaws.values().next()?;
        match self.peer_flaws.len() {
            1 => Some(first.to_string()),
            count => Some(format!("{first} (and {} more devices)", count - 1)),
        }
    }

    /// Whether nothing is left to remember of it.
    pub fn is_over(&self) -> bool {
        matches!((&self.wanted, &self.force), (Wanted::Removal, Force::Absent)) && self.in_flight == 0
    }

    pub fn is_in_force(&self, device: DeviceId) -> bool {
        self.peers_in_force.contains_key(&device)
    }

    /// The device was heard from at `endpoint` before its tunnel went.
    pub fn recall(&mut self, device: DeviceId, endpoint: SocketAddr) {
        self.absent.insert(device, endpoint);
    }

    /// When something is to be done without anything arriving.
    pub fn alarm(&self) -> Option<Timestamp> {
        self.peers.next_expiry().into_iter().chain(self.retry_at).min()
    }

    /// Compares the wanted settings with those in force.
    pub fn mark_settings(&mut self, version: u64, pending: &mut Pending) {
        let differs = match &self.wanted {
            Wanted::Settings(settings) => {
                self.settings_in_force.as_ref() != Some(settings) || matches!(self.force, Force::Unsettled)
            }
            Wanted::Nothing | Wanted::Removal => !matches!(self.force, Force::Absent),
        };
        match (self.settings_mark, differs) {
            (None, true) => {
                pending.add(self.countable(version));
                self.settings_mark = Some(self.countable(version));
            }
            (Some(first), false) => {
                pending.release(first);
                self.settings_mark = None;
            }
            _ => {}
        }
    }

    /// Compares what is wanted of a device with what is in force.
    pub fn mark(&mut self, device: DeviceId, version: u64, pending: &mut Pending) {
        let wanted = match &self.wanted {
            Wanted::Settings(_) => self.peers.get(device).filter(|peer| peer.standing == Standing::Valid),
            Wanted::Nothing | Wanted::Removal => None,
        };
        let have = self.peers_in_force.get(&device);
        let remove = have.is_some_and(|have| wanted.is_none_or(|want| want.settings.public_key != have.public_key));
        let set = wanted.is_some_and(|want| have != Some(&want.settings));
        let version = self.countable(version);
        note(&mut self.removals, device, remove, version, pending);
        note(&mut self.sets, device, set, version, pending);
    }

    pub fn mark_all(&mut self, version: u64, pending: &mut Pending) {
        let devices: BTreeSet<_> = self.peers.devices().chain(self.peers_in_force.keys().copied()).collect();
        for device in devices {
            self.mark(device, version, pending);
        }
    }

    /// What a failed network still misses is told as a fault; no version waits for it.
    fn countable(&self, version: u64) -> u64 {
        if self.failure.is_some() { UNCOUNTED } else { version }
    }

    /// The next step towards what is wanted, if one can be taken now.
    pub fn step(&mut self, id: NetworkId, pending: &mut Pending) -> Option<Step> {
        if self.retry_at.is_some() || matches!(self.force, Force::Changing) {
            return None;
        }
        match &self.wanted {
            Wanted::Nothing | Wanted::Removal => self.step_to_removal(id, pending),
            Wanted::Settings(settings) => {
                if self.settings_in_force.as_ref() == Some(settings) && matches!(self.force, Force::Standing) {
                    return self.step_to_peers(id, pending);
                }
                let settings = settings.clone();
                self.step_to_settings(settings, pending)
            }
        }
    }

    fn step_to_removal(&mut self, id: NetworkId, pending: &mut Pending) -> Option<Step> {
        if matches!(self.force, Force::Absent) || self.in_flight > 0 {
            return None;
        }
        let version = self.take_settings_mark(pending);
        let leaving = self.forget_peers(UNCOUNTED, pending);
        self.force = Force::Changing;
        self.settings_in_force = None;
        Some(Step { action: Action::RemoveNetwork { network: id }, version, leaving })
    }

    fn step_to_settings(&mut self, settings: NetworkSettings, pending: &mut Pending) -> Option<Step> {
        // The commands about peers end first, so that none of them meets a tunnel that is being exchanged.
        if self.in_flight > 0 {
            return None;
        }
        let version = self.take_settings_mark(pending);
        let leaving = match &self.settings_in_force {
            Some(in_force) if in_force.same_tunnel(&settings) => Leaving::Nobody,
            _ => self.forget_peers(version, pending),
        };
        self.force = Force::Changing;
        self.settings_in_force = Some(settings.clone());
        Some(Step { action: Action::EnsureNetwork { settings }, version, leaving })
    }

    fn step_to_peers(&mut self, id: NetworkId, pending: &mut Pending) -> Option<Step> {
        if self.in_flight >= COMMANDS_IN_FLIGHT_MAX {
            return None;
        }
        if !self.calls.is_empty() {
            let peers = self.calls.drain(..self.calls.len().min(PEERS_PER_COMMAND_MAX)).collect();
            let action = Action::CallPeers { network: id, peers };
            return Some(Step { action, version: UNCOUNTED, leaving: Leaving::Nobody });
        }
        if !self.removals.is_empty() {
            let (devices, version) = take(&mut self.removals, pending);
            for device in &devices {
                self.put_out_of_force(*device);
            }
            let action = Action::RemovePeers { network: id, devices: devices.clone() };
            return Some(Step { action, version, leaving: Leaving::Devices(devices) });
        }
        if self.sets.is_empty() {
            return None;
        }
        if let Some((peers, version)) = self.yield_addresses(pending) {
            return Some(Step { action: Action::SetPeers { network: id, peers }, version, leaving: Leaving::Nobody });
        }
        let (devices, version) = take(&mut self.sets, pending);
        let peers: Vec<_> =
            devices.iter().filter_map(|device| self.peers.get(*device)).map(|peer| peer.settings.clone()).collect();
        for peer in &peers {
            self.put_into_force(peer.clone());
            self.calls.extend(self.absent.remove_entry(&peer.device));
        }
        Some(Step { action: Action::SetPeers { network: id, peers }, version, leaving: Leaving::Nobody })
    }

    /// Peers in force that hold an address which the next chunk gives to another, each without it.
    fn yield_addresses(&mut self, pending: &mut Pending) -> Option<(Vec<PeerSettings>, u64)> {
        let mut yielding: BTreeMap<DeviceId, PeerSettings> = BTreeMap::new();
        let mut first = UNCOUNTED;
        for (device, version) in self.sets.iter().take(PEERS_PER_COMMAND_MAX) {
            // Each device takes at most two addresses; what is over the limit yields in the command after this.
            if yielding.len() + 2 > PEERS_PER_COMMAND_MAX {
                break;
            }
            let Some(peer) = self.peers.get(*device) else { continue };
            for net in &peer.settings.allowed {
                let Some(holder) = self.addresses_in_force.get(net).filter(|holder| *holder != device) else {
                    continue;
                };
                let Some(held) = self.peers_in_force.get(holder) else { continue };
                let held = yielding.entry(*holder).or_insert_with(|| held.clone());
                held.allowed.retain(|other| other != net);
                first = earliest(first, *version);
            }
        }
        if yielding.is_empty() {
            return None;
        }
        for peer in yielding.values() {
            self.put_into_force(peer.clone());
            self.mark(peer.device, first, pending);
        }
        Some((yielding.into_values().collect(), first))
    }

    fn put_into_force(&mut self, peer: PeerSettings) {
        self.put_out_of_force(peer.device);
        for net in &peer.allowed {
            self.addresses_in_force.insert(*net, peer.device);
        }
        self.peers_in_force.insert(peer.device, peer);
    }

    fn put_out_of_force(&mut self, device: DeviceId) {
        let Some(peer) = self.peers_in_force.remove(&device) else { return };
        for net in &peer.allowed {
            if self.addresses_in_force.get(net) == Some(&device) {
                self.addresses_in_force.remove(net);
            }
        }
    }

    /// The tunnel with all its peers is gone; they are to be set anew.
    fn forget_peers(&mut self, version: u64, pending: &mut Pending) -> Leaving {
        let leaving = std::mem::take(&mut self.peers_in_force).into_keys().collect();
        self.addresses_in_force.clear();
        self.calls.clear();
        self.mark_all(version, pending);
        for (_, first) in std::mem::take(&mut self.removals) {
            pending.release(first);
        }
        Leaving::Tunnel(leaving)
    }

    fn take_settings_mark(&mut self, pending: &mut Pending) -> u64 {
        let version = self.settings_mark.take().unwrap_or(UNCOUNTED);
        pending.release(version);
        version
    }

    /// A command was handed out.
    pub const fn began(&mut self) {
        self.in_flight += 1;
    }

    /// A command was carried out.
    pub fn succeeded(&mut self, finished: Finished) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match finished {
            Finished::Ensure => self.force = Force::Standing,
            Finished::Remove => self.force = Force::Absent,
            Finished::Peers => return,
        }
        self.failure = None;
        self.failures = 0;
    }

    /// A command failed; it is tried again after a wait that doubles. After a command about peers nothing is taken to
    /// stand. Names the devices that are out of force by it.
    pub fn failed(
        &mut self,
        finished: Finished,
        reason: String,
        remains: Remains,
        now: Timestamp,
        pending: &mut Pending,
    ) -> Leaving {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.wait_after(reason, self.failures, now, pending);
        self.failures = self.failures.saturating_add(1);
        match (finished, remains) {
            (Finished::Ensure | Finished::Remove, Remains::Tunnel) => {
                self.force = Force::Unsettled;
                self.mark_settings(UNCOUNTED, pending);
                Leaving::Nobody
            }
            _ => self.fall(pending),
        }
    }

    /// It went without a command. Names the devices that are out of force by it.
    pub fn lost(&mut self, reason: String, now: Timestamp, pending: &mut Pending) -> Leaving {
        let is_old = |at: Timestamp| at > now || now - at > LOSSES_FORGOTTEN_AFTER;
        if self.lost_at.is_none_or(is_old) {
            self.losses = 0;
        }
        self.wait_after(reason, self.losses, now, pending);
        self.losses = self.losses.saturating_add(1);
        self.lost_at = Some(now);
        self.fall(pending)
    }

    /// Tells the fault and waits before the next step, the longer the oftener it happened.
    fn wait_after(&mut self, reason: String, times: u32, now: Timestamp, pending: &mut Pending) {
        self.failure = Some(reason);
        self.uncount(pending);
        self.retry_at = Some(now + (RETRY_AFTER_FIRST * 2_i32.pow(times.min(9))).min(RETRY_AFTER_MAX));
    }

    /// Nothing of it stands.
    fn fall(&mut self, pending: &mut Pending) -> Leaving {
        self.force = Force::Absent;
        self.settings_in_force = None;
        let leaving = self.forget_peers(UNCOUNTED, pending);
        self.mark_settings(UNCOUNTED, pending);
        leaving
    }

    /// Takes its marks out of the count: the fault speaks for them.
    pub fn uncount(&mut self, pending: &mut Pending) {
        for version in self.removals.values_mut().chain(self.sets.values_mut()).chain(&mut self.settings_mark) {
            pending.release(*version);
            *version = UNCOUNTED;
        }
    }

    /// Lets peers expire and a wait end.
    pub fn wake(&mut self, now: Timestamp, pending: &mut Pending) {
        while let Some(device) = self.peers.expire_next(now) {
            self.mark(device, UNCOUNTED, pending);
        }
        // A clock that went back must not stretch the wait.
        if self.retry_at.is_some_and(|at| at <= now || at > now + RETRY_AFTER_MAX) {
            self.retry_at = None;
        }
    }
}

/// What kind of command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finished {
    Ensure,
    Remove,
    Peers,
}

fn note(marks: &mut BTreeMap<DeviceId, u64>, device: DeviceId, needed: bool, version: u64, pending: &mut Pending) {
    match (marks.get(&device).copied(), needed) {
        (None, true) => {
            pending.add(version);
            marks.insert(device, version);
        }
        (Some(first), false) => {
            pending.release(first);
            marks.remove(&device);
        }
        _ => {}
    }
}

/// The next chunk of marked devices, and the earliest version among them.
fn take(marks: &mut BTreeMap<DeviceId, u64>, pending: &mut Pending) -> (Vec<DeviceId>, u64) {
    let mut devices = Vec::new();
    let mut first = UNCOUNTED;
    while devices.len() < PEERS_PER_COMMAND_MAX {
        let Some((device, version)) = marks.pop_first() else { break };
        pending.release(version);
        first = earliest(first, version);
        devices.push(device);
    }
    (devices, first)
}

/// The earlier of two versions, where one that is not counted does not count.
const fn earliest(a: u64, b: u64) -> u64 {
    match (a, b) {
        (UNCOUNTED, other) | (other, UNCOUNTED) => other,
        _ => {
            if a < b {
                a
            } else {
                b
            }
        }
    }
}
