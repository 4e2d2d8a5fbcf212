//! The portal over HTTP with everything real beneath it: use cases, storage, a folder of its own.

mod access;
mod admin_socket;
mod changes;
mod coverage;
mod gateway_link;
mod harness;
mod limits;
mod live;
mod refusals;
mod sample;
