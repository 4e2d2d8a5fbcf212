//! Prefixes that a network may use, and the addresses leased from them.
//!
//! A device holds one *host index* in its network; both of its addresses are the network's address plus that index.
//! So one unique number leases the IPv4 and the IPv6 address together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::Invalid;

/// The number of a device's addresses within its network's prefixes; 1 is the gateway, devices begin at 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostIndex(pub u32);

impl HostIndex {
    /// The gateway's own place in each network.
    pub const GATEWAY: Self = Self(1);
    /// The first that a device may hold.
    pub const FIRST_DEVICE: Self = Self(2);
}

/// The prefixes of one network: IPv4, IPv6, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefixes {
    ipv4: Option<Ipv4Net>,
    ipv6: Option<Ipv6Net>,
}

impl Prefixes {
    /// IPv4 from /8 (16 million addresses) to /30 (one device).
    pub const IPV4_LENGTHS: (u8, u8) = (8, 30);
    /// IPv6 from /32 to /126.
    pub const IPV6_LENGTHS: (u8, u8) = (32, 126);

    /// Prefixes that can serve a network.
    ///
    /// # Errors
    /// [`Invalid::NoPrefix`] without any; [`Invalid::PrefixLength`], [`Invalid::HostBits`] or [`Invalid::ReservedRange`]
    /// for a prefix that no private network can use.
    pub fn new(ipv4: Option<Ipv4Net>, ipv6: Option<Ipv6Net>) -> Result<Self, Invalid> {
        if ipv4.is_none() && ipv6.is_none() {
            return Err(Invalid::NoPrefix);
        }
        if let Some(net) = ipv4 {
            check(net.into(), Self::IPV4_LENGTHS)?;
        }
        if let Some(net) = ipv6 {
            check(net.into(), Self::IPV6_LENGTHS)?;
        }
        Ok(Self { ipv4, ipv6 })
    }
    /// The IPv4 prefix.
    pub const fn ipv4(&self) -> Option<Ipv4Net> {
        self.ipv4
    }
    /// The IPv6 prefix.
    pub const fn ipv6(&self) -> Option<Ipv6Net> {
        self.ipv6
    }
    /// Both prefixes, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = IpNet> {
        self.ipv4.map(IpNet::from).into_iter().chain(self.ipv6.map(IpNet::from))
    }
    /// The highest host index that a device may hold. The IPv4 broadcast address is never given out.
    pub fn last_device(&self) -> HostIndex {
        let ipv4 = self.ipv4.map_or(u32::MAX, |net| (u32::MAX >> net.prefix_len()) - 1);
        let ipv6 = self.ipv6.map_or(u32::MAX, |net| {
            u32::try_from(u128::MAX.checked_shr(net.prefix_len().into()).unwrap_or(0)).unwrap_or(u32::MAX)
        });
        // Kept within 31 bits so that every database can hold it as a plain integer.
        HostIndex(ipv4.min(ipv6).min(i32::MAX as u32))
    }
    /// How many devices can hold an address at once.
    pub fn capacity(&self) -> u32 {
        self.last_device().0 - HostIndex::GATEWAY.0
    }
    /// The addresses that stand at `index`.
    pub fn at(&self, index: HostIndex) -> Addresses {
        Addresses {
            ipv4: self.ipv4.map(|net| Ipv4Addr::from(u32::from(net.network()) + index.0)),
            ipv6: self.ipv6.map(|net| Ipv6Addr::from(u128::from(net.network()) + u128::from(index.0))),
        }
    }
    /// The first pair of prefixes that share an address.
    pub fn overlap(&self, other: &Self) -> Option<(IpNet, IpNet)> {
        self.iter().flat_map(|a| other.iter().map(move |b| (a, b))).find(|(a, b)| a.contains(b) || b.contains(a))
    }
}

/// The addresses of one device: at least one of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// The IPv4 address, in a network that has an IPv4 prefix.
    pub ipv4: Option<Ipv4Addr>,
    /// The IPv6 address, in a network that has an IPv6 prefix.
    pub ipv6: Option<Ipv6Addr>,
}

impl Addresses {
    /// Both addresses, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.ipv4.map(IpAddr::from).into_iter().chain(self.ipv6.map(IpAddr::from))
    }
}

/// Reads `10.20.0.0/24`; refuses host bits and says what was probably meant.
pub fn parse_ipv4_prefix(text: &str) -> Result<Ipv4Net, Invalid> {
    match parse_prefix(text)? {
        IpNet::V4(net) => Ok(net),
        IpNet::V6(_) => Err(Invalid::Family),
    }
}

/// Reads `fd12:3456:789a::/64`; refuses host bits and says what was probably meant.
pub fn parse_ipv6_prefix(text: &str) -> Result<Ipv6Net, Invalid> {
    match parse_prefix(text)? {
        IpNet::V6(net) => Ok(net),
        IpNet::V4(_) => Err(Invalid::Family),
    }
}

/// Reads a prefix of either family.
pub fn parse_prefix(text: &str) -> Result<IpNet, Invalid> {
    let net: IpNet = text.trim().parse().map_err(|_| Invalid::Prefix)?;
    if net.addr() == net.network() { Ok(net) } else { Err(Invalid::HostBits { meant: net.trunc() }) }
}

/// Reads an IP address of either family.
pub fn parse_address(text: &str) -> Result<IpAddr, Invalid> {
    text.trim().parse().map_err(|_| Invalid::Address)
}

fn check(net: IpNet, (min, max): (u8, u8)) -> Result<(), Invalid> {
    if net.addr() != net.network() {
        return Err(Invalid::HostBits { meant: net.trunc() });
    }
    if !(min..=max).contains(&net.prefix_len()) {
        return Err(Invalid::PrefixLength { length: net.prefix_len(), min, max });
    }
    match reserved().find(|range| range.contains(&net) || net.contains(range)) {
        Some(range) => Err(Invalid::ReservedRange { range }),
        None => Ok(()),
    }
}

/// Ranges with a meaning of their own (RFC 6890): this host, loopback, link-local, multicast, future use.
fn reserved() -> impl Iterator<Item = IpNet> {
    let ipv4 =
        [([0, 0, 0, 0], 8), ([127, 0, 0, 0], 8), ([169, 254, 0, 0], 16), ([224, 0, 0, 0], 4), ([240, 0, 0, 0], 4)]
            .map(|(octets, length)| IpNet::from(Ipv4Net::new_assert(octets.into(), length)));
    let ipv6 = [(0, 8), (0xfe80, 10), (0xff00, 8)]
        .map(|(first, length)| IpNet::from(Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0), length)));
    ipv4.into_iter().chain(ipv6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(ipv4: &str, ipv6: &str) -> Prefixes {
        Prefixes::new(Some(ipv4.parse().unwrap()), Some(ipv6.parse().unwrap())).unwrap()
    }

    #[test]
    fn both_addresses_stand_at_the_same_index() {
        let addresses = prefixes("10.20.0.0/24", "fd00:1::/64").at(HostIndex(10));
        assert_eq!(addresses.iter().map(|a| a.to_string()).collect::<Vec<_>>(), ["10.20.0.10", "fd00:1::a"]);
    }

    #[test]
    fn the_smaller_prefix_bounds_the_capacity() {
        assert_eq!(prefixes("10.20.0.0/24", "fd00:1::/64").capacity(), 253);
        assert_eq!(prefixes("10.20.0.0/30", "fd00:1::/64").capacity(), 1);
        assert_eq!(prefixes("10.0.0.0/8", "fd00:1::/126").last_device(), HostIndex(3));
        let only_ipv6 = Prefixes::new(None, Some("fd00::/64".parse().unwrap())).unwrap();
        assert_eq!(only_ipv6.last_device(), HostIndex(i32::MAX as u32));
    }

    #[test]
    fn host_bits_are_refused_with_what_was_meant() {
        assert_eq!(
            parse_ipv4_prefix("10.20.0.7/24"),
            Err(Invalid::HostBits { meant: "10.20.0.0/24".parse().unwrap() })
        );
        assert_eq!(parse_ipv4_prefix("fd00::/64"), Err(Invalid::Family));
        assert_eq!(parse_prefix("10.20.0.0"), Err(Invalid::Prefix));
    }

    #[test]
    fn ranges_with_a_meaning_of_their_own_are_refused() {
        for bad in ["127.0.0.0/24", "169.254.1.0/24", "224.0.0.0/8"] {
            let net = bad.parse().unwrap();
            assert!(matches!(Prefixes::new(Some(net), None), Err(Invalid::ReservedRange { .. })), "{bad}");
        }
        assert_eq!(Prefixes::new(None, None), Err(Invalid::NoPrefix));
        assert!(matches!(Prefixes::new(Some("10.0.0.0/31".parse().unwrap()), None), Err(Invalid::PrefixLength { .. })));
    }

    #[test]
    fn overlap_is_found_in_either_direction() {
        let a = prefixes("10.0.0.0/16", "fd00:1::/64");
        let b = prefixes("10.0.3.0/24", "fd00:2::/64");
        assert!(a.overlap(&b).is_some() && b.overlap(&a).is_some());
        assert_eq!(a.overlap(&prefixes("10.1.0.0/16", "fd00:3::/64")), None);
    }
}
