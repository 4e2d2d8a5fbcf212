//! The portal over HTTP with everything real beneath it: use cases, storage, a folder of its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod admin_socket;
mod changes;
mod coverage;
mod database;
mod dependencies;
mod errand;
mod gateway_link;
mod harness;
mod jobs;
mod limits;
mod live;
mod mails;
mod records;
mod records_pages;
mod refusals;
mod sample;
mod webhooks;
