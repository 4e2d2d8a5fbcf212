//! What the gateway asks to be done, and the words of the answers.

use std::net::SocketAddr;

use uuid::Uuid;
use warren_model::{DeviceId, NetworkId};
use warren_wire::node::v1::Backend;

use crate::{
    network::Finished,
    settings::{NetworkSettings, PeerSettings},
};

/// What this gateway says of itself.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The version of the software.
    pub software: String,
    /// New at each start.
    pub boot: Uuid,
    pub backend: Backend,
}

/// Numbers commands in the order in which they were handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CommandId(pub(crate) u64);

/// Something to be carried out. Commands of one network are carried out in order; each is answered by
/// [`Gateway::handle_applied`] or [`Gateway::handle_failed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub id: CommandId,
    pub action: Action,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The network stands with these settings. Under another key or port the tunnel is a new one without peers;
    /// otherwise its peers stay untouched.
    EnsureNetwork { settings: NetworkSettings },
    /// Nothing of the network is left.
    RemoveNetwork { network: NetworkId },
    /// These peers are known so; others stay as they are. At most [`crate::PEERS_PER_COMMAND_MAX`].
    SetPeers { network: NetworkId, peers: Vec<PeerSettings> },
    /// These peers, which are in force, were heard from there not long ago and are to be called there: a handshake begins
    /// from this side. At most [`crate::PEERS_PER_COMMAND_MAX`].
    CallPeers { network: NetworkId, peers: Vec<(DeviceId, SocketAddr)> },
    /// These peers are unknown. At most [`crate::PEERS_PER_COMMAND_MAX`].
    RemovePeers { network: NetworkId, devices: Vec<DeviceId> },
}

impl Action {
    /// The network that it is about.
    pub const fn network(&self) -> NetworkId {
        match self {
            Self::EnsureNetwork { settings } => settings.id,
            Self::RemoveNetwork { network }
            | Self::SetPeers { network, .. }
            | Self::CallPeers { network, .. }
            | Self::RemovePeers { network, .. } => *network,
        }
    }
    pub(crate) const fn finished(&self) -> Finished {
        match self {
            Self::EnsureNetwork { .. } => Finished::Ensure,
            Self::RemoveNetwork { .. } => Finished::Remove,
            Self::SetPeers { .. } | Self::CallPeers { .. } | Self::RemovePeers { .. } => Finished::Peers,
        }
    }
}

/// Why a command could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One English sentence for the operator.
    pub reason: String,
    pub remains: Remains,
}

/// What stands after a command about a whole network failed. After one about peers nothing may be left standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// A tunnel of the wanted key and port with the peers it had.
    Tunnel,
    Nothing,
}

/// Why the link must be closed and opened again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A version is missing; a new snapshot is needed.
    #[error("version {got} arrived where {expected} was due")]
    Gap { expected: u64, got: u64 },
    /// A frame that has no place here.
    #[error("a {frame} frame arrived out of order")]
    Order { frame: &'static str },
    /// More than one gateway can carry.
    #[error("more than {max} {what} were sent")]
    TooMuch { what: &'static str, max: usize },
    /// The control plane does not want this gateway; wait long before the next attempt.
    #[error("the control plane refused the gateway: {reason}")]
    Refused { reason: String },
}
