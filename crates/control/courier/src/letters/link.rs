//! A link that may stand in a letter.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;
use warren_model::Invalid;

/// An `https://` or `http://` address. `Debug` shows only its host: what follows may let somebody in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Link(Url);

impl Link {
    /// The longest that is accepted, in bytes.
    pub const BYTES_MAX: usize = 2000;

    /// The address in ASCII, without white space, quotes or angle brackets.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address as people read it: without the scheme and a slash at the end.
    pub(super) fn short(&self) -> &str {
        let text = self.as_str();
        text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/')
    }
}

impl FromStr for Link {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() > Self::BYTES_MAX {
            return Err(Invalid::TooLong { length: text.len(), max: Self::BYTES_MAX });
        }
        let url = Url::parse(text.trim()).map_err(|_| Invalid::Url)?;
        let is_web = matches!(url.scheme(), "https" | "http") && url.host().is_some();
        if !is_web || !url.username().is_empty() || url.password().is_some() {
            return Err(Invalid::Url);
        }
        Ok(Self(url))
    }
}

impl TryFrom<String> for Link {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.0.into()
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({}…)", self.0.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_links() {
        for good in ["https://vpn.example.org/invitation#abc", "http://127.0.0.1:8080/"] {
            assert_eq!(good.parse::<Link>().unwrap().as_str(), good);
        }
        for bad in
            ["javascript:alert(1)", "data:text/html,x", "https://", "vpn.example.org", "https://a:b@example.org/", ""]
        {
            assert_eq!(bad.parse::<Link>(), Err(Invalid::Url), "{bad}");
        }
    }

    #[test]
    fn a_link_ends_no_attribute_and_no_line() {
        let link: Link = "https://example.org/a\"b<c>\r\nd e#f\"g<h>".parse().unwrap();
        assert!(!link.as_str().contains(['"', '<', '>', '\r', '\n', ' ']), "{link}");
    }

    #[test]
    fn a_one_time_token_is_not_in_the_debug_form() {
        let link: Link = "https://vpn.example.org/invitation#secret".parse().unwrap();
        assert_eq!(format!("{link:?}"), "Link(https://vpn.example.org…)");
    }
}
