//! WireGuard in the kernel, through netlink, where the module exists.
//!
//! Everything here needs `CAP_NET_ADMIN` over the namespaces concerned (and `CAP_SYS_ADMIN` to enter one), and waits for
//! the kernel on the calling thread, a few milliseconds at the longest: it is for the gateway's keeper, which does one
//! thing at a time.
//!
//! Invariants
//! - The interface is in the network's namespace; its UDP socket is in the namespace of the thread that made it.
//! - Only the peers that a call names are touched; a peer whose allowed prefixes alone changed keeps its session.

mod interface;
mod peer;
mod socket;

pub use interface::{Interface, Parts, is_available};
