//! The gateway as a state machine without I/O: desired state in, commands and reports out.
//!
//! [`Gateway`] is told what happened (`handle_*`, each with the present moment) and asked what to do
//! (`poll_command`, `poll_frame`, `poll_timeout`); the crate around it moves packets, time and bytes.
//!
//! Invariants
//! - Only a difference between what is wanted and what is in force becomes a command; an equal snapshot touches nothing.
//! - A command about one device names no other, except one that must first give up an address.
//! - Within a network an address and a public key belong to one device: the last that was given it.
//! - A device that has expired is not in force, whether the control plane is there or not.
//! - Devices that were there when a tunnel went are called once it stands again, so that they need not notice.
//! - Byte counters never fall, also when a device is removed and set again.
//! - Nothing that arrives in a frame can make it panic: what cannot be used becomes a fault of its network.

mod assembly;
mod command;
mod counters;
mod gateway;
mod network;
mod peers;
mod pending;
mod saved;
mod settings;
mod whereabouts;

pub use assembly::{NETWORKS_MAX, PEERS_MAX};
pub use command::{Action, Command, CommandId, Failure, Identity, LinkError, Remains};
pub use counters::{PeerStats, RETIRED_MAX};
pub use gateway::{Gateway, REPORT_EVERY};
pub use network::{COMMANDS_IN_FLIGHT_MAX, PEERS_PER_COMMAND_MAX};
pub use saved::{SavedState, SavedStateError};
pub use settings::{Flaw, NetworkSettings, PeerSettings, ROUTES_MAX};
pub use whereabouts::{HEARD_WITHIN, Whereabouts};
