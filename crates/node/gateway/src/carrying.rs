//! What carries one network, in this process or in the kernel, behind the same words.

use std::{io, net::SocketAddr, os::fd::OwnedFd, sync::Arc};

use warren_model::{Clock, DeviceId, NetworkId};
use warren_tunnel::NetworkSettings;
use warren_wire::node::v1::Backend;

use crate::{
    carrier::{CarrierError, PeerSettings, PeerStats},
    keeper::{KeeperClient, KeeperFailure, Surroundings},
    userspace::{Parts, Tunnel},
};

/// Why something could not be done for a network.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CarryingError {
    #[error(transparent)]
    Keeper(#[from] KeeperFailure),
    #[error("{}", .0.in_full())]
    Carrier(#[from] CarrierError),
    #[error("cannot hold the network's TUN device: {0}")]
    Tun(io::Error),
    #[error("the network does not stand")]
    NotStanding,
}

/// One network's way into being carried.
pub(crate) struct Footing {
    pub network: NetworkId,
    pub keeper: KeeperClient,
    pub clock: Arc<dyn Clock>,
    pub backend: Backend,
}

/// What carries a network.
#[derive(Clone)]
pub(crate) enum Carrying {
    Userspace {
        tunnel: Arc<Tunnel>,
        /// Held here too, so that the device outlives an exchange of the tunnel.
        tun: Arc<OwnedFd>,
    },
    Kernel {
        network: NetworkId,
        keeper: KeeperClient,
    },
}

impl Footing {
    /// Carries the network anew, as yet for nobody. A namespace that stands already is kept where that is possible.
    pub async fn carry(&self, settings: &NetworkSettings, before: Option<Carrying>) -> Result<Carrying, CarryingError> {
        let (network, surroundings) = (self.network.uuid(), Surroundings::from(settings));
        let tun = match (self.backend, before) {
            (Backend::Kernel, before) => {
                if before.is_some() {
                    self.keeper.close(network).await?;
                }
                let (port, key) = (settings.listen_port, &settings.private_key);
                self.keeper.open_with_kernel(network, surroundings, port, key).await?;
                return Ok(Carrying::Kernel { network: self.network, keeper: self.keeper.clone() });
            }
            (Backend::Userspace, Some(Carrying::Userspace { tunnel, tun })) => {
                stop(tunnel).await;
                self.keeper.adjust(network, surroundings).await?;
                tun
            }
            (Backend::Userspace, _) => Arc::new(self.keeper.open_with_tun(network, surroundings).await?),
        };
        let parts = Parts {
            tun: tun.try_clone().map_err(CarryingError::Tun)?,
            mtu: settings.mtu.bytes(),
            socket: self.keeper.bind(settings.listen_port).await?,
            private_key: settings.private_key.clone(),
        };
        let tunnel = Tunnel::start(parts, self.clock.clone()).await?;
        Ok(Carrying::Userspace { tunnel: Arc::new(tunnel), tun })
    }

    /// Leaves nothing of the network.
    pub async fn end(&self, carrying: Option<Carrying>) -> Result<(), CarryingError> {
        if let Some(Carrying::Userspace { tunnel, tun }) = carrying {
            stop(tunnel).await;
            drop(tun);
        }
        Ok(self.keeper.close(self.network.uuid()).await?)
    }
}

impl Carrying {
    /// Gives the device that was left out because it has the network's own key, if one has.
    pub async fn set_peers(&self, peers: Vec<PeerSettings>) -> Result<Option<DeviceId>, CarryingError> {
        match self {
            Self::Userspace { tunnel, .. } => match tunnel.set_peers(peers).await {
                Ok(()) => Ok(None),
                Err(CarrierError::OwnKey { device }) => Ok(Some(device)),
                Err(error) => Err(error.into()),
            },
            Self::Kernel { network, keeper } => Ok(keeper.set_peers(network.uuid(), peers).await?),
        }
    }

    pub async fn remove_peers(&self, devices: Vec<DeviceId>) -> Result<(), CarryingError> {
        match self {
            Self::Userspace { tunnel, .. } => Ok(tunnel.remove_peers(devices).await?),
            Self::Kernel { network, keeper } => Ok(keeper.remove_peers(network.uuid(), devices).await?),
        }
    }

    /// Begins a handshake with each of `peers` that is in force, where it was heard from last.
    pub async fn call_peers(&self, peers: Vec<(DeviceId, SocketAddr)>) -> Result<(), CarryingError> {
        match self {
            Self::Userspace { tunnel, .. } => {
                tunnel.call_peers(peers).await;
                Ok(())
            }
            Self::Kernel { network, keeper } => Ok(keeper.call_peers(network.uuid(), peers).await?),
        }
    }

    pub async fn stats(&self) -> Result<Vec<PeerStats>, CarryingError> {
        match self {
            Self::Userspace { tunnel, .. } => Ok(tunnel.stats().await),
            Self::Kernel { network, keeper } => Ok(keeper.stats(network.uuid()).await?),
        }
    }

    /// Waits until it carries nothing any more by itself. Of the kernel only the next reading tells.
    pub async fn ended(&self) {
        match self {
            Self::Userspace { tunnel, .. } => tunnel.ended().await,
            Self::Kernel { .. } => std::future::pending().await,
        }
    }
}

/// Waits until the port is free again.
async fn stop(tunnel: Arc<Tunnel>) {
    // A reading was the only other holder, and has ended.
    if let Ok(tunnel) = Arc::try_unwrap(tunnel) {
        tunnel.stop().await;
    }
}
