//! Which addresses are on the public internet.
//!
//! Source: the IANA registries of special-purpose addresses for [IPv4] and [IPv6], as of 2026. An address that carries another one
//! inside, as NAT64 and the mapped form do, is judged by the one inside.
//!
//! [IPv4]: https://www.iana.org/assignments/iana-ipv4-special-registry/
//! [IPv6]: https://www.iana.org/assignments/iana-ipv6-special-registry/

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(first: u16, second: u16, third: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), length)
}

/// What of IPv4 is not on the public internet.
const IPV4_SPECIAL: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // shared behind a carrier's NAT
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // Azure's host, at an address that looks public
    v4(169, 254, 0, 0, 16),   // link-local; clouds tell machines their secrets at 169.254.169.254
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocols
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // former relays of 6to4
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(233, 252, 0, 0, 24),   // documentation
    v4(240, 0, 0, 0, 4),      // reserved, and broadcast
];

/// All that IPv6 has given out for the public internet.
const IPV6_PUBLIC: Ipv6Net = v6(0x2000, 0, 0, 3);

/// What of it is not there.
const IPV6_SPECIAL: [Ipv6Net; 4] = [
    v6(0x2001, 0, 0, 23),     // protocols: Teredo, benchmarks, ORCHID
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x2002, 0, 0, 16),     // 6to4, which leads to an IPv4 address
    v6(0x3fff, 0, 0, 20),     // documentation
];

/// NAT64's well-known prefix (RFC 6052), in whose last 32 bits an IPv4 address stands.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// The address that is meant: an IPv4 address in the place of its mapped form (RFC 4291 section 2.5.5.2) and of NAT64's.
pub(super) fn meant(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        other => other,
    }
}

/// Whether `address` is one that anybody on the internet reaches.
pub fn is_public(address: IpAddr) -> bool {
    match meant(address) {
        IpAddr::V4(address) => !IPV4_SPECIAL.iter().any(|range| range.contains(&address)),
        IpAddr::V6(address) => {
            IPV6_PUBLIC.contains(&address) && !IPV6_SPECIAL.iter().any(|range| range.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn what_is_on_the_internet_is_public() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "168.63.129.15",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001:830::200e",
            "2001:200::1",
            "2003::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn what_means_something_else_is_not() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1.1.1.1",
            "100::1",
            "2001::1",
            "2001:0:53aa:64c:0:0:f5ff:fffe",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "e000::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    proptest! {
        #[test]
        fn the_standard_library_agrees_on_what_it_knows(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast()
                || address.is_broadcast() || address.is_documentation() || address.is_unspecified();
            prop_assert!(!(special && is_public(address.into())), "{address}");
        }

        #[test]
        fn a_form_of_an_ipv4_address_is_judged_as_the_address(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let [a, b, c, d] = address.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let public = is_public(address.into());
            prop_assert_eq!(is_public(address.to_ipv6_mapped().into()), public);
            prop_assert_eq!(is_public(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into()), public);
            prop_assert_eq!(meant(address.to_ipv6_mapped().into()), IpAddr::V4(address));
            // These lead to it by ways of their own, and are never taken.
            for other in [[0x2002, high, low, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, high, low], [0, 0, 0, 0, 0xffff, 0, high, low], [0x2001, 0, 1, 1, 0, 0, !high, !low]] {
                prop_assert!(!is_public(Ipv6Addr::from(other).into()));
            }
        }

        #[test]
        fn an_ipv6_address_outside_of_what_was_given_out_is_never_public(bits: u128) {
            let address = Ipv6Addr::from(bits);
            let given_out = bits >> 125 == 0b001;
            let inside = meant(address.into());
            prop_assert!(given_out || inside.is_ipv4() || !is_public(address.into()), "{address}");
            let local = address.is_loopback() || address.is_unspecified() || address.is_multicast()
                || address.is_unique_local() || address.is_unicast_link_local();
            prop_assert!(!(local && is_public(address.into())), "{address}");
        }
    }
}
