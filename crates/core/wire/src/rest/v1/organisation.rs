//! Organisations.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// An organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Organisation {
    pub id: Uuid,
    /// Its name in addresses; never changes.
    #[schema(example = "northwind")]
    pub slug: String,
    #[schema(example = "Northwind Ltd")]
    pub name: String,
    /// `active`, or `suspended`: nobody can work in it and its gateways carry nothing for it.
    #[schema(example = "active")]
    pub state: String,
    /// The reader's role in it: `member` or `admin`.
    #[schema(example = "admin")]
    pub role: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub revision: i64,
}

/// A new organisation with a database of its own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrganisation {
    #[schema(example = "northwind", min_length = 2, max_length = 40)]
    pub slug: String,
    #[schema(example = "Northwind Ltd", max_length = 80)]
    pub name: String,
}

/// What is absent stays as it is. `state` takes an operator.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOrganisation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Northwind Holding", max_length = 80)]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "suspended")]
    pub state: Option<String>,
}

/// An organisation in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    pub people: u64,
    pub networks: u64,
    pub devices: DeviceCounts,
}

/// Devices by state; `online` counts the active ones that hold a session now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceCounts {
    pub active: u64,
    pub online: u64,
    pub disabled: u64,
    pub expired: u64,
    pub revoked: u64,
}
