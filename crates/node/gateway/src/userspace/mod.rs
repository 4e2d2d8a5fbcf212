//! WireGuard in this process, between a TUN device and a UDP socket. The protocol is
//! [gotatun](https://docs.rs/gotatun)'s; what is around it is made for a gateway with thousands of peers.
//!
//! gotatun's own device is not used: it moves one packet a system call, hands each through four queues, stops all
//! traffic for a time that grows with the number of peers whenever one of them is removed or changed, and logs an error
//! for each packet to a device that is away.
//!
//! Invariants
//! - Packets move in batches from one system call to the next, in order for each flow.
//! - A change to one peer costs the same whatever the number of peers, and drops no packet of another.
//! - A peer whose settings did not change is not touched; one whose allowed prefixes changed keeps its session.
//! - Byte counters of a device only grow, also across its removal.
//! - Key and port of a tunnel never change; a tunnel with another key is another tunnel.

mod coalesce;
mod ended;
mod inbound;
mod outbound;
mod peer;
mod routes;
mod segment;
mod source;
mod split;
mod switch;
mod tun;
mod tunnel;
mod udp;

pub use tunnel::{Parts, Tunnel};
pub use udp::bind;
