//! One peer: its cryptographic state, where it is, what it may send from.

use std::{net::SocketAddr, time::Duration};

use gotatun::noise::Tunn;
use ipnet::IpNet;
use parking_lot::Mutex;

use crate::carrier::ledger::Bytes;

/// A peer. What is behind the lock is touched by one packet at a time.
pub(super) struct Peer(pub(super) Mutex<PeerState>);

pub(super) struct PeerState {
    pub(super) tunn: Tunn,
    /// Where its last authentic packet came from.
    pub(super) endpoint: Option<SocketAddr>,
    pub(super) allowed: Vec<IpNet>,
    pub(super) standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    InForce,
    /// Packets that were on their way when it was removed are dropped, so that its bytes are final.
    Removed,
}

impl PeerState {
    pub(super) fn bytes(&self) -> Bytes {
        let (_, sent, received, ..) = self.tunn.stats();
        Bytes { received: received as u64, sent: sent as u64 }
    }

    pub(super) fn last_handshake_ago(&self) -> Option<Duration> {
        self.tunn.time_since_last_handshake()
    }
}
