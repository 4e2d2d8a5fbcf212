//! Version 1 of the REST API, under `/api/v1`.
//!
//! Requests refuse unknown fields. Moments are RFC 3339 in UTC, identifiers UUIDs, keys Base64, sizes bytes.

mod access;
mod activity;
mod analysis;
mod database;
mod dependency;
mod device;
mod gateway;
mod installation;
mod job;
mod mail;
mod network;
mod organisation;
mod person;
mod problem;
mod records;
mod webhook;
mod webhook_event;

pub use access::*;
pub use activity::*;
pub use analysis::*;
pub use database::*;
pub use dependency::*;
pub use device::*;
pub use gateway::*;
pub use installation::*;
pub use job::*;
pub use mail::*;
pub use network::*;
pub use organisation::*;
pub use person::*;
pub use problem::*;
pub use records::*;
pub use webhook::*;
pub use webhook_event::*;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it as `cursor` to get the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
