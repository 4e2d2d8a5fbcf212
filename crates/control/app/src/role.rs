//! What a process of an installation is for.

use warren_model::Queue;

/// What a process of an installation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessRole {
    /// It serves people and gateways, and keeps the databases in order. There is one.
    ControlPlane,
    /// It works on jobs and does nothing else. There may be many, on other hosts.
    Worker,
}

impl ProcessRole {
    /// Whether it may work on jobs of `queue`. Those of records change devices, and the gateways are told by the control plane.
    pub const fn may_serve(self, queue: Queue) -> bool {
        match self {
            Self::ControlPlane => true,
            Self::Worker => !matches!(queue, Queue::Records),
        }
    }
}
