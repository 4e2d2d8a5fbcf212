//! Carries out the commands of one network, in order: its namespace through the keeper, its tunnel in this process.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use warren_model::{Clock, DeviceId, NetworkId};
use warren_tunnel::{
    Action, COMMANDS_IN_FLIGHT_MAX, Command, CommandId, Failure, NetworkSettings, PeerSettings, PeerStats, Remains,
};

use crate::{
    carrier::{self, CarrierError},
    keeper::{KeeperClient, KeeperFailure, Surroundings},
    userspace::{Parts, Tunnel},
};

/// Room for all commands that can be on their way, and for readings besides.
pub(crate) const JOBS_MAX: usize = 2 * COMMANDS_IN_FLIGHT_MAX;

/// A reading that took a while is followed by a rest this many times as long: a change may have to wait for a reading, and
/// so not one in a hundred does.
const REST_AFTER_READING: u32 = 200;

/// What a worker is asked to do.
#[derive(Debug)]
pub(crate) enum Job {
    Command(Command),
    /// Reads the tunnel's counters, unless a reading is still under way or has just ended.
    Read,
}

/// What a worker tells.
#[derive(Debug)]
pub(crate) enum Told {
    Applied(CommandId),
    Failed(CommandId, Failure),
    /// A device was left out: it has the network's own key.
    OwnKey(NetworkId, DeviceId),
    /// A reading that began when `as_of` was the last command carried out.
    Stats {
        network: NetworkId,
        as_of: CommandId,
        stats: Vec<PeerStats>,
    },
}

/// One network's worker.
pub(crate) struct Worker {
    network: NetworkId,
    keeper: KeeperClient,
    clock: Arc<dyn Clock>,
    told: mpsc::Sender<Told>,
    /// The network's TUN device; held here too, so that it outlives an exchange of the tunnel.
    tun: Option<OwnedFd>,
    carried: Option<Carried>,
    last: CommandId,
}

struct Carried {
    settings: NetworkSettings,
    tunnel: Arc<Tunnel>,
    /// Gives how long it took.
    reading: Option<JoinHandle<Duration>>,
    rest_until: Instant,
}

impl Carried {
    /// Waits until the port is free again.
    async fn stop(self) {
        if let Some(reading) = self.reading {
            let _ = reading.await;
        }
        // The reading was the only other holder.
        if let Ok(tunnel) = Arc::try_unwrap(self.tunnel) {
            tunnel.stop().await;
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Keeper(#[from] KeeperFailure),
    #[error("{}", with_causes(.0))]
    Carrier(#[from] CarrierError),
    #[error("cannot hold the network's TUN device: {0}")]
    Tun(std::io::Error),
    #[error("the network does not stand")]
    NotStanding,
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence.push_str(": ");
        sentence.push_str(&error.to_string());
        cause = error.source();
    }
    sentence
}

impl Worker {
    pub fn new(network: NetworkId, keeper: KeeperClient, clock: Arc<dyn Clock>, told: mpsc::Sender<Told>) -> Self {
        Self { network, keeper, clock, told, tun: None, carried: None, last: CommandId::default() }
    }

    /// Works until the network is removed, or nobody asks any more; then nothing of it is left.
    pub async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.recv().await {
            match job {
                Job::Command(command) => {
                    let last = matches!(command.action, Action::RemoveNetwork { .. });
                    self.carry_out(command).await;
                    if last {
                        // What is made in its place from here on is another worker's.
                        return;
                    }
                }
                Job::Read => self.read().await,
            }
        }
        if let Err(error) = self.remove().await {
            tracing::debug!(network = %self.network, %error, "the network was left to the keeper");
        }
    }

    async fn carry_out(&mut self, command: Command) {
        let Command { id, action } = command;
        let done = match action {
            Action::EnsureNetwork { settings } => self.ensure(settings).await,
            Action::RemoveNetwork { .. } => self.remove().await.map_err(|error| (error, Remains::Nothing)),
            Action::SetPeers { peers, .. } => self.set_peers(peers).await,
            Action::RemovePeers { devices, .. } => self.remove_peers(devices).await,
        };
        self.last = id;
        let told = match done {
            Ok(()) => Told::Applied(id),
            Err((error, remains)) => {
                let reason = error.to_string();
                tracing::warn!(network = %self.network, %reason, "a change could not be carried out");
                if remains == Remains::Nothing {
                    let _ = self.remove().await;
                }
                Told::Failed(id, Failure { reason, remains })
            }
        };
        // The receiver goes away only when the gateway ends.
        let _ = self.told.send(told).await;
    }

    async fn ensure(&mut self, settings: NetworkSettings) -> Result<(), (WorkError, Remains)> {
        let surroundings = Surroundings::from(&settings);
        match &mut self.carried {
            Some(carried) if carried.settings.same_tunnel(&settings) => {
                let adjusted = self.keeper.adjust(self.network.uuid(), surroundings).await;
                adjusted.map_err(|error| (error.into(), Remains::Tunnel))?;
                carried.settings = settings;
                Ok(())
            }
            _ => self.exchange(settings, surroundings).await.map_err(|error| (error, Remains::Nothing)),
        }
    }

    /// Puts a new tunnel in the place of the old one; the namespace stays if there is one.
    async fn exchange(&mut self, settings: NetworkSettings, surroundings: Surroundings) -> Result<(), WorkError> {
        if let Some(carried) = self.carried.take() {
            carried.stop().await;
        }
        let network = self.network.uuid();
        let tun = match self.tun.take() {
            Some(tun) => {
                self.keeper.adjust(network, surroundings).await?;
                tun
            }
            None => self.keeper.open(network, surroundings).await?,
        };
        let parts = Parts {
            tun: tun.try_clone().map_err(WorkError::Tun)?,
            mtu: settings.mtu.bytes(),
            listen_port: settings.listen_port,
            private_key: settings.private_key.clone(),
        };
        self.tun = Some(tun);
        let tunnel = Tunnel::start(parts, self.clock.clone()).await?;
        tracing::info!(network = %self.network, port = settings.listen_port, "carrying a network");
        self.carried = Some(Carried { settings, tunnel: Arc::new(tunnel), reading: None, rest_until: Instant::now() });
        Ok(())
    }

    async fn remove(&mut self) -> Result<(), WorkError> {
        if let Some(carried) = self.carried.take() {
            carried.stop().await;
        }
        self.tun = None;
        Ok(self.keeper.close(self.network.uuid()).await?)
    }

    async fn set_peers(&self, peers: Vec<PeerSettings>) -> Result<(), (WorkError, Remains)> {
        let count = peers.len();
        let peers = peers.into_iter().map(|peer| {
            let PeerSettings { device, public_key, preshared_key, allowed } = peer;
            carrier::PeerSettings { device, public_key, preshared_key, allowed }
        });
        let tunnel = self.tunnel()?;
        let set = match tunnel.set_peers(peers.collect()).await {
            // Everybody else is in force.
            Err(CarrierError::OwnKey { device }) => {
                let _ = self.told.send(Told::OwnKey(self.network, device)).await;
                Ok(())
            }
            other => other.map_err(|error| (error.into(), Remains::Nothing)),
        };
        tracing::trace!(network = %self.network, count, ok = set.is_ok(), "peers were set");
        set
    }

    async fn remove_peers(&self, devices: Vec<DeviceId>) -> Result<(), (WorkError, Remains)> {
        let count = devices.len();
        let removed = self.tunnel()?.remove_peers(devices).await.map_err(|error| (error.into(), Remains::Nothing));
        tracing::trace!(network = %self.network, count, ok = removed.is_ok(), "peers were removed");
        removed
    }

    fn tunnel(&self) -> Result<&Tunnel, (WorkError, Remains)> {
        self.carried.as_ref().map(|carried| &*carried.tunnel).ok_or((WorkError::NotStanding, Remains::Nothing))
    }

    /// Beside the commands, so that as few of them as can be wait for it.
    async fn read(&mut self) {
        let Some(carried) = &mut self.carried else { return };
        match carried.reading.take() {
            Some(reading) if reading.is_finished() => {
                let took = reading.await.unwrap_or_default();
                carried.rest_until = Instant::now() + took * REST_AFTER_READING;
            }
            reading => carried.reading = reading,
        }
        if carried.reading.is_some() || Instant::now() < carried.rest_until {
            return;
        }
        let (network, as_of) = (self.network, self.last);
        let (tunnel, told) = (carried.tunnel.clone(), self.told.clone());
        carried.reading = Some(tokio::spawn(async move {
            let begin = Instant::now();
            let stats = tunnel.stats().await;
            drop(tunnel);
            let took = begin.elapsed();
            let stats = stats.into_iter().map(|peer| {
                let carrier::PeerStats { device, last_handshake_at, endpoint, received_bytes, sent_bytes } = peer;
                PeerStats { device, last_handshake_at, endpoint, received_bytes, sent_bytes }
            });
            let _ = told.send(Told::Stats { network, as_of, stats: stats.collect() }).await;
            took
        }));
    }
}
