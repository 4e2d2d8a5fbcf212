//! An organisation: one customer of the installation, with a database of its own.

use std::str::FromStr;

use crate::{Invalid, OrganisationId, OrganisationName, OrganisationSlug, Timestamp};

/// An organisation as the installation knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    pub id: OrganisationId,
    /// Its place in addresses; never changes.
    pub slug: OrganisationSlug,
    pub name: OrganisationName,
    pub state: OrganisationState,
    pub created_at: Timestamp,
    /// Grows with each change; the entity tag.
    pub revision: i64,
}

/// Whether the organisation may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrganisationState {
    Active,
    /// Shut by the operator; its data stay.
    Suspended,
}

impl OrganisationState {
    /// The word for it in the API, the database and the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl FromStr for OrganisationState {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(Invalid::Unknown { known: "active, suspended" }),
        }
    }
}
