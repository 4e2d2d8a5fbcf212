//! The audit trail.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// One entry of an audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActivityEntry {
    pub id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub actor: ActivityActor,
    #[schema(example = "device.enrolled")]
    pub action: String,
    /// The identifier of what was changed.
    pub subject_id: Uuid,
    /// What it was called then.
    #[schema(example = "Anna's laptop")]
    pub subject_name: String,
    pub changes: Vec<ActivityChange>,
    /// The address that the request came from, `local` for the admin socket, `internal` for Warren's own work.
    #[schema(example = "203.0.113.9")]
    pub source: String,
    pub request_id: Uuid,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActivityActor {
    /// `account`, `local_operator`, `link_holder` or `system`.
    #[schema(example = "account")]
    pub kind: String,
    pub account_id: Option<Uuid>,
    /// The person's or local user's name then; empty for the other kinds.
    #[schema(example = "Anna Berg")]
    pub name: String,
}

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActivityChange {
    #[schema(example = "name")]
    pub field: String,
    #[schema(example = "Anna's laptop")]
    pub before: Option<String>,
    #[schema(example = "Anna's old laptop")]
    pub after: Option<String>,
}
