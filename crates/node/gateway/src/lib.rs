//! The I/O around the tunnel: WireGuard, network namespaces, nftables, and the link to the control plane.
//!
//! A gateway is two processes. The one that speaks with the world (UDP, cryptography, WebSocket) has no rights at all;
//! its [`keeper`] has the rights over the system's networking and speaks with nobody else.
//!
//! Invariants
//! - Each network lives in a network namespace of its own that has no name and goes with the gateway, also by `kill -9`.
//! - Two networks never reach each other, whatever addresses they use.
//! - Losing the control plane changes nothing for traffic; only expiry goes on.
//! - Nothing of one network's changes waits for another network's packets.

pub mod carrier;
mod carrying;
pub mod config;
mod connect;
mod driver;
mod error;
mod folder;
mod join;
pub mod keeper;
pub mod kernel;
mod link;
mod preflight;
mod privileges;
mod run;
mod saving;
pub mod userspace;
mod worker;

pub use config::{BackendChoice, Config, HostPort, Lifeline, PlainHttp, ServerAddress};
pub use connect::ConnectError;
pub use error::GatewayError;
pub use join::{join, keep_identity};
pub use keeper::KEEPER_COMMAND;
pub use preflight::{Missing, preflight};
pub use run::run;
