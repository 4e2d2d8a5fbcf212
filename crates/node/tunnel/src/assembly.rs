//! A snapshot while its frames arrive. Until it is complete it changes nothing.

use std::collections::BTreeMap;

use warren_model::{DeviceId, NetworkId, Timestamp};
use warren_wire::node::v1;

use crate::{
    command::LinkError,
    peers::DesiredPeers,
    settings::{DesiredPeer, Flaw, NetworkSettings},
};

/// The most networks that one gateway carries.
pub const NETWORKS_MAX: usize = 4096;
/// The most peers of all networks together.
pub const PEERS_MAX: usize = 1_000_000;

/// What has arrived of a snapshot.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub version: u64,
    pub networks: BTreeMap<NetworkId, AssembledNetwork>,
    /// Peers of networks that the snapshot did not name.
    pub strays: BTreeMap<NetworkId, String>,
    peers: usize,
}

/// One network of a snapshot.
#[derive(Debug)]
pub(crate) struct AssembledNetwork {
    pub settings: Result<NetworkSettings, Flaw>,
    pub peers: DesiredPeers,
    pub flaws: BTreeMap<DeviceId, Flaw>,
}

impl Assembly {
    pub fn begin(version: u64, networks: &[v1::Network]) -> Result<Self, LinkError> {
        let mut assembly = Self { version, networks: BTreeMap::new(), strays: BTreeMap::new(), peers: 0 };
        assembly.name(networks)?;
        Ok(assembly)
    }

    pub fn name(&mut self, networks: &[v1::Network]) -> Result<(), LinkError> {
        if self.networks.len() + networks.len() > NETWORKS_MAX {
            return Err(LinkError::TooMuch { what: "networks", max: NETWORKS_MAX });
        }
        self.networks.extend(networks.iter().map(|network| {
            let settings = NetworkSettings::try_from(network);
            let peers = DesiredPeers::default();
            (NetworkId::from_uuid(network.id), AssembledNetwork { settings, peers, flaws: BTreeMap::new() })
        }));
        Ok(())
    }

    pub fn add(&mut self, network: NetworkId, peers: &[v1::Peer], now: Timestamp) -> Result<(), LinkError> {
        self.peers += peers.len();
        if self.peers > PEERS_MAX {
            return Err(LinkError::TooMuch { what: "peers", max: PEERS_MAX });
        }
        let Some(assembled) = self.networks.get_mut(&network) else {
            self.strays.insert(network, "peers arrived for a network that the gateway was not told of".into());
            return Ok(());
        };
        let prefixes = assembled.settings.as_ref().ok().map(|settings| settings.prefixes);
        for peer in peers {
            let device = DeviceId::from_uuid(peer.device);
            match DesiredPeer::read(peer, prefixes.as_ref(), now) {
                Ok(peer) => {
                    assembled.flaws.remove(&device);
                    assembled.peers.set(peer);
                }
                Err(flaw) => {
                    assembled.peers.remove(device);
                    assembled.flaws.insert(device, flaw);
                }
            }
        }
        Ok(())
    }
}
