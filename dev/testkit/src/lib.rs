//! What tests share: a running installation, network namespaces, a browser.
//!
//! Invariants
//! - Real parts only: the stock client, the kernel's namespaces, Debian's Chromium.
//! - What a value of this crate starts or makes ends with it, also when the test panics.

pub mod browser;
pub mod installation;
pub mod namespaces;
