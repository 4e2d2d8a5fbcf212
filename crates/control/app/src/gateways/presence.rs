//! What is known of a gateway from what it said itself.

use uuid::Uuid;
use warren_model::{NetworkId, Timestamp};

/// What a gateway says of itself when it connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    pub software: String,
    /// New at each start of the gateway.
    pub boot: Uuid,
    pub backend: Backend,
}

/// What carries the packets on a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Userspace,
    Kernel,
}

impl Backend {
    /// The word for it in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Userspace => "userspace",
            Self::Kernel => "kernel",
        }
    }
}

/// A network that a gateway could not bring into its desired state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub network: NetworkId,
    /// One English sentence for the operator.
    pub reason: String,
}

/// What is known of a gateway that holds a link, or held one since this process started.
#[derive(Debug, Clone)]
pub(crate) struct Presence {
    pub(crate) hello: Hello,
    pub(crate) online: bool,
    pub(crate) last_seen_at: Timestamp,
    pub(crate) applied_version: u64,
    pub(crate) faults: Vec<Fault>,
}
