//! What is sent to webhooks.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ActivityActor, ActivityChange};

/// The body of a message to a webhook. It holds no secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookEvent {
    /// Grows when a body can no longer be read as the one before; more fields alone do not make it grow.
    #[schema(example = 1)]
    pub version: u16,
    /// What happened, known by this in all webhooks: the entry's identifier in the activity, where it stands there.
    pub id: Uuid,
    #[serde(rename = "type")]
    #[schema(example = "device.enrolled")]
    pub kind: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The organisation's slug.
    #[schema(example = "northwind")]
    pub organisation: String,
    pub actor: ActivityActor,
    pub subject: WebhookSubject,
    pub changes: Vec<ActivityChange>,
    pub request_id: Uuid,
}

impl WebhookEvent {
    /// The version of this type.
    pub const VERSION: u16 = 1;
}

/// What it happened to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookSubject {
    pub id: Uuid,
    /// What it was called then.
    #[schema(example = "Anna's laptop")]
    pub name: String,
}
