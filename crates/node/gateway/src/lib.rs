//! The I/O around the tunnel: WireGuard, network namespaces, nftables, and the link to the control plane.

pub mod carrier;
pub mod kernel;
pub mod userspace;
