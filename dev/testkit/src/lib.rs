//! What tests share: the ground of an installation, a running one, network namespaces, a browser, database servers.
//!
//! Invariants
//! - Real parts only: the stock client, the kernel's namespaces, Debian's Chromium and database servers.
//! - What a value of this crate starts or makes ends with it, also when the test panics.

pub mod browser;
pub mod ground;
pub mod installation;
pub mod namespaces;
pub mod servers;
