//! The use cases, on real databases in a temporary folder.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod analysis;
mod bulk;
mod devices;
mod exports;
mod imports;
mod installation;
mod jobs;
mod recovery;
mod replicas;
mod reports;
mod seed;
mod support;
mod webhooks;
