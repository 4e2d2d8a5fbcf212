//! WireGuard in this process: [gotatun](https://docs.rs/gotatun) between a TUN device and a UDP socket.
//!
//! Invariants
//! - Key and port of a tunnel never change; a tunnel with another key is another tunnel.
//! - A change to one peer waits for no other peer's packets and drops none of them: gotatun's lock, which stops all
//!   traffic while it is held for a change, is held for a few peers at a time.
//! - A peer whose settings did not change is not touched; one whose allowed prefixes changed keeps its session.
//! - Byte counters of a device only grow, also across its removal.

mod coalesce;
mod ended;
mod ledger;
mod segment;
mod source;
mod split;
mod tun;
mod tunnel;
mod udp;

pub use tunnel::{Parts, Tunnel};
