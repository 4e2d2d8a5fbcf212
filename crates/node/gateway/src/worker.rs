//! Carries out the commands of one network, in order, and tells when it went without one.

use std::{net::SocketAddr, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use warren_model::{DeviceId, NetworkId};
use warren_tunnel::{
    Action, COMMANDS_IN_FLIGHT_MAX, Command, CommandId, Failure, NetworkSettings, PeerSettings, PeerStats, Remains,
};

use crate::{
    carrier,
    carrying::{Carrying, CarryingError, Footing},
    keeper::Surroundings,
};

/// Room for all commands that can be on their way, and for readings besides.
pub(crate) const JOBS_MAX: usize = 2 * COMMANDS_IN_FLIGHT_MAX;

/// A reading that took a while is followed by a rest this many times as long: a change may have to wait for a reading, and
/// so not one in a hundred does.
const REST_AFTER_READING: u32 = 200;
/// No rest is longer, so that counters are told also on a machine that is slow or busy.
const REST_MAX: Duration = Duration::from_secs(4);

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
    /// The network went without a command; nothing of it is left.
    Lost {
        network: NetworkId,
        reason: String,
    },
    /// A reading that began when `as_of` was the last command carried out.
    Stats {
        network: NetworkId,
        as_of: CommandId,
        stats: Vec<PeerStats>,
    },
}

/// One network's worker.
pub(crate) struct Worker {
    footing: Footing,
    told: mpsc::Sender<Told>,
    carried: Option<Carried>,
    last: CommandId,
}

struct Carried {
    settings: NetworkSettings,
    carrying: Carrying,
    reading: Option<JoinHandle<Reading>>,
    rest_until: Instant,
}

/// How a reading went.
struct Reading {
    took: Duration,
    outcome: Result<(), CarryingError>,
}

impl Carried {
    /// What carries the network, once nobody else uses it.
    async fn into_carrying(self) -> Carrying {
        if let Some(reading) = self.reading {
            let _ = reading.await;
        }
        self.carrying
    }
}

impl Worker {
    pub fn new(footing: Footing, told: mpsc::Sender<Told>) -> Self {
        Self { footing, told, carried: None, last: CommandId::default() }
    }

    /// Works until the network is removed, or nobody asks any more; then nothing of it is left.
    pub async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        loop {
            let job = tokio::select! {
                job = jobs.recv() => job,
                () = ended(self.carried.as_ref()) => {
                    self.lose("its TUN device was deleted, or its tunnel failed".into()).await;
                    continue;
                }
            };
            match job {
                Some(Job::Command(command)) => {
                    let last = matches!(command.action, Action::RemoveNetwork { .. });
                    self.carry_out(command).await;
                    if last {
                        // What is made in its place from here on is another worker's.
                        return;
                    }
                }
                Some(Job::Read) => self.read().await,
                None => break,
            }
        }
        if let Err(error) = self.remove().await {
            tracing::debug!(network = %self.footing.network, %error, "the network was left to the keeper");
        }
    }

    async fn carry_out(&mut self, command: Command) {
        let Command { id, action } = command;
        let done = match action {
            Action::EnsureNetwork { settings } => self.ensure(settings).await,
            Action::RemoveNetwork { .. } => self.remove().await.map_err(|error| (error, Remains::Nothing)),
            Action::SetPeers { peers, .. } => self.set_peers(peers).await,
            Action::CallPeers { peers, .. } => self.call_peers(peers).await,
            Action::RemovePeers { devices, .. } => self.remove_peers(devices).await,
        };
        self.last = id;
        let told = match done {
            Ok(()) => Told::Applied(id),
            Err((error, remains)) => {
                let reason = error.to_string();
                tracing::warn!(network = %self.footing.network, %reason, "a change could not be carried out");
                if remains == Remains::Nothing {
                    let _ = self.remove().await;
                }
                Told::Failed(id, Failure { reason, remains })
            }
        };
        // The receiver goes away only when the gateway ends.
        let _ = self.told.send(told).await;
    }

    async fn ensure(&mut self, settings: NetworkSettings) -> Result<(), (CarryingError, Remains)> {
        if let Some(carried) = &mut self.carried
            && carried.settings.same_tunnel(&settings)
        {
            let adjusted = self.footing.keeper.adjust(self.footing.network.uuid(), Surroundings::from(&settings)).await;
            adjusted.map_err(|error| (error.into(), Remains::Tunnel))?;
            carried.settings = settings;
            return Ok(());
        }
        let before = match self.carried.take() {
            Some(carried) => Some(carried.into_carrying().await),
            None => None,
        };
        let carrying = self.footing.carry(&settings, before).await.map_err(|error| (error, Remains::Nothing))?;
        tracing::info!(network = %self.footing.network, port = settings.listen_port, "carrying a network");
        self.carried = Some(Carried { settings, carrying, reading: None, rest_until: Instant::now() });
        Ok(())
    }

    async fn remove(&mut self) -> Result<(), CarryingError> {
        let carrying = match self.carried.take() {
            Some(carried) => Some(carried.into_carrying().await),
            None => None,
        };
        self.footing.end(carrying).await
    }

    /// What carried the network is gone, by no command.
    async fn lose(&mut self, reason: String) {
        let network = self.footing.network;
        tracing::error!(%network, %reason, "the network carries nothing any more; it is made anew");
        let _ = self.remove().await;
        let _ = self.told.send(Told::Lost { network, reason }).await;
    }

    async fn set_peers(&self, peers: Vec<PeerSettings>) -> Result<(), (CarryingError, Remains)> {
        let (network, count) = (self.footing.network, peers.len());
        let peers = peers.into_iter().map(|peer| {
            let PeerSettings { device, public_key, preshared_key, allowed } = peer;
            carrier::PeerSettings { device, public_key, preshared_key, allowed }
        });
        let set = self.carrying()?.set_peers(peers.collect()).await;
        tracing::trace!(%network, count, ok = set.is_ok(), "peers were set");
        if let Some(device) = set.map_err(|error| (error, Remains::Nothing))? {
            // Everybody else is in force.
            let _ = self.told.send(Told::OwnKey(network, device)).await;
        }
        Ok(())
    }

    async fn call_peers(&self, peers: Vec<(DeviceId, SocketAddr)>) -> Result<(), (CarryingError, Remains)> {
        self.carrying()?.call_peers(peers).await.map_err(|error| (error, Remains::Nothing))
    }

    async fn remove_peers(&self, devices: Vec<DeviceId>) -> Result<(), (CarryingError, Remains)> {
        let count = devices.len();
        let removed = self.carrying()?.remove_peers(devices).await.map_err(|error| (error, Remains::Nothing));
        tracing::trace!(network = %self.footing.network, count, ok = removed.is_ok(), "peers were removed");
        removed
    }

    fn carrying(&self) -> Result<&Carrying, (CarryingError, Remains)> {
        let carried = self.carried.as_ref();
        carried.map(|carried| &carried.carrying).ok_or((CarryingError::NotStanding, Remains::Nothing))
    }

    /// Beside the commands, so that as few of them as can be wait for it.
    async fn read(&mut self) {
        let Some(carried) = &mut self.carried else { return };
        match carried.reading.take() {
            Some(reading) if reading.is_finished() => match reading.await {
                Ok(Reading { outcome: Err(error), .. }) => return self.lose(error.to_string()).await,
                Ok(Reading { took, .. }) => {
                    carried.rest_until = Instant::now() + (took * REST_AFTER_READING).min(REST_MAX)
                }
                Err(_) => {}
            },
            reading => carried.reading = reading,
        }
        if carried.reading.is_some() || Instant::now() < carried.rest_until {
            return;
        }
        let (network, as_of) = (self.footing.network, self.last);
        let (carrying, told) = (carried.carrying.clone(), self.told.clone());
        carried.reading = Some(tokio::spawn(async move {
            let begin = Instant::now();
            let stats = carrying.stats().await;
            drop(carrying);
            let took = begin.elapsed();
            let outcome = match stats {
                Ok(stats) => {
                    let stats = stats.into_iter().map(|peer| {
                        let carrier::PeerStats { device, last_handshake_at, endpoint, received_bytes, sent_bytes } =
                            peer;
                        PeerStats { device, last_handshake_at, endpoint, received_bytes, sent_bytes }
                    });
                    let _ = told.send(Told::Stats { network, as_of, stats: stats.collect() }).await;
                    Ok(())
                }
                Err(error) => Err(error),
            };
            Reading { took, outcome }
        }));
    }
}

async fn ended(carried: Option<&Carried>) {
    match carried {
        Some(carried) => carried.carrying.ended().await,
        None => std::future::pending().await,
    }
}
