//! Storage on real databases of each kind: what it keeps, what it refuses, and what survives.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crash;
mod exercise;
mod faults;
mod filling;
mod jobs;
mod leases;
mod migrations;
mod moving;
mod plans;
mod proxy;
mod replicas;
mod servers;
mod slow;
mod storms;
mod system;
mod tenant;
mod tenants;
mod transactions;
mod watch;
mod world;
