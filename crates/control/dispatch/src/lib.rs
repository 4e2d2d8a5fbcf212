//! Doorbells between the processes that work on jobs, by NATS JetStream: “there is work in this queue”.
//!
//! Invariants
//! - A ring carries no job. The database says what is to be done; a ring that is lost costs what is left until somebody looks.
//! - Who rings never waits and never fails, whether there is a server or not.
//! - A ring goes to one process that has room, and stays for a while when none has.
//! - The server keeps nothing that has to outlive it: the stream is in its memory, and is made again where it is gone.

mod bells;
mod config;
mod error;
mod listener;
mod session;
mod status;
#[cfg(test)]
mod tests;

pub use bells::Bells;
pub use config::{Credentials, NatsConfig, NatsConfigError, Prefix, ServerUrl};
pub use error::BellError;
pub use listener::Listener;
pub use status::BellsStatus;
