//! What tests share: the ground of an installation, a running one, network namespaces, a browser, database servers, a mail
//! server, certificates.
//!
//! Invariants
//! - Real parts only: the stock client, the kernel's namespaces, Debian's Chromium, database servers and mail server.
//! - What a value of this crate starts or makes ends with it, also when the test panics.

pub mod browser;
pub mod certificates;
pub mod ground;
pub mod installation;
pub mod mail;
pub mod namespaces;
pub mod servers;
