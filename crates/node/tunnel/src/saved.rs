//! The desired state as it is kept, so that a gateway which starts again carries traffic before the control plane answers.

use serde::{Deserialize, Serialize};
use warren_model::Timestamp;
use warren_wire::node::v1;

use crate::{
    peers::DesiredPeers,
    settings::{DesiredPeer, NetworkSettings},
};

/// The version of the form in which it is kept.
const FORMAT: u32 = 1;

/// A desired state. Holds private keys: keep it where only the gateway can read it.
#[derive(Debug, Clone)]
pub struct SavedState {
    pub(crate) networks: Vec<SavedNetwork>,
}

#[derive(Debug, Clone)]
pub(crate) struct SavedNetwork {
    settings: NetworkSettings,
    peers: Vec<DesiredPeer>,
}

/// Why a kept state cannot be used. The gateway can go on without it: the control plane sends everything again.
#[derive(Debug, thiserror::Error)]
pub enum SavedStateError {
    #[error("the saved state is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error("the saved state has the format {found}; this version reads {FORMAT}")]
    Format { found: u32 },
    #[error("the saved state is damaged: {0}")]
    Flaw(#[from] crate::Flaw),
}

#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    networks: Vec<KeptNetwork>,
}

#[derive(Serialize, Deserialize)]
struct KeptNetwork {
    network: v1::Network,
    peers: Vec<v1::Peer>,
}

impl SavedNetwork {
    pub(crate) fn read(self, now: Timestamp) -> (NetworkSettings, DesiredPeers) {
        let mut peers = DesiredPeers::default();
        for mut peer in self.peers {
            peer.stand(now);
            peers.set(peer);
        }
        (self.settings, peers)
    }
}

impl SavedState {
    pub(crate) fn of<'a>(networks: impl Iterator<Item = (&'a NetworkSettings, &'a DesiredPeers)>) -> Self {
        let networks = networks.map(|(settings, peers)| SavedNetwork {
            settings: settings.clone(),
            peers: peers.iter().cloned().collect(),
        });
        Self { networks: networks.collect() }
    }

    /// The state as bytes. Takes a while with many peers; call it where waiting is allowed.
    ///
    /// # Errors
    /// [`SavedStateError::Damaged`] when a value has no written form.
    pub fn encode(&self) -> Result<Vec<u8>, SavedStateError> {
        let networks = self.networks.iter().map(|network| KeptNetwork {
            network: (&network.settings).into(),
            peers: network.peers.iter().map(v1::Peer::from).collect(),
        });
        Ok(serde_json::to_vec(&Kept { format: FORMAT, networks: networks.collect() })?)
    }

    /// Reads what [`SavedState::encode`] wrote.
    ///
    /// # Errors
    /// [`SavedStateError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SavedStateError> {
        let kept: Kept = serde_json::from_slice(bytes)?;
        if kept.format != FORMAT {
            return Err(SavedStateError::Format { found: kept.format });
        }
        let mut networks = Vec::with_capacity(kept.networks.len());
        for kept in kept.networks {
            let settings = NetworkSettings::try_from(&kept.network)?;
            // Who has expired is decided when the state is taken up.
            let read = |peer| DesiredPeer::read(peer, None, Timestamp::UNIX_EPOCH);
            let peers = kept.peers.iter().map(read).collect::<Result<_, _>>()?;
            networks.push(SavedNetwork { settings, peers });
        }
        Ok(Self { networks })
    }
}
