//! The part of the gateway that keeps the rights over the system's networking, in a process of its own.
//!
//! It makes a network namespace for each network and hands its TUN device and UDP socket over, or has the kernel's
//! WireGuard carry it, and does nothing else: it reads no packet, speaks to no one but its parent, and ends, cleaning up,
//! when their socket closes.

mod client;
mod links;
mod message;
mod namespace;
mod nft;
mod passing;
mod peer;
mod room;
mod ruleset;
mod server;
mod sysctl;
mod tun;

pub(crate) use client::{Keeper, KeeperClient, KeeperFailure, Life};
pub(crate) use message::{Begin, Instance, Surroundings};
pub(crate) use nft::find_nft;
pub use server::{KeeperError, serve};

/// The argument by which this executable becomes a keeper.
pub const KEEPER_COMMAND: &str = "gateway-keeper";
