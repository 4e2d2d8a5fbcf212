//! Signing in, setting up, and accepting an invitation.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CreateOrganisation, Organisation};

/// The first use of an installation: makes its operator and its first organisation.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// From the set-up link that `warren up` printed.
    #[schema(example = "GGkQXH0-fSfHTmUvLtNQ0HJvWgMKTKfkGuJ8h5DN9Xk")]
    pub token: String,
    #[schema(example = "Anna Berg", max_length = 80)]
    pub name: String,
    #[schema(example = "anna@example.org", max_length = 254)]
    pub email: String,
    #[schema(example = "a long and quiet river", min_length = 10, max_length = 256)]
    pub password: String,
    pub organisation: CreateOrganisation,
}

/// E-mail and password.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[schema(example = "anna@example.org", max_length = 254)]
    pub email: String,
    #[schema(example = "a long and quiet river", max_length = 256)]
    pub password: String,
}

/// The signed-in session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    pub account: Account,
    /// The session ends then, however much it is used.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// The organisations that the account belongs to; at most 200.
    pub organisations: Vec<Organisation>,
}

/// A person's sign-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    pub id: Uuid,
    #[schema(example = "Anna Berg")]
    pub name: String,
    #[schema(example = "anna@example.org")]
    pub email: String,
    /// Whether the person operates the installation.
    pub operator: bool,
}

/// To see what an invitation link is for; consumes nothing.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectInvitation {
    #[schema(example = "GGkQXH0-fSfHTmUvLtNQ0HJvWgMKTKfkGuJ8h5DN9Xk")]
    pub token: String,
}

/// What an invitation link is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    #[schema(example = "Northwind Ltd")]
    pub organisation_name: String,
    #[schema(example = "ben@example.org")]
    pub email: String,
    #[schema(example = "Ben Carter")]
    pub name: String,
    /// Whether the person already has a password here; then that one is asked for, otherwise a new one is set.
    pub has_password: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Accepts an invitation and signs in.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    #[schema(example = "GGkQXH0-fSfHTmUvLtNQ0HJvWgMKTKfkGuJ8h5DN9Xk")]
    pub token: String,
    /// The password to set, or the one already set.
    #[schema(example = "a long and quiet river", max_length = 256)]
    pub password: String,
}
