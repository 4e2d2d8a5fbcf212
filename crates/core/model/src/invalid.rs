//! What can be wrong with a value from outside, in a form that can be translated.

use ipnet::IpNet;

/// Why a value was refused. `Display` is the English sentence fragment that follows the field's name;
/// [`Invalid::code`] and [`Invalid::arguments`] find the same sentence in another language's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Nothing, or only white space.
    #[error("must not be empty")]
    Empty,
    /// Too many characters.
    #[error("has {length} characters; at most {max} are allowed")]
    TooLong { length: usize, max: usize },
    /// Too few characters.
    #[error("has {length} characters; at least {min} are needed")]
    TooShort { length: usize, min: usize },
    /// A control character, line break or invisible direction mark.
    #[error("contains a control or invisible formatting character")]
    ControlCharacter,
    /// Not a slug.
    #[error(
        "may hold only lower-case letters a to z, digits and single hyphens, and starts and ends with a letter or digit"
    )]
    Slug,
    /// Not an e-mail address.
    #[error("is not an e-mail address such as name@example.org")]
    Email,
    /// Not an identifier.
    #[error("is not an identifier (a UUID such as 0192f3a4-…)")]
    Identifier,
    /// Not a WireGuard key.
    #[error("is not a WireGuard key: 32 bytes in Base64, 44 characters that end in '='")]
    Key,
    /// A point of small order, with which no secret can be agreed (RFC 7748 section 6.1).
    #[error("is a weak WireGuard key with which no secret can be agreed; make a new one")]
    WeakKey,
    /// Not `address/length`.
    #[error("is not a prefix such as 10.20.0.0/24 or fd12:3456:789a::/64")]
    Prefix,
    /// Bits set right of the prefix length.
    #[error("has bits set to the right of its length; did you mean {meant}?")]
    HostBits { meant: IpNet },
    /// A range that means something else.
    #[error("lies in a range with a meaning of its own ({range}) and cannot be used")]
    ReservedRange { range: IpNet },
    /// Too many or too few host addresses.
    #[error("has a length of /{length}; it must lie between /{min} and /{max}")]
    PrefixLength { length: u8, min: u8, max: u8 },
    /// IPv4 where IPv6 is asked for, or the reverse.
    #[error("belongs to the other address family")]
    Family,
    /// Neither an IPv4 nor an IPv6 prefix.
    #[error("needs an IPv4 prefix, an IPv6 prefix, or both")]
    NoPrefix,
    /// Not an IP address.
    #[error("is not an IP address such as 10.20.0.53 or fd12::53")]
    Address,
    /// Not a DNS domain name.
    #[error("is not a domain name such as corp.example.org")]
    Domain,
    /// Not `host` of an endpoint.
    #[error("is not a host name or an IP address")]
    Host,
    /// A number outside its limits.
    #[error("is {value}; it must lie between {min} and {max}")]
    OutOfRange { value: i64, min: i64, max: i64 },
    /// Too many items in a list.
    #[error("has {length} items; at most {max} are allowed")]
    TooMany { length: usize, max: usize },
    /// The same item twice.
    #[error("names {item} twice")]
    Repeated { item: String },
    /// A moment that has passed.
    #[error("lies in the past")]
    Past,
    /// A word that is not among those known.
    #[error("is not one of: {known}")]
    Unknown { known: &'static str },
    /// A secret that does not decode.
    #[error("is not a valid cursor; start again from the first page")]
    Cursor,
    /// A password that is too easy.
    #[error("is among the passwords that are guessed first; choose another")]
    CommonPassword,
    /// Not an address of the web.
    #[error("is not a web address such as https://example.org/hook")]
    Url,
    /// A web address that is read on the way.
    #[error("must begin with https://, so that nobody on the way can read or change what is sent")]
    NotHttps,
    /// A web address with a user or a password, which would stand in lists and logs.
    #[error("must hold no user and no password")]
    UserInUrl,
    /// A port that is none of the web's.
    #[error("names the port {port}; leave the port out, or use one from {first} on")]
    UrlPort { port: u16, first: u16 },
    /// A host that is not on the public internet.
    #[error("names {host}, which is not on the public internet")]
    PrivateHost { host: String },
}

impl Invalid {
    /// The key of the sentence in the message catalogues.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "invalid-empty",
            Self::TooLong { .. } => "invalid-too-long",
            Self::TooShort { .. } => "invalid-too-short",
            Self::ControlCharacter => "invalid-control-character",
            Self::Slug => "invalid-slug",
            Self::Email => "invalid-email",
            Self::Identifier => "invalid-identifier",
            Self::Key => "invalid-key",
            Self::WeakKey => "invalid-weak-key",
            Self::Prefix => "invalid-prefix",
            Self::HostBits { .. } => "invalid-host-bits",
            Self::ReservedRange { .. } => "invalid-reserved-range",
            Self::PrefixLength { .. } => "invalid-prefix-length",
            Self::Family => "invalid-family",
            Self::NoPrefix => "invalid-no-prefix",
            Self::Address => "invalid-address",
            Self::Domain => "invalid-domain",
            Self::Host => "invalid-host",
            Self::OutOfRange { .. } => "invalid-out-of-range",
            Self::TooMany { .. } => "invalid-too-many",
            Self::Repeated { .. } => "invalid-repeated",
            Self::Past => "invalid-past",
            Self::Unknown { .. } => "invalid-unknown",
            Self::Cursor => "invalid-cursor",
            Self::CommonPassword => "invalid-common-password",
            Self::Url => "invalid-url",
            Self::NotHttps => "invalid-not-https",
            Self::UserInUrl => "invalid-user-in-url",
            Self::UrlPort { .. } => "invalid-url-port",
            Self::PrivateHost { .. } => "invalid-private-host",
        }
    }

    /// The values that the sentence speaks of, by the names the catalogues use.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::TooLong { length, max } | Self::TooMany { length, max } => {
                vec![("length", length.to_string()), ("max", max.to_string())]
            }
            Self::TooShort { length, min } => vec![("length", length.to_string()), ("min", min.to_string())],
            Self::HostBits { meant } => vec![("meant", meant.to_string())],
            Self::ReservedRange { range } => vec![("range", range.to_string())],
            Self::PrefixLength { length, min, max } => {
                vec![("length", length.to_string()), ("min", min.to_string()), ("max", max.to_string())]
            }
            Self::OutOfRange { value, min, max } => {
                vec![("value", value.to_string()), ("min", min.to_string()), ("max", max.to_string())]
            }
            Self::Repeated { item } => vec![("item", item.clone())],
            Self::Unknown { known } => vec![("known", (*known).to_owned())],
            Self::UrlPort { port, first } => vec![("port", port.to_string()), ("first", first.to_string())],
            Self::PrivateHost { host } => vec![("host", host.clone())],
            _ => Vec::new(),
        }
    }
}
