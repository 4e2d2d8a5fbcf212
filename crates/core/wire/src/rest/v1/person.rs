//! People: accounts as one organisation sees them.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A person of an organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The account's identifier.
    pub id: Uuid,
    #[schema(example = "Ben Carter")]
    pub name: String,
    #[schema(example = "ben@example.org")]
    pub email: String,
    /// `member` or `admin`.
    #[schema(example = "member")]
    pub role: String,
    /// `invited` until the invitation is accepted, then `joined`.
    #[schema(example = "joined")]
    pub standing: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub revision: i64,
}

/// Invites a person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitePerson {
    #[schema(example = "Ben Carter", max_length = 80)]
    pub name: String,
    #[schema(example = "ben@example.org", max_length = 254)]
    pub email: String,
    #[schema(example = "member")]
    pub role: String,
}

/// A person and the link to hand over, which goes to the person by mail where mail is on. The link is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InvitedPerson {
    pub person: Person,
    pub invitation: InvitationLink,
    /// The job that sends the link to the person; absent where mail is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter_job_id: Option<Uuid>,
}

/// A link that works once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InvitationLink {
    #[schema(example = "https://vpn.example.org/invitation#GGkQXH0-fSfHTmUvLtNQ0HJvWgMKTKfkGuJ8h5DN9Xk")]
    pub link: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Changes a person's role.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePerson {
    #[schema(example = "admin")]
    pub role: String,
}
