//! A person in one organisation: an account together with the membership held there.

use std::str::FromStr;

use crate::{AccountId, Email, Invalid, PersonName, Role, Timestamp};

/// Somebody who belongs to an organisation, or was invited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub account: AccountId,
    pub email: Email,
    pub name: PersonName,
    pub role: Role,
    pub standing: MembershipStanding,
    /// When the membership began.
    pub created_at: Timestamp,
    /// Grows with each change of the membership; the entity tag.
    pub revision: i64,
}

/// Whether an invitation was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MembershipStanding {
    /// Invited and not here yet; reaches nothing.
    Invited,
    Joined,
}

impl MembershipStanding {
    /// The word for it in the API, the database and the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Joined => "joined",
        }
    }
}

impl FromStr for MembershipStanding {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "invited" => Ok(Self::Invited),
            "joined" => Ok(Self::Joined),
            _ => Err(Invalid::Unknown { known: "invited, joined" }),
        }
    }
}
