//! The versioned bodies that leave a process: the REST API (`rest::v1`) and the gateway link (`node::v1`).
//!
//! Invariants
//! - Only these types are serialised to the outside; they hold plain values and carry no behaviour beyond conversion.
//! - A released version changes only by addition; unknown fields are refused from people and ignored between nodes.

pub mod node;
pub mod rest;
