//! The gateway: what the link says, what the system answers, and what follows from both.

mod wanting;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use warren_model::{DeviceId, NetworkId, Timestamp};
use warren_wire::node::v1::{self, Fault, FromGateway};

use crate::{
    assembly::{AssembledNetwork, Assembly},
    command::{Command, CommandId, Failure, Identity, Remains},
    counters::{Counters, PeerStats},
    network::{Finished, Leaving, NetworkState, Step, Wanted},
    pending::{Pending, UNCOUNTED},
    saved::SavedState,
    settings::Flaw,
    whereabouts::Whereabouts,
};

/// Changed peers are reported at most this often.
pub const REPORT_EVERY: Duration = Duration::from_secs(1);
/// The most faults that one frame names; further ones are told when these are mended.
const FAULTS_PER_FRAME_MAX: usize = 1000;
/// A fault's sentence is cut here, in characters.
const FAULT_CHARACTERS_MAX: usize = 500;

#[derive(Debug)]
enum Link {
    Away,
    /// Connected, before or after a snapshot.
    Open(Following),
    Assembling(Assembly),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Following {
    AwaitingSnapshot,
    Changes,
}

#[derive(Debug)]
struct InFlight {
    network: NetworkId,
    finished: Finished,
    version: u64,
}

/// The state machine. See the crate's page.
#[derive(Debug)]
pub struct Gateway {
    identity: Identity,
    link: Link,
    version: u64,
    networks: BTreeMap<NetworkId, NetworkState>,
    peers: usize,
    pending: Pending,
    /// Networks that may have a step to take.
    ready: BTreeSet<NetworkId>,
    alarms: BTreeSet<(Timestamp, NetworkId)>,
    alarm_of: BTreeMap<NetworkId, Timestamp>,
    in_flight: BTreeMap<CommandId, InFlight>,
    last_command: CommandId,
    counters: Counters,
    reported_at: Option<Timestamp>,
    faults: BTreeMap<NetworkId, String>,
    /// Faults of networks that are not known; told once.
    strays: BTreeMap<NetworkId, String>,
    told: Option<u64>,
    faults_told: Told,
    frames: VecDeque<FromGateway>,
    revision: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

impl Gateway {
    /// A gateway that carries nothing yet.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            link: Link::Away,
            version: 0,
            networks: BTreeMap::new(),
            peers: 0,
            pending: Pending::default(),
            ready: BTreeSet::new(),
            alarms: BTreeSet::new(),
            alarm_of: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            last_command: CommandId::default(),
            counters: Counters::default(),
            reported_at: None,
            faults: BTreeMap::new(),
            strays: BTreeMap::new(),
            told: None,
            faults_told: Told::Yes,
            frames: VecDeque::new(),
            revision: 0,
        }
    }

    /// A gateway that begins with what it last was to carry, before the control plane answers.
    pub fn restore(identity: Identity, saved: SavedState, now: Timestamp) -> Self {
        let mut gateway = Self::new(identity);
        let assembled = saved.networks.into_iter().map(|network| {
            let (settings, peers) = network.read(now);
            (settings.id, AssembledNetwork { settings: Ok(settings), peers, flaws: BTreeMap::new() })
        });
        gateway.want_all(assembled.collect(), UNCOUNTED);
        gateway.revision = 0;
        gateway
    }

    /// The desired state, for keeping.
    pub fn state(&self) -> SavedState {
        SavedState::of(self.networks.values().filter_map(|network| match &network.wanted {
            Wanted::Settings(settings) => Some((settings, &network.peers)),
            Wanted::Nothing | Wanted::Removal => None,
        }))
    }

    /// Grows whenever [`Gateway::state`] would give something else.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Where devices are, for keeping beside the state.
    pub fn whereabouts(&self, now: Timestamp) -> Whereabouts {
        Whereabouts { devices: self.counters.whereabouts(now).collect() }
    }

    /// Grows whenever [`Gateway::whereabouts`] may give something else.
    pub const fn moves(&self) -> u64 {
        self.counters.moves()
    }

    /// To be told after [`Gateway::restore`] what was kept of [`Gateway::whereabouts`]: devices whose sessions may still
    /// stand are called once they are in force.
    pub fn recall(&mut self, whereabouts: Whereabouts, now: Timestamp) {
        for whereabout in whereabouts.devices.into_iter().filter(|whereabout| whereabout.is_fresh(now)) {
            if let Some(network) = self.networks.get_mut(&whereabout.network()) {
                network.recall(whereabout.device(), whereabout.endpoint);
            }
        }
    }

    /// The network's tunnel failed: those that were there are called when it stands again.
    fn recall_all_of(&mut self, id: NetworkId, now: Timestamp) {
        let Some(network) = self.networks.get_mut(&id) else { return };
        for whereabout in self.counters.whereabouts_in(id, now) {
            network.recall(whereabout.device(), whereabout.endpoint);
        }
    }

    /// The link stands; the first frame to send is `Hello`.
    pub fn handle_connected(&mut self) {
        let Identity { software, boot, backend } = self.identity.clone();
        self.link = Link::Open(Following::AwaitingSnapshot);
        self.frames.clear();
        self.frames.push_back(FromGateway::Hello { protocol: v1::PROTOCOL, software, boot, backend });
        self.counters.report_all();
        self.told = None;
    }

    /// The link is gone; what is in force stays.
    pub fn handle_disconnected(&mut self) {
        self.link = Link::Away;
        self.frames.clear();
    }

    /// After each change of a network: what follows from it for steps, alarms and faults.
    fn touch(&mut self, id: NetworkId) {
        if self.networks.get(&id).is_some_and(NetworkState::is_over) {
            self.networks.remove(&id);
        }
        let network = self.networks.get(&id);
        let alarm = network.and_then(NetworkState::alarm);
        let before = match alarm {
            Some(at) => self.alarm_of.insert(id, at),
            None => self.alarm_of.remove(&id),
        };
        if before != alarm {
            before.map(|at| self.alarms.remove(&(at, id)));
            alarm.map(|at| self.alarms.insert((at, id)));
        }
        let fault = network.and_then(NetworkState::fault).map(|reason| cut(&reason));
        if self.faults.get(&id) != fault.as_ref() {
            match fault {
                Some(reason) => self.faults.insert(id, reason),
                None => self.faults.remove(&id),
            };
            self.faults_told = Told::No;
        }
        self.ready.insert(id);
    }

    /// The next thing to carry out, if there is one now.
    pub fn poll_command(&mut self) -> Option<Command> {
        while let Some(id) = self.ready.first().copied() {
            let step = self.networks.get_mut(&id).and_then(|network| {
                let step = network.step(id, &mut self.pending)?;
                network.began();
                Some(step)
            });
            let Some(Step { action, version, leaving }) = step else {
                self.ready.remove(&id);
                continue;
            };
            self.last_command.0 += 1;
            self.pending.add(version);
            let in_flight = InFlight { network: id, finished: action.finished(), version };
            self.in_flight.insert(self.last_command, in_flight);
            self.count_out(id, leaving);
            return Some(Command { id: self.last_command, action });
        }
        None
    }

    fn count_out(&mut self, network: NetworkId, leaving: Leaving) {
        let devices = match leaving {
            Leaving::Nobody => return,
            Leaving::Devices(devices) => devices,
            Leaving::Tunnel(devices) => {
                self.counters.fold(network, self.last_command);
                devices
            }
        };
        let networks = &self.networks;
        self.counters.retire(network, &devices, |network, device| {
            networks.get(&network).is_some_and(|state| state.is_in_force(device))
        });
    }

    /// A command was carried out.
    pub fn handle_applied(&mut self, id: CommandId) {
        let Some(command) = self.in_flight.remove(&id) else { return };
        self.pending.release(command.version);
        if let Some(network) = self.networks.get_mut(&command.network) {
            network.succeeded(command.finished);
            network.mark_settings(self.version, &mut self.pending);
        }
        self.touch(command.network);
    }

    /// The tunnel left a device out of a command that it carried out otherwise: the device presents the network's own key.
    pub fn handle_own_key(&mut self, network: NetworkId, device: DeviceId) {
        if let Some(state) = self.networks.get_mut(&network)
            && state.peers.get(device).is_some()
        {
            state.peer_flaws.insert(device, Flaw::OwnKey { device });
        }
        self.touch(network);
    }

    /// A command could not be carried out. It is tried again, first after 100 ms, then in steps that double up to 30 s.
    pub fn handle_failed(&mut self, id: CommandId, failure: Failure, now: Timestamp) {
        let Some(command) = self.in_flight.remove(&id) else { return };
        self.pending.release(command.version);
        if let Some(network) = self.networks.get_mut(&command.network) {
            let Failure { reason, remains } = failure;
            let leaving = network.failed(command.finished, reason, remains, now, &mut self.pending);
            self.count_out(command.network, leaving);
            if remains == Remains::Nothing {
                self.recall_all_of(command.network, now);
            }
        }
        self.touch(command.network);
    }

    /// A network went without a command, and nothing of it is left: it is made anew, after a wait that doubles as after
    /// failures when it happens again and again.
    pub fn handle_lost(&mut self, network: NetworkId, reason: String, now: Timestamp) {
        if let Some(state) = self.networks.get_mut(&network) {
            let leaving = state.lost(reason, now, &mut self.pending);
            self.count_out(network, leaving);
            self.recall_all_of(network, now);
        }
        self.touch(network);
    }

    /// Takes a reading of a network's tunnel. `as_of` is the last command of that network that had been answered when
    /// the reading began.
    pub fn handle_stats(&mut self, network: NetworkId, as_of: CommandId, stats: Vec<PeerStats>, now: Timestamp) {
        self.counters.read(network, as_of, stats);
        self.report(now);
    }

    /// The moment asked for by [`Gateway::poll_timeout`] has come; harmless at any other.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let due: Vec<_> = self.alarms.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        for id in due {
            if let Some(network) = self.networks.get_mut(&id) {
                network.wake(now, &mut self.pending);
            }
            self.touch(id);
        }
        self.report(now);
    }

    /// Queues a report when one is due and the last has been sent.
    fn report(&mut self, now: Timestamp) {
        // A clock that went back must not hold up reports.
        let resting = self.reported_at.is_some_and(|at| at <= now && now - at < REPORT_EVERY);
        let waiting = self.frames.iter().any(|frame| matches!(frame, FromGateway::Report { .. }));
        if !matches!(self.link, Link::Open(Following::Changes)) || resting || waiting {
            return;
        }
        while self.counters.has_unreported() {
            let peers = self.counters.take_report();
            if !peers.is_empty() {
                self.frames.push_back(FromGateway::Report { peers });
                self.reported_at = Some(now);
            }
        }
    }

    /// When [`Gateway::handle_timeout`] is to be called, unless something else happens before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        let reporting = matches!(self.link, Link::Open(Following::Changes)) && self.counters.has_unreported();
        let report = self.reported_at.filter(|_| reporting).map(|at| at + REPORT_EVERY);
        alarm.into_iter().chain(report).min()
    }

    /// The next frame for the control plane.
    pub fn poll_frame(&mut self) -> Option<FromGateway> {
        if let Some(frame) = self.frames.pop_front() {
            return Some(frame);
        }
        let Link::Open(Following::Changes) = self.link else { return None };
        let version = self.pending.in_force(self.version);
        if self.told == Some(version) && self.faults_told == Told::Yes {
            return None;
        }
        self.told = Some(version);
        self.faults_told = Told::Yes;
        let mut faults = self.faults.clone();
        faults.append(&mut self.strays);
        let faults = faults.into_iter().take(FAULTS_PER_FRAME_MAX);
        let faults = faults.map(|(network, reason)| Fault { network: network.uuid(), reason }).collect();
        Some(FromGateway::Applied { version, faults })
    }
}

fn cut(reason: &str) -> String {
    reason.chars().take(FAULT_CHARACTERS_MAX).collect()
}
