//! Which of this machine's addresses each remote address dialled, so that replies leave from there.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use parking_lot::Mutex;

/// Remote addresses remembered at once. Anyone can make entries by sending datagrams, so the memory is bounded; when it
/// is full it starts afresh, and each device teaches it again with its next datagram.
const REMOTES_MAX: usize = 16_384;

/// The memory. It is a hint: without an entry the kernel picks the source address.
#[derive(Debug, Default)]
pub(super) struct SourceMemory(Mutex<HashMap<SocketAddr, IpAddr>>);

impl SourceMemory {
    /// Notes that `remote` dialled `local`.
    pub(super) fn remember(&self, remote: SocketAddr, local: IpAddr) {
        if local.is_multicast() || local.is_unspecified() {
            return;
        }
        let mut memory = self.0.lock();
        if memory.get(&remote) == Some(&local) {
            return;
        }
        if memory.len() >= REMOTES_MAX {
            memory.clear();
        }
        memory.insert(remote, local);
    }

    /// The address that `remote` dialled last.
    pub(super) fn recall(&self, remote: SocketAddr) -> Option<IpAddr> {
        self.0.lock().get(&remote).copied()
    }

    /// Drops what is known of `remote`.
    pub(super) fn forget(&self, remote: SocketAddr) {
        self.0.lock().remove(&remote);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(number: u32) -> SocketAddr {
        SocketAddr::new(std::net::Ipv4Addr::from(0x0a00_0000 + number).into(), 51820)
    }

    #[test]
    fn the_last_dialled_address_counts() {
        let memory = SourceMemory::default();
        memory.remember(remote(1), "192.0.2.1".parse().unwrap());
        memory.remember(remote(1), "192.0.2.2".parse().unwrap());
        assert_eq!(memory.recall(remote(1)), Some("192.0.2.2".parse().unwrap()));
        assert_eq!(memory.recall(remote(2)), None);
        memory.forget(remote(1));
        assert_eq!(memory.recall(remote(1)), None);
    }

    #[test]
    fn a_flood_of_remotes_does_not_grow_it_without_limit() {
        let memory = SourceMemory::default();
        for number in 0..100_000 {
            memory.remember(remote(number), "192.0.2.1".parse().unwrap());
        }
        assert!(memory.0.lock().len() <= REMOTES_MAX);
    }

    #[test]
    fn a_multicast_address_is_no_source() {
        let memory = SourceMemory::default();
        memory.remember(remote(1), "ff02::1".parse().unwrap());
        assert_eq!(memory.recall(remote(1)), None);
    }
}
