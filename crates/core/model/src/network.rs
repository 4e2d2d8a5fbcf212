//! A private network of an organisation, and how devices use it.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{GatewayId, Invalid, NetworkId, NetworkName, PublicKey, Timestamp, address::Prefixes, name::DomainName};

/// A private network as it stands in the organisation's database. Its private key is held apart, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    pub id: NetworkId,
    pub settings: NetworkSettings,
    /// Where its devices connect to.
    pub gateway: GatewayId,
    /// The gateway's UDP port for this network.
    pub listen_port: u16,
    /// The key by which devices know the gateway in this network.
    pub public_key: PublicKey,
    pub created_at: Timestamp,
    /// Grows with each change; the entity tag.
    pub revision: i64,
}

impl Network {
    /// The most networks of one organisation.
    pub const PER_ORGANISATION_MAX: u16 = 1000;
}

/// What an admin decides about a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSettings {
    pub name: NetworkName,
    pub prefixes: Prefixes,
    pub dns: Dns,
    pub tunnel: Tunnel,
    pub device_traffic: DeviceTraffic,
    pub mtu: Mtu,
    pub keepalive: Keepalive,
}

impl NetworkSettings {
    /// What devices send into the tunnel, which is also all that the gateway lets through from them.
    pub fn routes(&self) -> Vec<IpNet> {
        match &self.tunnel {
            Tunnel::Full => vec![IpNet::V4(ipnet::Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())],
            Tunnel::Split { routes } => {
                let mut all: Vec<IpNet> = self.prefixes.iter().collect();
                all.extend(routes.iter().filter(|route| !self.prefixes.iter().any(|own| own.contains(*route))));
                all
            }
        }
    }
}

/// Name servers and search domains that devices use while connected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dns {
    servers: Vec<IpAddr>,
    search_domains: Vec<DomainName>,
}

impl Dns {
    /// The most servers that a configuration may name; resolvers ignore more than three.
    pub const SERVERS_MAX: usize = 3;
    /// The most search domains (resolv.conf(5) allowed six for long).
    pub const SEARCH_DOMAINS_MAX: usize = 6;

    /// # Errors
    /// [`Invalid::TooMany`] or [`Invalid::Repeated`].
    pub fn new(servers: Vec<IpAddr>, search_domains: Vec<DomainName>) -> Result<Self, Invalid> {
        bounded_and_distinct(&servers, Self::SERVERS_MAX)?;
        bounded_and_distinct(&search_domains, Self::SEARCH_DOMAINS_MAX)?;
        Ok(Self { servers, search_domains })
    }
    pub fn servers(&self) -> &[IpAddr] {
        &self.servers
    }
    pub fn search_domains(&self) -> &[DomainName] {
        &self.search_domains
    }
}

/// Which of a device's traffic goes through the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tunnel {
    /// All of it.
    Full,
    /// The network itself and these prefixes behind the gateway.
    Split { routes: Vec<IpNet> },
}

impl Tunnel {
    /// The most routes of a split tunnel.
    pub const ROUTES_MAX: usize = 64;

    /// A split tunnel.
    ///
    /// # Errors
    /// [`Invalid::TooMany`] or [`Invalid::Repeated`].
    pub fn split(routes: Vec<IpNet>) -> Result<Self, Invalid> {
        bounded_and_distinct(&routes, Self::ROUTES_MAX)?;
        Ok(Self::Split { routes })
    }
}

/// Whether devices of one network reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceTraffic {
    Allowed,
    Blocked,
}

impl DeviceTraffic {
    /// The word for it in the API, the database and the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Blocked => "blocked",
        }
    }
}

impl std::str::FromStr for DeviceTraffic {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "allowed" => Ok(Self::Allowed),
            "blocked" => Ok(Self::Blocked),
            _ => Err(Invalid::Unknown { known: "allowed, blocked" }),
        }
    }
}

/// The tunnel's maximum transmission unit in bytes: 1280 (RFC 8200 section 5) to 9000, by default 1420.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mtu(u16);

impl Mtu {
    /// # Errors
    /// [`Invalid::OutOfRange`].
    pub fn new(bytes: i64) -> Result<Self, Invalid> {
        in_range(bytes, 1280, 9000).map(Self)
    }
    pub const fn bytes(self) -> u16 {
        self.0
    }
}

impl Default for Mtu {
    /// What fits into an Ethernet frame over IPv6: 1500 - 40 - 8 - 32.
    fn default() -> Self {
        Self(1420)
    }
}

/// How often an idle device sends a packet so that address translators keep its mapping: 0 (never) to 600 s, by default 25.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive(u16);

impl Keepalive {
    /// # Errors
    /// [`Invalid::OutOfRange`].
    pub fn new(seconds: i64) -> Result<Self, Invalid> {
        in_range(seconds, 0, 600).map(Self)
    }
    /// Zero stands for never.
    pub const fn seconds(self) -> u16 {
        self.0
    }
}

impl Default for Keepalive {
    fn default() -> Self {
        Self(25)
    }
}

fn in_range(value: i64, min: i64, max: i64) -> Result<u16, Invalid> {
    if (min..=max).contains(&value) {
        u16::try_from(value).map_err(|_| Invalid::OutOfRange { value, min, max })
    } else {
        Err(Invalid::OutOfRange { value, min, max })
    }
}

fn bounded_and_distinct<T: PartialEq + std::fmt::Display>(items: &[T], max: usize) -> Result<(), Invalid> {
    if items.len() > max {
        return Err(Invalid::TooMany { length: items.len(), max });
    }
    match items.iter().enumerate().find(|(at, item)| items[..*at].contains(item)) {
        Some((_, item)) => Err(Invalid::Repeated { item: item.to_string() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_bounded_and_distinct() {
        let address: IpAddr = "10.0.0.53".parse().unwrap();
        assert_eq!(Dns::new(vec![address, address], vec![]), Err(Invalid::Repeated { item: "10.0.0.53".into() }));
        let many = (0..65).map(|n| format!("10.{n}.0.0/16").parse().unwrap()).collect();
        assert_eq!(Tunnel::split(many), Err(Invalid::TooMany { length: 65, max: 64 }));
    }

    #[test]
    fn numbers_have_limits() {
        assert_eq!(Mtu::new(1279), Err(Invalid::OutOfRange { value: 1279, min: 1280, max: 9000 }));
        assert_eq!(Keepalive::new(-1), Err(Invalid::OutOfRange { value: -1, min: 0, max: 600 }));
        assert_eq!(Mtu::new(1420).unwrap(), Mtu::default());
    }
}
