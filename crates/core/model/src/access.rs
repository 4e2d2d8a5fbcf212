//! Who may do what, as far as it belongs to the domain.

use std::str::FromStr;

use crate::Invalid;

/// What a person is in one organisation. The operator of the installation is not a role in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sees the networks and keeps devices of their own.
    Member,
    /// Manages the people, networks and devices.
    Admin,
}

impl Role {
    /// The word for it in the API, the database and the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "member" => Ok(Self::Member),
            "admin" => Ok(Self::Admin),
            _ => Err(Invalid::Unknown { known: "member, admin" }),
        }
    }
}
