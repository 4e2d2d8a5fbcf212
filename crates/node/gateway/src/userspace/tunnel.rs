//! One network's tunnel: its device, its peers, its statistics.

use std::{collections::HashMap, os::fd::OwnedFd, sync::Arc};

use gotatun::{
    device::{Device, DeviceBuilder, Error, Peer},
    x25519,
};
use ipnet::IpNet;
use ipnetwork::IpNetwork;
use tokio::sync::Mutex;
use warren_model::{Clock, DeviceId, PrivateKey, PublicKey};

use super::{
    ended::{Ended, alive},
    ledger::{Bytes, Ledger, Step},
    tun::{Reader, Tun, Writer},
    udp::{Bound, Socket},
};
use crate::carrier::{CarrierError, PeerSettings, PeerStats};

/// Peers added while all traffic waits: each costs one agreement on Curve25519, so this is well below a millisecond.
const ADDED_AT_ONCE_MAX: usize = 8;

type Transports = (Bound, Writer, Reader);

/// What a tunnel is made of.
#[derive(Debug)]
pub struct Parts {
    /// Opened with `IFF_TUN | IFF_NO_PI | IFF_VNET_HDR`, its offloads set with `TUNSETOFFLOAD`. It may be in any
    /// network namespace.
    pub tun: OwnedFd,
    /// In bytes, of the packets inside the tunnel.
    pub mtu: u16,
    /// The UDP port in the network namespace of the thread that starts the tunnel.
    pub listen_port: u16,
    pub private_key: PrivateKey,
}

/// A running tunnel. Dropping it stops it too, some moments later.
pub struct Tunnel {
    device: Device<Transports>,
    own_key: [u8; 32],
    clock: Arc<dyn Clock>,
    /// Held through each change and each reading of statistics, so that no change waits behind a reader of gotatun's
    /// lock while traffic waits behind the change.
    ledger: Mutex<Ledger>,
    socket_ended: Ended,
    tun_ended: Ended,
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

impl Tunnel {
    /// Binds the port and begins to carry packets, as yet for nobody.
    ///
    /// # Errors
    /// [`CarrierError::PortInUse`], or what the system refuses.
    pub async fn start(parts: Parts, clock: Arc<dyn Clock>) -> Result<Self, CarrierError> {
        let (socket_alive, socket_ended) = alive();
        let (tun_alive, tun_ended) = alive();
        let socket = Arc::new(Socket::bind(parts.listen_port, socket_alive)?);
        let tun = Tun::adopt(parts.tun, tun_alive)?;
        let private_key = x25519::StaticSecret::from(*parts.private_key.expose_bytes());
        let own_key = x25519::PublicKey::from(&private_key);
        let device = DeviceBuilder::new()
            .with_udp(Bound(socket))
            .with_ip_pair(Writer::start(tun.clone()), Reader::new(tun, parts.mtu))
            .with_private_key(private_key)
            .with_listen_port(parts.listen_port)
            // gotatun opens its socket with its first peer and reconfigures itself when that one comes later. This
            // one stands in from the start: nobody else has the private key of our own public key.
            .with_peer(Peer::new(own_key))
            .build()
            .await
            .map_err(|error| device_error("start WireGuard", error))?;
        Ok(Self { device, own_key: own_key.to_bytes(), clock, ledger: Mutex::default(), socket_ended, tun_ended })
    }

    /// Adds the peers that are new and changes those that differ; all others stay as they are.
    ///
    /// # Errors
    /// [`CarrierError::OwnKey`] when a device has the network's key; the others are in force all the same.
    pub async fn set_peers(&self, mut peers: Vec<PeerSettings>) -> Result<(), CarrierError> {
        let own = peers.iter().find(|peer| *peer.public_key.as_bytes() == self.own_key).map(|peer| peer.device);
        peers.retain(|peer| *peer.public_key.as_bytes() != self.own_key);
        let mut ledger = self.ledger.lock().await;
        let steps = ledger.plan_set(peers);
        self.carry_out(&mut ledger, steps).await?;
        match own {
            Some(device) => Err(CarrierError::OwnKey { device }),
            None => Ok(()),
        }
    }

    /// Shuts `devices` out; those that are not in force need nothing.
    ///
    /// # Errors
    /// [`CarrierError::System`] when gotatun fails, after which the tunnel is of no further use.
    pub async fn remove_peers(&self, devices: Vec<DeviceId>) -> Result<(), CarrierError> {
        let mut ledger = self.ledger.lock().await;
        let steps = ledger.plan_remove(devices);
        self.carry_out(&mut ledger, steps).await
    }

    /// What is known of each device in force, in no order.
    pub async fn stats(&self) -> Vec<PeerStats> {
        let mut ledger = self.ledger.lock().await;
        let peers = self.device.peers().await;
        let now = self.clock.now();
        peers
            .into_iter()
            .filter_map(|known| {
                let device = ledger.owner(&public_key(&known.peer)?)?;
                let seen = known.stats.last_handshake.map(|ago| now - ago);
                let total = ledger.total(device, bytes(&known.stats));
                Some(PeerStats {
                    device,
                    last_handshake_at: seen.map(|seen| ledger.steady_handshake(device, seen)),
                    endpoint: known.peer.endpoint,
                    received_bytes: total.received,
                    sent_bytes: total.sent,
                })
            })
            .collect()
    }

    /// Ends all sessions, and waits until port and TUN device are free again.
    pub async fn stop(self) {
        let Self { device, socket_ended, tun_ended, .. } = self;
        device.stop().await;
        socket_ended.wait().await;
        tun_ended.wait().await;
    }

    async fn carry_out(&self, ledger: &mut Ledger, steps: Vec<Step>) -> Result<(), CarrierError> {
        self.keep_bytes(ledger, &steps).await;
        let mut added = Vec::new();
        for step in steps {
            if let Step::Add(peer) = step {
                added.push(gotatun_peer(&peer));
                if added.len() >= ADDED_AT_ONCE_MAX {
                    self.add(&mut added).await?;
                }
                continue;
            }
            // In order: what is to be removed may have been added just now.
            self.add(&mut added).await?;
            match step {
                Step::Remove(_, key) => self.device.remove_peer(&gotatun_key(&key)).await,
                Step::Allow(key, allowed) => self.allow(&key, allowed).await,
                Step::Add(_) => unreachable!("handled above"),
            }
            .map_err(|error| device_error("change a peer", error))?;
        }
        self.add(&mut added).await
    }

    async fn add(&self, peers: &mut Vec<Peer>) -> Result<(), CarrierError> {
        if !peers.is_empty() {
            self.device.add_peers(std::mem::take(peers)).await.map_err(|error| device_error("add a peer", error))?;
        }
        Ok(())
    }

    async fn allow(&self, key: &PublicKey, allowed: Vec<IpNet>) -> Result<bool, Error> {
        let key = gotatun_key(key);
        self.device
            .write(async |device| {
                device
                    .modify_peer(&key, |peer| {
                        peer.clear_allowed_ips();
                        peer.add_allowed_ips(allowed.into_iter().map(gotatun_network));
                    })
                    .await
            })
            .await
    }

    /// gotatun forgets the bytes of a peer with the peer.
    async fn keep_bytes(&self, ledger: &mut Ledger, steps: &[Step]) {
        let leaving: HashMap<_, _> = steps
            .iter()
            .filter_map(|step| match step {
                Step::Remove(device, key) => Some((*key.as_bytes(), *device)),
                _ => None,
            })
            .collect();
        if leaving.is_empty() {
            return;
        }
        for known in self.device.peers().await {
            if let Some(device) = leaving.get(known.peer.public_key.as_bytes()) {
                ledger.carry(*device, bytes(&known.stats));
            }
        }
    }
}

fn gotatun_peer(peer: &PeerSettings) -> Peer {
    let built =
        Peer::new(gotatun_key(&peer.public_key)).with_allowed_ips(peer.allowed.iter().copied().map(gotatun_network));
    match &peer.preshared_key {
        Some(key) => built.with_preshared_key(*key.expose_bytes()),
        None => built,
    }
}

fn gotatun_key(key: &PublicKey) -> x25519::PublicKey {
    x25519::PublicKey::from(*key.as_bytes())
}

fn gotatun_network(network: IpNet) -> IpNetwork {
    IpNetwork::new(network.network(), network.prefix_len()).expect("a prefix length fits its own family")
}

fn public_key(peer: &Peer) -> Option<PublicKey> {
    PublicKey::from_bytes(peer.public_key.to_bytes()).ok()
}

fn bytes(stats: &gotatun::device::configure::Stats) -> Bytes {
    Bytes { received: stats.rx_bytes as u64, sent: stats.tx_bytes as u64 }
}

fn device_error(action: &'static str, error: Error) -> CarrierError {
    CarrierError::System { action, source: std::io::Error::other(error) }
}
