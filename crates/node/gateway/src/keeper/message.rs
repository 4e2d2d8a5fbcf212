//! What the gateway and its keeper say to each other: a length of four bytes (big-endian), then JSON.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_model::address::Prefixes;
use warren_tunnel::{NetworkSettings, ROUTES_MAX};
use warren_wire::node::v1::DeviceTraffic;

use super::peer::{KeyText, Peer, Reading};
use crate::config::HostPort;

/// The largest message, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024;
const HOST_PORTS_MAX: usize = 256;
/// Peers in one page of a reading; each takes some 250 bytes.
pub(crate) const READINGS_PER_PAGE_MAX: usize = 150;

/// What the keeper is asked to do. The first request is `Begin`; each is answered in its turn.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Request {
    Begin(Begin),
    /// A namespace for the network with the interface that carries it; a TUN device comes with the answer.
    Open {
        network: Uuid,
        surroundings: Surroundings,
        carrying: Carrying,
    },
    /// Changes what is around the interface.
    Adjust {
        network: Uuid,
        surroundings: Surroundings,
    },
    Close {
        network: Uuid,
    },
    /// A UDP socket on this port of the host; it comes with the answer.
    Bind {
        port: u16,
    },
    /// For a network that the kernel carries, as the next four. At most [`warren_tunnel::PEERS_PER_COMMAND_MAX`].
    SetPeers {
        network: Uuid,
        peers: Vec<Peer>,
    },
    /// Begins a handshake with each where it was heard from last.
    CallPeers {
        network: Uuid,
        peers: Vec<(Uuid, SocketAddr)>,
    },
    RemovePeers {
        network: Uuid,
        devices: Vec<Uuid>,
    },
    /// What the peers have sent and received, a page at a time.
    Stats {
        network: Uuid,
        page: Page,
    },
}

/// What carries a network's packets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Carrying {
    /// The gateway itself, through a TUN device.
    Tun,
    /// The kernel's WireGuard.
    Kernel { port: u16, private_key: KeyText },
}

/// Which part of a reading is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Page {
    /// Reads anew and gives the first page.
    First,
    /// What follows of the reading that the last page was of.
    Next,
}

/// What holds for the gateway as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub instance: Instance,
    pub transit_ipv4: Ipv4Net,
    pub transit_ipv6: Ipv6Net,
    pub host_ports: Vec<HostPort>,
}

/// What is around a network's interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Surroundings {
    pub ipv4: Option<Ipv4Net>,
    pub ipv6: Option<Ipv6Net>,
    pub routes: Vec<IpNet>,
    pub device_traffic: DeviceTraffic,
    /// In bytes.
    pub mtu: u16,
}

/// The keeper's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    Done,
    /// All was done but for this device, which has the network's own key.
    OwnKey {
        device: Uuid,
    },
    /// At most [`READINGS_PER_PAGE_MAX`]; the last page of a reading is the first that has fewer.
    Stats {
        peers: Vec<Reading>,
    },
    Refused {
        reason: String,
    },
}

/// Tells the gateways of one host apart: the 40-bit global identifier of RFC 4193, in ten hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Instance([u8; 5]);

impl Instance {
    pub const fn new(bytes: [u8; 5]) -> Self {
        Self(bytes)
    }
    /// The /64 of its own that RFC 4193 gives it.
    pub fn transit_ipv6(self) -> Ipv6Net {
        let [a, b, c, d, e] = self.0;
        let address = [0xfd, a, b, c, d, e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Ipv6Net::new_assert(address.into(), 64)
    }
    /// How the host's names of its veth interfaces begin; a slot of four digits fills up the 15 characters of a name.
    pub fn link_prefix(self) -> String {
        format!("w{self}")
    }
    pub fn link_name(self, slot: u16) -> String {
        format!("w{self}{slot:04x}")
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Instance> for String {
    fn from(instance: Instance) -> Self {
        instance.to_string()
    }
}

impl TryFrom<String> for Instance {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        let digits = text.len() == 10 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u64::from_str_radix(&text, 16).ok().filter(|_| digits).ok_or("is not ten hexadecimal digits")?;
        let [_, _, _, bytes @ ..] = number.to_be_bytes();
        Ok(Self(bytes))
    }
}

impl Begin {
    /// # Errors
    /// A sentence for the operator when the keeper cannot work with it.
    pub fn check(&self) -> Result<(), String> {
        if self.transit_ipv4.prefix_len() > 30 || self.transit_ipv4 != self.transit_ipv4.trunc() {
            return Err(format!("the transit range {} is not a prefix of /30 or shorter", self.transit_ipv4));
        }
        if self.transit_ipv6.prefix_len() > 112 || self.transit_ipv6 != self.transit_ipv6.trunc() {
            return Err(format!("the transit range {} is not a prefix of /112 or shorter", self.transit_ipv6));
        }
        if self.host_ports.len() > HOST_PORTS_MAX {
            return Err(format!("more than {HOST_PORTS_MAX} ports of the host are named"));
        }
        Ok(())
    }

    /// How many networks have room in the IPv4 transit range.
    pub fn slots(&self) -> u16 {
        u16::try_from(1_u32 << (31 - self.transit_ipv4.prefix_len().clamp(16, 31))).unwrap_or(u16::MAX)
    }

    /// The two ends of a network's way to the host: the host's and the namespace's addresses, IPv4 first.
    pub fn transit(&self, slot: u16) -> [Transit; 2] {
        let ipv4 = u32::from(self.transit_ipv4.network()) + 2 * u32::from(slot);
        // The first /127 is left out: its lower address is the subnet's anycast address (RFC 6164 section 5.1).
        let ipv6 = u128::from(self.transit_ipv6.network()) + 2 * (u128::from(slot) + 1);
        [
            Transit { host: IpAddr::V4(ipv4.into()), inside: IpAddr::V4((ipv4 + 1).into()), length: 31 },
            Transit { host: IpAddr::V6(ipv6.into()), inside: IpAddr::V6((ipv6 + 1).into()), length: 127 },
        ]
    }
}

/// The addresses between a namespace and the host, in one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transit {
    pub host: IpAddr,
    pub inside: IpAddr,
    pub length: u8,
}

impl Surroundings {
    /// # Errors
    /// A sentence for the operator when the keeper cannot work with it.
    pub fn check(&self) -> Result<Prefixes, String> {
        if self.routes.len() > ROUTES_MAX {
            return Err(format!("the network has more than {ROUTES_MAX} routes"));
        }
        if !(1280..=9000).contains(&self.mtu) {
            return Err(format!("the network's MTU of {} bytes is not between 1280 and 9000", self.mtu));
        }
        Prefixes::new(self.ipv4, self.ipv6).map_err(|flaw| format!("the network's prefix {flaw}"))
    }
}

impl From<&NetworkSettings> for Surroundings {
    fn from(settings: &NetworkSettings) -> Self {
        Self {
            ipv4: settings.prefixes.ipv4(),
            ipv6: settings.prefixes.ipv6(),
            routes: settings.routes.clone(),
            device_traffic: match settings.device_traffic {
                warren_model::network::DeviceTraffic::Allowed => DeviceTraffic::Allowed,
                warren_model::network::DeviceTraffic::Blocked => DeviceTraffic::Blocked,
            },
            mtu: settings.mtu.bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> Begin {
        let instance = Instance::new([1, 2, 3, 4, 0xff]);
        Begin {
            instance,
            transit_ipv4: "100.127.192.0/18".parse().unwrap(),
            transit_ipv6: instance.transit_ipv6(),
            host_ports: vec![],
        }
    }

    #[test]
    fn each_slot_has_addresses_of_its_own() {
        let begin = begin();
        assert_eq!(begin.check(), Ok(()));
        assert_eq!(begin.slots(), 8192);
        let [ipv4, ipv6] = begin.transit(8191);
        assert_eq!(
            (ipv4.host.to_string(), ipv4.inside.to_string()),
            ("100.127.255.254".into(), "100.127.255.255".into())
        );
        assert_eq!(
            (ipv6.host.to_string(), ipv6.inside.to_string()),
            ("fd01:203:4ff::4000".into(), "fd01:203:4ff::4001".into())
        );
        assert_eq!(Begin { transit_ipv4: "10.0.0.0/30".parse().unwrap(), ..begin }.slots(), 2);
    }

    #[test]
    fn names_of_links_fit_and_instances_are_read_back() {
        let instance = begin().instance;
        assert_eq!(instance.link_name(0x1fff), "w01020304ff1fff");
        assert!(instance.link_name(u16::MAX).len() <= 15);
        assert_eq!(Instance::try_from(instance.to_string()), Ok(instance));
        assert!(
            Instance::try_from("; drop".to_owned()).is_err() && Instance::try_from("+102030405".to_owned()).is_err()
        );
    }
}
