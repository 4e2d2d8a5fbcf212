//! What stands for one network: its namespace, the interface that carries it, and the way to the host.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    vec,
};

use ipnet::IpNet;
use tokio::runtime::Runtime;
use uuid::Uuid;
use warren_model::{
    DeviceId,
    address::{HostIndex, Prefixes},
};
use warren_tunnel::PEERS_PER_COMMAND_MAX;

use super::{
    links::{Links, with_netlink},
    message::{Begin, Carrying, Page, READINGS_PER_PAGE_MAX, Surroundings},
    namespace::Namespace,
    nft,
    peer::{Peer, Reading},
    ruleset::{self, TUNNEL, UPLINK},
    sysctl, tun,
};
use crate::{
    carrier::CarrierError,
    kernel::{Interface, Parts},
};

/// Where the keeper's thread is at home, and what it waits with.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub host: &'a Namespace,
    pub runtime: &'a Runtime,
}

/// One network's namespace and what is in it.
pub(super) struct Room {
    pub slot: u16,
    inside: Namespace,
    kernel: Option<Interface>,
    /// What is left to tell of the last reading.
    readings: vec::IntoIter<Reading>,
}

impl Room {
    /// Makes it; a TUN device comes with it where the gateway carries the network itself.
    ///
    /// # Errors
    /// A sentence for the operator; nothing is left then.
    pub fn open(
        place: &Place<'_>,
        begin: &Begin,
        slot: u16,
        surroundings: (&Surroundings, &Prefixes),
        carrying: &Carrying,
    ) -> Result<(Self, Option<OwnedFd>), String> {
        let inside = Namespace::create(place.host).map_err(|error| format!("cannot make a namespace: {error}"))?;
        let mut room = Self { slot, inside, kernel: None, readings: Vec::new().into_iter() };
        match room.furnish(place, begin, surroundings, carrying) {
            Ok(tun) => Ok((room, tun)),
            Err(reason) => {
                // The namespace goes with its descriptor; what hangs on it goes now and not some time later.
                let _ = room.close(place, begin);
                Err(reason)
            }
        }
    }

    /// From the inside out: rules, interface, the way to the host. Nothing is up before its rules are loaded.
    fn furnish(
        &mut self,
        place: &Place<'_>,
        begin: &Begin,
        (surroundings, prefixes): (&Surroundings, &Prefixes),
        carrying: &Carrying,
    ) -> Result<Option<OwnedFd>, String> {
        let prepared = self.inside.within(place.host, || {
            sysctl::prepare_inside()?;
            place.runtime.block_on(nft::load(&ruleset::inside(surroundings)))
        });
        flat(prepared)?;
        let tun = match carrying {
            Carrying::Tun => Some(flat(self.inside.within(place.host, || tun::create(TUNNEL)))?),
            Carrying::Kernel { port, private_key } => {
                let private_key = private_key.read()?;
                let inside = self.inside.as_fd();
                let parts = Parts { name: TUNNEL, inside, mtu: surroundings.mtu, listen_port: *port, private_key };
                self.kernel = Some(Interface::create(&parts).map_err(|error| error.in_full())?);
                None
            }
        };
        let addressed = self.inside.within(place.host, || {
            place.runtime.block_on(with_netlink(async |links: Links| {
                links.set_up("lo").await?;
                links.set_mtu(TUNNEL, surroundings.mtu.into()).await?;
                links.set_tunnel_addresses(&gateway_addresses(prefixes)).await?;
                match self.kernel {
                    Some(_) => Ok(()),
                    None => links.set_up(TUNNEL).await,
                }
            }))
        });
        flat(addressed)?;
        if let Some(kernel) = &mut self.kernel {
            kernel.set_up().map_err(|error| error.in_full())?;
        }
        self.join_host(place, begin, u32::from(surroundings.mtu).max(1500)).map_err(|error| error.to_string())?;
        Ok(tun)
    }

    /// The way between the namespace and the host.
    fn join_host(&self, place: &Place<'_>, begin: &Begin, mtu: u32) -> io::Result<()> {
        let name = begin.instance.link_name(self.slot);
        let mut transit = begin.transit(self.slot).to_vec();
        if !sysctl::has_ipv6() {
            transit.retain(|transit| transit.host.is_ipv4());
        }
        place.runtime.block_on(with_netlink(async |links: Links| {
            links.add_pair(&name, &self.inside, mtu).await?;
            sysctl::prepare_host_link(&name)?;
            for transit in &transit {
                links.add_address(&name, transit.host, transit.length).await?;
            }
            links.set_up(&name).await
        }))?;
        self.inside.within(place.host, || {
            place.runtime.block_on(with_netlink(async |links: Links| {
                for transit in &transit {
                    links.add_address(UPLINK, transit.inside, transit.length).await?;
                }
                links.set_up(UPLINK).await?;
                for transit in &transit {
                    links.add_default_route(*transit).await?;
                }
                Ok(())
            }))
        })?
    }

    /// Changes what is around the interface.
    pub fn adjust(&self, place: &Place<'_>, surroundings: &Surroundings, prefixes: &Prefixes) -> io::Result<()> {
        self.inside.within(place.host, || {
            place.runtime.block_on(async {
                nft::load(&ruleset::inside(surroundings)).await?;
                with_netlink(async |links: Links| {
                    links.set_mtu(TUNNEL, surroundings.mtu.into()).await?;
                    links.set_tunnel_addresses(&gateway_addresses(prefixes)).await
                })
                .await
            })
        })?
    }

    /// Takes it away. The kernel's interface goes first, so that its port is free when this returns.
    pub fn close(self, place: &Place<'_>, begin: &Begin) -> Result<(), String> {
        let interface = self.kernel.map_or(Ok(()), Interface::remove).map_err(|error| error.in_full());
        let name = begin.instance.link_name(self.slot);
        let link = place.runtime.block_on(with_netlink(async |links: Links| links.remove(&name).await));
        interface.and(link.map_err(|error| error.to_string()))
    }

    /// Gives the device that has the network's own key, if one has.
    pub fn set_peers(&mut self, peers: Vec<Peer>) -> Result<Option<Uuid>, String> {
        at_most_one_commands_worth(peers.len())?;
        let peers = peers.into_iter().map(Peer::read).collect::<Result<_, _>>()?;
        match self.interface()?.set_peers(peers) {
            Ok(()) => Ok(None),
            Err(CarrierError::OwnKey { device }) => Ok(Some(device.uuid())),
            Err(error) => Err(error.in_full()),
        }
    }

    pub fn call_peers(&mut self, peers: Vec<(Uuid, SocketAddr)>) -> Result<(), String> {
        at_most_one_commands_worth(peers.len())?;
        let peers = peers.into_iter().map(|(device, endpoint)| (DeviceId::from_uuid(device), endpoint)).collect();
        self.interface()?.call_peers(peers).map_err(|error| error.in_full())
    }

    pub fn remove_peers(&mut self, devices: Vec<Uuid>) -> Result<(), String> {
        at_most_one_commands_worth(devices.len())?;
        let devices = devices.into_iter().map(DeviceId::from_uuid).collect();
        self.interface()?.remove_peers(devices).map_err(|error| error.in_full())
    }

    /// One page of a reading.
    pub fn stats(&mut self, page: Page) -> Result<Vec<Reading>, String> {
        if page == Page::First {
            let stats = self.interface()?.stats().map_err(|error| error.in_full())?;
            self.readings = stats.into_iter().filter_map(Reading::of).collect::<Vec<_>>().into_iter();
        }
        Ok(self.readings.by_ref().take(READINGS_PER_PAGE_MAX).collect())
    }

    fn interface(&mut self) -> Result<&mut Interface, String> {
        self.kernel.as_mut().ok_or_else(|| "the kernel does not carry this network".into())
    }
}

fn at_most_one_commands_worth(count: usize) -> Result<(), String> {
    if count > PEERS_PER_COMMAND_MAX {
        return Err(format!("more than {PEERS_PER_COMMAND_MAX} devices were named at once"));
    }
    Ok(())
}

fn flat<T>(result: io::Result<io::Result<T>>) -> Result<T, String> {
    result.and_then(|result| result).map_err(|error| error.to_string())
}

/// The gateway's own addresses in the network, with the network's prefix lengths.
fn gateway_addresses(prefixes: &Prefixes) -> Vec<IpNet> {
    let addresses = prefixes.at(HostIndex::GATEWAY);
    let ipv4 = addresses.ipv4.zip(prefixes.ipv4()).map(|(address, net)| (IpAddr::from(address), net.prefix_len()));
    let ipv6 = addresses.ipv6.zip(prefixes.ipv6()).map(|(address, net)| (IpAddr::from(address), net.prefix_len()));
    let ipv6 = ipv6.filter(|_| sysctl::has_ipv6());
    ipv4.into_iter().chain(ipv6).filter_map(|(address, length)| IpNet::new(address, length).ok()).collect()
}
