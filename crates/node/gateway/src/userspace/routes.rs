//! Which peer an address belongs to: the longest prefix that holds it wins.

use std::{collections::BTreeMap, collections::HashMap, net::IpAddr};

use ipnet::IpNet;

/// Prefixes and what they belong to. A lookup asks once for each prefix length in use, which for devices is one.
#[derive(Debug)]
pub(super) struct Routes<T> {
    entries: HashMap<IpNet, T>,
    ipv4_lengths: BTreeMap<u8, usize>,
    ipv6_lengths: BTreeMap<u8, usize>,
}

impl<T> Default for Routes<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), ipv4_lengths: BTreeMap::new(), ipv6_lengths: BTreeMap::new() }
    }
}

impl<T> Routes<T> {
    /// Gives `net` to `owner`, whoever had it.
    pub(super) fn insert(&mut self, net: IpNet, owner: T) {
        let net = net.trunc();
        if self.entries.insert(net, owner).is_none() {
            *self.lengths_mut(net).entry(net.prefix_len()).or_default() += 1;
        }
    }

    /// Takes `net` away when `is_owner` says so.
    pub(super) fn remove(&mut self, net: IpNet, is_owner: impl FnOnce(&T) -> bool) {
        let net = net.trunc();
        if !self.entries.get(&net).is_some_and(is_owner) {
            return;
        }
        self.entries.remove(&net);
        let lengths = self.lengths_mut(net);
        if let Some(count) = lengths.get_mut(&net.prefix_len()) {
            *count -= 1;
            if *count == 0 {
                lengths.remove(&net.prefix_len());
            }
        }
    }

    /// The owner of `address`.
    pub(super) fn find(&self, address: IpAddr) -> Option<&T> {
        let lengths = if address.is_ipv4() { &self.ipv4_lengths } else { &self.ipv6_lengths };
        lengths.keys().rev().find_map(|length| {
            let net = IpNet::new(address, *length).ok()?;
            self.entries.get(&net.trunc())
        })
    }

    fn lengths_mut(&mut self, net: IpNet) -> &mut BTreeMap<u8, usize> {
        match net {
            IpNet::V4(_) => &mut self.ipv4_lengths,
            IpNet::V6(_) => &mut self.ipv6_lengths,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_wins_in_its_own_family() {
        let mut routes = Routes::default();
        for (number, prefix) in ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.5/32", "fd00::/8"].into_iter().enumerate() {
            routes.insert(net(prefix), number);
        }
        let found = |address: &str| routes.find(address.parse().unwrap()).copied();
        assert_eq!(found("10.0.0.5"), Some(2));
        assert_eq!(found("10.0.0.6"), Some(1));
        assert_eq!(found("192.0.2.1"), Some(0));
        assert_eq!(found("fd12::1"), Some(3));
        assert_eq!(found("2001:db8::1"), None);
    }

    #[test]
    fn only_the_owner_gives_a_prefix_back() {
        let mut routes = Routes::default();
        routes.insert(net("10.0.0.5/32"), 1);
        routes.insert(net("10.0.0.5/32"), 2);
        routes.remove(net("10.0.0.5/32"), |owner| *owner == 1);
        assert_eq!(routes.find("10.0.0.5".parse().unwrap()), Some(&2));
        routes.remove(net("10.0.0.5/32"), |owner| *owner == 2);
        assert_eq!(routes.find("10.0.0.5".parse().unwrap()), None);
        assert!(routes.ipv4_lengths.is_empty());
    }
}
