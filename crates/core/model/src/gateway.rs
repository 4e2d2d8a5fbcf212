//! A gateway: the process that carries traffic, and where clients find it.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::{GatewayId, GatewayName, Invalid, Timestamp};

/// A gateway as the installation knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    pub id: GatewayId,
    pub name: GatewayName,
    /// The host that devices dial; each network has a port of its own on it.
    pub endpoint: EndpointHost,
    /// The UDP port of the first network; later ones count up.
    pub first_port: u16,
    pub enrolment: Enrolment,
    pub created_at: Timestamp,
    /// Grows with each change; the entity tag.
    pub revision: i64,
}

impl Gateway {
    /// How many networks one gateway may carry, and so how many UDP ports from `first_port` on it may use.
    pub const NETWORKS_MAX: u16 = 4096;
    /// WireGuard's usual port.
    pub const FIRST_PORT_DEFAULT: u16 = 51820;
}

/// Whether a gateway has taken up its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolment {
    /// Its one-time token has not been used.
    Pending,
    /// It holds a credential since then.
    Enrolled { at: Timestamp },
}

/// A host name or IP address that devices dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHost(Host);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Address(IpAddr),
}

impl EndpointHost {
    /// Whether only this same machine can reach it.
    pub fn is_loopback(&self) -> bool {
        match &self.0 {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Address(address) => address.is_loopback(),
        }
    }
    /// `host:port`, with brackets around an IPv6 address.
    pub fn with_port(&self, port: u16) -> String {
        match &self.0 {
            Host::Address(IpAddr::V6(address)) => format!("[{address}]:{port}"),
            Host::Address(address) => format!("{address}:{port}"),
            Host::Name(name) => format!("{name}:{port}"),
        }
    }
}

impl FromStr for EndpointHost {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return if address.is_unspecified() || address.is_multicast() {
                Err(Invalid::Host)
            } else {
                Ok(Self(Host::Address(address)))
            };
        }
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        // A last label of digits alone would be read as a broken IPv4 address (RFC 1123 section 2.1).
        let numeric_end = name.rsplit('.').next().is_some_and(|label| label.chars().all(|c| c.is_ascii_digit()));
        if crate::name::is_domain(&name) && !numeric_end { Ok(Self(Host::Name(name))) } else { Err(Invalid::Host) }
    }
}

impl fmt::Display for EndpointHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Host::Name(name) => f.write_str(name),
            Host::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_written_as_clients_read_them() {
        for (text, expected) in [
            ("vpn.example.org", "vpn.example.org:51820"),
            ("192.0.2.1", "192.0.2.1:51820"),
            ("[2001:db8::1]", "[2001:db8::1]:51820"),
        ] {
            assert_eq!(text.parse::<EndpointHost>().unwrap().with_port(51820), expected);
        }
        for bad in ["", "0.0.0.0", "1.2.3", "a b", "http://x", "vpn.example.org:51820"] {
            assert_eq!(bad.parse::<EndpointHost>(), Err(Invalid::Host), "{bad}");
        }
    }
}
