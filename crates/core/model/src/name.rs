//! Names that people give, and the e-mail address that they sign in with.

use std::{fmt, str::FromStr};

use crate::Invalid;

macro_rules! display_name {
    ($($(#[$doc:meta])* $name:ident <= $max:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The longest that is accepted, in characters.
            pub const CHARACTERS_MAX: usize = $max;
            /// The name as written, without white space around it.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> { visible_line(text, $max).map(Self) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    )+};
}

display_name!(
    /// What an organisation calls itself; at most 80 characters on one line.
    OrganisationName <= 80,
    /// What a person is called; at most 80 characters on one line.
    PersonName <= 80,
    /// What a network is called; at most 60 characters on one line, unique in its organisation.
    NetworkName <= 60,
    /// What a device is called; at most 60 characters on one line.
    DeviceName <= 60,
    /// What a gateway is called; at most 60 characters on one line, unique in the installation.
    GatewayName <= 60,
    /// What a webhook is called; at most 60 characters on one line.
    WebhookName <= 60,
);

/// The organisation's name in addresses: 2 to 40 of `a-z`, `0-9` and single hyphens. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganisationSlug(String);

impl OrganisationSlug {
    /// The longest that is accepted, in characters.
    pub const CHARACTERS_MAX: usize = 40;
    /// The slug as it stands in addresses.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrganisationSlug {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = visible_line(text, Self::CHARACTERS_MAX)?;
        if text.len() < 2 {
            return Err(Invalid::TooShort { length: text.len(), min: 2 });
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.chars().all(allowed) || text.starts_with('-') || text.ends_with('-') || text.contains("--") {
            return Err(Invalid::Slug);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for OrganisationSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An e-mail address in lower case: local part of at most 64 and 254 characters in all (RFC 5321 section 4.5.3.1),
/// without comments, quoted local parts or address literals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// The longest that is accepted, in characters.
    pub const CHARACTERS_MAX: usize = 254;
    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = visible_line(text, Self::CHARACTERS_MAX)?.to_lowercase();
        let Some((local, domain)) = text.rsplit_once('@') else { return Err(Invalid::Email) };
        let local_fits = (1..=64).contains(&local.len())
            && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character));
        if !local_fits || !domain.contains('.') || !is_domain(domain) {
            return Err(Invalid::Email);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A domain name in lower case without a final dot: labels of 1 to 63 letters, digits and hyphens, 253 in all (RFC 1123).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

impl DomainName {
    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
        if is_domain(&text) { Ok(Self(text)) } else { Err(Invalid::Domain) }
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `text` without white space around it, if it is one line of 1 to `max` visible characters.
fn visible_line(text: &str, max: usize) -> Result<String, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Invalid::Empty);
    }
    let length = text.chars().count();
    if length > max {
        return Err(Invalid::TooLong { length, max });
    }
    // Direction marks and isolates could make a name read as another one.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    if text.chars().any(hidden) {
        return Err(Invalid::ControlCharacter);
    }
    Ok(text.to_owned())
}

/// RFC 5322 `atext`, and letters beyond ASCII (RFC 6531).
fn is_atom_character(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c)
}

pub(crate) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    (1..=253).contains(&text.len()) && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_visible_line() {
        assert_eq!("  Anna's laptop ".parse::<DeviceName>().unwrap().as_str(), "Anna's laptop");
        assert_eq!(" \t".parse::<DeviceName>(), Err(Invalid::Empty));
        assert_eq!("a\nb".parse::<DeviceName>(), Err(Invalid::ControlCharacter));
        assert_eq!("abc\u{202E}gpj".parse::<DeviceName>(), Err(Invalid::ControlCharacter));
        assert_eq!("x".repeat(10_000).parse::<DeviceName>(), Err(Invalid::TooLong { length: 10_000, max: 60 }));
        assert!("é".repeat(60).parse::<DeviceName>().is_ok());
    }

    #[test]
    fn slugs_are_safe_in_addresses() {
        for good in ["acme", "a1", "north-wind-2"] {
            assert!(good.parse::<OrganisationSlug>().is_ok(), "{good}");
        }
        for bad in ["A", "Acme", "-acme", "acme-", "a--b", "a.b", "a/b", "..", "é1"] {
            assert!(bad.parse::<OrganisationSlug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn email_addresses_compare_without_case() {
        assert_eq!("Anna@Example.ORG".parse::<Email>().unwrap(), "anna@example.org".parse().unwrap());
        for bad in [
            "anna",
            "@example.org",
            "anna@",
            "anna@example",
            "a b@example.org",
            "anna@-x.org",
            "a..b@example.org",
            "a@b@example.org",
        ] {
            assert_eq!(bad.parse::<Email>(), Err(Invalid::Email), "{bad}");
        }
    }

    #[test]
    fn domains_lose_their_final_dot() {
        assert_eq!("Corp.Example.".parse::<DomainName>().unwrap().as_str(), "corp.example");
        assert_eq!("corp..example".parse::<DomainName>(), Err(Invalid::Domain));
    }
}
