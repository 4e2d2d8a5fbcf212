//! One network's tunnel: its tasks, its peers, its statistics.

use std::{
    net::{SocketAddr, UdpSocket},
    os::fd::OwnedFd,
    sync::Arc,
};

use gotatun::x25519;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use warren_model::{Clock, DeviceId, PrivateKey, PublicKey};

use super::{
    ended::{Ended, alive},
    inbound, outbound,
    peer::{Peer, Standing},
    switch::Switch,
    tun::Tun,
    udp::Socket,
};
use crate::carrier::{
    CarrierError, PeerSettings, PeerStats,
    ledger::{Ledger, Step},
};

/// Peers changed before others get the thread: each new one costs an agreement on Curve25519, some 50 µs.
const CHANGED_AT_ONCE_MAX: usize = 32;

/// Peers whose statistics are read before a change gets its turn.
const READ_AT_ONCE_MAX: usize = 256;

/// What a tunnel is made of.
#[derive(Debug)]
pub struct Parts {
    /// Opened with `IFF_TUN | IFF_NO_PI | IFF_VNET_HDR`, its offloads set with `TUNSETOFFLOAD`. It may be in any
    /// network namespace.
    pub tun: OwnedFd,
    /// In bytes, of the packets inside the tunnel.
    pub mtu: u16,
    /// From [`super::bind`]; its port is the tunnel's.
    pub socket: UdpSocket,
    pub private_key: PrivateKey,
}

/// A running tunnel. Dropping it stops it too, some moments later.
pub struct Tunnel {
    switch: Arc<Switch>,
    socket: Arc<Socket>,
    clock: Arc<dyn Clock>,
    /// Held through each change, so that what stands in it is in force.
    ledger: Mutex<Ledger>,
    tasks: JoinSet<()>,
    ended: CancellationToken,
    socket_ended: Ended,
    tun_ended: Ended,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

impl Tunnel {
    /// Begins to carry packets, as yet for nobody.
    ///
    /// # Errors
    /// [`CarrierError::WeakKey`], or what the system refuses.
    pub async fn start(parts: Parts, clock: Arc<dyn Clock>) -> Result<Self, CarrierError> {
        let Parts { tun, mtu, socket, private_key } = parts;
        let private_key = x25519::StaticSecret::from(*private_key.expose_bytes());
        let own_key = PublicKey::from_bytes(x25519::PublicKey::from(&private_key).to_bytes());
        let ledger = own_key.map(Ledger::new).map_err(|_| CarrierError::WeakKey)?;
        let (socket_alive, socket_ended) = alive();
        let (tun_alive, tun_ended) = alive();
        let socket = Arc::new(Socket::adopt(socket, socket_alive)?);
        let tun = Tun::adopt(tun, tun_alive)?;
        let switch = Arc::new(Switch::new(private_key));
        let ended = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(until_end(&ended, inbound::carry(switch.clone(), socket.clone(), tun.clone(), mtu)));
        tasks.spawn(until_end(&ended, outbound::carry(switch.clone(), socket.clone(), tun, mtu)));
        tasks.spawn(until_end(&ended, outbound::keep_time(switch.clone(), socket.clone())));
        Ok(Self { switch, socket, clock, ledger: Mutex::new(ledger), tasks, ended, socket_ended, tun_ended })
    }

    /// Waits until the tunnel carries nothing any more, which it does not do by itself: its TUN device was deleted, or
    /// a fault in it ended a task.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Adds the peers that are new and changes those that differ; all others stay as they are.
    ///
    /// # Errors
    /// [`CarrierError::OwnKey`] when a device has the network's key; the others are in force all the same.
    pub async fn set_peers(&self, peers: Vec<PeerSettings>) -> Result<(), CarrierError> {
        let mut refused = None;
        for some in peers.chunks(CHANGED_AT_ONCE_MAX) {
            {
                let mut ledger = self.ledger.lock();
                let plan = ledger.plan_set(some.to_vec());
                refused = plan.refused.or(refused);
                self.carry_out(&mut ledger, plan.steps);
            }
            if peers.len() > CHANGED_AT_ONCE_MAX {
                tokio::task::yield_now().await;
            }
        }
        refused.map_or(Ok(()), |device| Err(CarrierError::OwnKey { device }))
    }

    /// Begins a handshake with each of `peers` that is in force and has not spoken yet, where it was heard from last.
    pub async fn call_peers(&self, peers: Vec<(DeviceId, SocketAddr)>) {
        let mut calls = Vec::new();
        for some in peers.chunks(CHANGED_AT_ONCE_MAX) {
            {
                let ledger = self.ledger.lock();
                let called = some.iter().filter_map(|(device, endpoint)| Some((ledger.key(*device)?, *endpoint)));
                calls.extend(called.filter_map(|(key, endpoint)| self.switch.call(&key, endpoint)));
            }
            self.socket.send(&mut calls).await;
            tokio::task::yield_now().await;
        }
    }

    /// Shuts `devices` out; those that are not in force need nothing.
    ///
    /// # Errors
    /// None at present.
    pub async fn remove_peers(&self, devices: Vec<DeviceId>) -> Result<(), CarrierError> {
        let mut ledger = self.ledger.lock();
        let steps = ledger.plan_remove(devices);
        self.carry_out(&mut ledger, steps);
        Ok(())
    }

    /// What is known of each device in force, in no order.
    pub async fn stats(&self) -> Vec<PeerStats> {
        let peers = self.switch.peers();
        let mut stats = Vec::with_capacity(peers.len());
        for some in peers.chunks(READ_AT_ONCE_MAX) {
            // A change may come between two chunks, and none within one.
            self.read(some, &mut stats);
            tokio::task::yield_now().await;
        }
        stats
    }

    /// Ends all sessions, and waits until port and TUN device are free again.
    pub async fn stop(self) {
        let Self { mut tasks, socket, socket_ended, tun_ended, .. } = self;
        drop(socket);
        tasks.shutdown().await;
        socket_ended.wait().await;
        tun_ended.wait().await;
    }

    fn read(&self, peers: &[([u8; 32], Arc<Peer>)], stats: &mut Vec<PeerStats>) {
        let mut ledger = self.ledger.lock();
        let now = self.clock.now();
        for (key, peer) in peers {
            let Some(device) = PublicKey::from_bytes(*key).ok().and_then(|key| ledger.owner(&key)) else { continue };
            let state = peer.0.lock();
            if state.standing == Standing::Removed {
                continue;
            }
            let (bytes, endpoint, ago) = (state.bytes(), state.endpoint, state.last_handshake_ago());
            drop(state);
            let total = ledger.total(device, bytes);
            stats.push(PeerStats {
                device,
                last_handshake_at: ago.map(|ago| ledger.steady_handshake(device, now - ago)),
                endpoint,
                received_bytes: total.received,
                sent_bytes: total.sent,
            });
        }
    }

    fn carry_out(&self, ledger: &mut Ledger, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Remove(device, key) => ledger.carry(device, self.switch.remove(&key)),
                Step::Add(peer) => self.switch.add(peer),
                Step::Allow(key, allowed) => self.switch.allow(&key, allowed),
            }
        }
    }
}

/// Does `work`, and cancels `ended` when that ends in whatever way.
fn until_end<F: Future<Output = ()>>(ended: &CancellationToken, work: F) -> impl Future<Output = ()> + use<F> {
    let sign = ended.clone().drop_guard();
    async move {
        let _sign = sign;
        work.await;
    }
}
