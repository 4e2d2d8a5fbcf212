//! Webhooks of an organisation, and what was sent to them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// An address that an organisation's events are sent to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    pub id: Uuid,
    #[schema(example = "Inventory")]
    pub name: String,
    #[schema(example = "https://hooks.example.org/warren")]
    pub url: String,
    /// Names of events, `device.*` for all that begin so, or `*` for all.
    #[schema(example = json!(["device.*", "person.joined"]))]
    pub events: Vec<String>,
    /// `enabled`; `disabled` by an admin; `given_up` by Warren, because its address is gone or fails all the time.
    #[schema(example = "enabled")]
    pub standing: String,
    /// Deliveries that failed for good, one after the other.
    pub failures_in_a_row: u32,
    /// Until then messages are signed with the secret before as well; absent while there is none.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub former_secret_until: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub revision: i64,
}

/// A webhook and its secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookWithSecret {
    pub webhook: Webhook,
    /// What messages are signed with, by Standard Webhooks.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// A new webhook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    #[schema(example = "Inventory", max_length = 60)]
    pub name: String,
    /// Leads to the public internet, or to where the installation allows.
    #[schema(example = "https://hooks.example.org/warren", max_length = 500)]
    pub url: String,
    /// 1 to 32 names of events, `device.*` for all that begin so, or `*` for all.
    #[schema(example = json!(["device.*", "person.joined"]), min_items = 1, max_items = 32)]
    pub events: Vec<String>,
}

/// What is absent stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhook {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Inventory", max_length = 60)]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://hooks.example.org/v2", max_length = 500)]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["*"]), min_items = 1, max_items = 32)]
    pub events: Option<Vec<String>>,
    /// `enabled` or `disabled`. Enabling takes back that Warren gave it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "enabled")]
    pub standing: Option<String>,
}

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookDelivery {
    /// What `webhook-id` holds in every attempt.
    pub id: Uuid,
    pub webhook_id: Uuid,
    #[schema(example = "device.enrolled")]
    pub event: String,
    /// What is sent, to the byte: a `WebhookEvent`.
    pub body: String,
    /// `pending`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    pub state: String,
    pub attempts: u32,
    /// What the last attempt came to; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<WebhookAnswer>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<OffsetDateTime>,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WebhookAnswer {
    /// The HTTP status; absent when there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 204)]
    pub status: Option<u16>,
    /// How the answer begins, or why there was none.
    #[schema(example = "")]
    pub text: String,
    #[schema(example = 41)]
    pub took_ms: u64,
}
