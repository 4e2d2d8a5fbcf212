//! Interfaces, addresses and routes of the calling thread's namespace, through rtnetlink(7).

use std::{
    future::Future,
    io,
    net::IpAddr,
    os::fd::{AsFd, AsRawFd},
};

use futures_util::TryStreamExt;
use ipnet::IpNet;
use nix::net::if_::if_nametoindex;
use rtnetlink::{
    Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder,
    packet_route::{
        address::{AddressAttribute, AddressFlags, AddressMessage},
        link::{InfoData, InfoVeth, LinkAttribute},
        route::RouteMessage,
    },
};

use super::{
    message::Transit,
    namespace::Namespace,
    ruleset::{TUNNEL, UPLINK},
};

/// Opens rtnetlink in the calling thread's namespace and does `work` with it.
pub(crate) async fn with_netlink<T, F: Future<Output = io::Result<T>>>(work: impl FnOnce(Links) -> F) -> io::Result<T> {
    let (connection, handle, _messages) = rtnetlink::new_connection()?;
    let connection = tokio::spawn(connection);
    let result = work(Links(handle)).await;
    connection.abort();
    result
}

/// The links of one namespace.
#[derive(Clone)]
pub(crate) struct Links(Handle);

impl Links {
    /// Makes a pair of interfaces: `host` here, [`UPLINK`] in `inside`.
    pub async fn add_pair(&self, host: &str, inside: &Namespace, mtu: u32) -> io::Result<()> {
        let peer = LinkMessageBuilder::<LinkUnspec>::new()
            .name(UPLINK)
            .setns_by_fd(inside.as_fd().as_raw_fd())
            .mtu(mtu)
            .build();
        let pair = LinkVeth::new(host, UPLINK).set_info_data(InfoData::Veth(InfoVeth::Peer(peer))).mtu(mtu).build();
        self.0.link().add(pair).execute().await.map_err(|error| failed("make a veth pair", error))
    }

    pub async fn set_up(&self, name: &str) -> io::Result<()> {
        let message = LinkUnspec::new_with_index(index_of(name)?).up().build();
        self.0.link().set(message).execute().await.map_err(|error| failed("set an interface up", error))
    }

    pub async fn set_mtu(&self, name: &str, mtu: u32) -> io::Result<()> {
        let message = LinkUnspec::new_with_index(index_of(name)?).mtu(mtu).build();
        self.0.link().set(message).execute().await.map_err(|error| failed("set an MTU", error))
    }

    pub async fn add_address(&self, name: &str, address: IpAddr, length: u8) -> io::Result<()> {
        let mut request = self.0.address().add(index_of(name)?, address, length);
        if address.is_ipv6() {
            // Nobody else is on these links, and waiting for duplicates would hold up the first packets.
            request.message_mut().attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        request.execute().await.map_err(|error| failed("add an address", error))
    }

    /// Gives the tunnel exactly these addresses; those that stand already stay untouched.
    pub async fn set_tunnel_addresses(&self, wanted: &[IpNet]) -> io::Result<()> {
        let index = index_of(TUNNEL)?;
        let mut standing = Vec::new();
        for message in self.addresses().await? {
            if message.header.index != index {
                continue;
            }
            match prefix_of(&message) {
                Some(net) if wanted.contains(&net) => standing.push(net),
                _ => {
                    let removal = self.0.address().del(message).execute().await;
                    removal.map_err(|error| failed("remove an address", error))?;
                }
            }
        }
        for net in wanted.iter().filter(|net| !standing.contains(net)) {
            self.add_address(TUNNEL, net.addr(), net.prefix_len()).await?;
        }
        Ok(())
    }

    /// Everything that is not the network's own goes to the host.
    pub async fn add_default_route(&self, transit: Transit) -> io::Result<()> {
        let uplink = index_of(UPLINK)?;
        let message: RouteMessage = match transit.host {
            IpAddr::V4(host) => {
                RouteMessageBuilder::<std::net::Ipv4Addr>::new().gateway(host).output_interface(uplink).build()
            }
            IpAddr::V6(host) => {
                RouteMessageBuilder::<std::net::Ipv6Addr>::new().gateway(host).output_interface(uplink).build()
            }
        };
        self.0.route().add(message).execute().await.map_err(|error| failed("add a route", error))
    }

    /// Removes an interface; one that is not there is fine.
    pub async fn remove(&self, name: &str) -> io::Result<()> {
        let Ok(index) = if_nametoindex(name) else { return Ok(()) };
        self.0.link().del(index).execute().await.map_err(|error| failed("remove an interface", error))
    }

    /// The names of all interfaces.
    pub async fn names(&self) -> io::Result<Vec<String>> {
        let links: Vec<_> =
            self.0.link().get().execute().try_collect().await.map_err(|error| failed("list interfaces", error))?;
        let names = links.into_iter().flat_map(|link| link.attributes).filter_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name),
            _ => None,
        });
        Ok(names.collect())
    }

    /// The first address that lies within one of `ranges`.
    pub async fn find_address(&self, ranges: &[IpNet]) -> io::Result<Option<IpAddr>> {
        let addresses = self.addresses().await?;
        let mut addresses = addresses.iter().filter_map(prefix_of).map(|net| net.addr());
        Ok(addresses.find(|address| ranges.iter().any(|range| range.contains(address))))
    }

    async fn addresses(&self) -> io::Result<Vec<AddressMessage>> {
        self.0.address().get().execute().try_collect().await.map_err(|error| failed("list addresses", error))
    }
}

fn prefix_of(message: &AddressMessage) -> Option<IpNet> {
    let address = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    })?;
    IpNet::new(address, message.header.prefix_len).ok()
}

fn index_of(name: &str) -> io::Result<u32> {
    if_nametoindex(name).map_err(|error| io::Error::new(io::Error::from(error).kind(), format!("no interface {name}")))
}

fn failed(action: &'static str, error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => {
            let source = message.to_io();
            io::Error::new(source.kind(), format!("cannot {action}: {source}"))
        }
        other => io::Error::other(format!("cannot {action}: {other}")),
    }
}
