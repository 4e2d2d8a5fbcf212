//! What gateways and the control plane say to each other.

pub mod v1;
