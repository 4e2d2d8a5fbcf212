//! The keeper's own process.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use ipnet::IpNet;
use nix::sys::signal::{SigSet, Signal};
use tracing::{error, info, warn};
use uuid::Uuid;
use warren_model::address::{HostIndex, Prefixes};

use super::{
    links::{Links, with_netlink},
    message::{Answer, Begin, Request, Surroundings},
    namespace::Namespace,
    nft,
    passing::{receive, send},
    ruleset::{self, TUNNEL, UPLINK},
    sysctl, tun,
};
use crate::privileges;

/// Why a keeper ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// It was not started by a gateway: start `warren gateway run` instead.
    #[error("the keeper is started by `gateway run`, not by hand")]
    NotByGateway,
    /// The system refused.
    #[error("cannot {action}: {source}")]
    System { action: &'static str, source: io::Error },
}

impl KeeperError {
    fn new(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}

/// Is the keeper until the gateway that started this process closes the socket on its standard input. To be called from
/// a process with one thread.
///
/// # Errors
/// [`KeeperError`]; what stood is taken down all the same.
pub fn serve() -> Result<(), KeeperError> {
    let standard_input = io::stdin().as_fd().try_clone_to_owned().map_err(KeeperError::new("read standard input"))?;
    let mut socket = UnixStream::from(standard_input);
    socket.local_addr().map_err(|_| KeeperError::NotByGateway)?;
    // The gateway decides when to end: a signal to the whole group must not take its networks away under it.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block().map_err(|errno| KeeperError::new("block signals")(errno.into()))?;
    privileges::keep_for_keeper().map_err(KeeperError::new("give up capabilities"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(KeeperError::new("start a runtime"))?;
    let host = Namespace::current().map_err(KeeperError::new("open the host's network namespace"))?;
    let mut server = Server { host, runtime, begin: None, rooms: BTreeMap::new() };
    let served = server.serve(&mut socket);
    server.clean_up();
    served.map_err(KeeperError::new("talk to the gateway"))
}

struct Server {
    host: Namespace,
    runtime: tokio::runtime::Runtime,
    begin: Option<Begin>,
    rooms: BTreeMap<Uuid, Room>,
}

/// What stands for one network.
struct Room {
    slot: u16,
    inside: Namespace,
}

impl Server {
    fn serve(&mut self, socket: &mut UnixStream) -> io::Result<()> {
        while let Some((request, _)) = receive::<Request>(socket)? {
            let (answer, descriptor) = match self.answer(request) {
                Ok(descriptor) => (Answer::Done, descriptor),
                Err(reason) => {
                    warn!(%reason, "a request of the gateway failed");
                    (Answer::Refused { reason }, None)
                }
            };
            send(socket, &answer, descriptor.as_ref())?;
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> Result<Option<OwnedFd>, String> {
        match (request, &self.begin) {
            (Request::Begin(begin), None) => self.begin(begin).map(|()| None),
            (Request::Begin(_), Some(_)) => Err("the keeper has begun already".into()),
            (_, None) => Err("the keeper has not begun".into()),
            (Request::Open { network, surroundings }, Some(begin)) => {
                let begin = begin.clone();
                self.open(&begin, network, &surroundings).map(Some)
            }
            (Request::Adjust { network, surroundings }, Some(_)) => self.adjust(network, &surroundings).map(|()| None),
            (Request::Close { network }, Some(begin)) => {
                let begin = begin.clone();
                self.close(&begin, network).map(|()| None)
            }
        }
    }

    /// Removes what an earlier run left on the host and loads the host's rules.
    fn begin(&mut self, begin: Begin) -> Result<(), String> {
        begin.check()?;
        let work = with_netlink(async |links: Links| {
            let prefix = begin.instance.link_prefix();
            for name in links.names().await?.iter().filter(|name| name.starts_with(&prefix)) {
                info!(interface = name, "removing what an earlier run left");
                links.remove(name).await?;
            }
            links.find_address(&[begin.transit_ipv4.into(), begin.transit_ipv6.into()]).await
        });
        if let Some(taken) = self.runtime.block_on(work).map_err(sentence)? {
            return Err(format!(
                "the host has the address {taken}, which lies in the range between host and networks; \
                 choose another range with --transit-ipv4 or --transit-ipv6"
            ));
        }
        sysctl::prepare_host().map_err(|error| format!("cannot turn on forwarding: {error}"))?;
        self.runtime.block_on(nft::load(&ruleset::host(&begin))).map_err(sentence)?;
        match self.runtime.block_on(nft::forward_chains_that_drop()) {
            Ok(chains) => chains.iter().for_each(|chain| {
                let remedy = chain.remedy(&begin.instance.link_prefix());
                warn!(%remedy, "another firewall of this host drops what the gateway forwards; run the remedy");
            }),
            Err(error) => warn!(%error, "cannot tell whether another firewall is in the way"),
        }
        self.begin = Some(begin);
        Ok(())
    }

    fn open(&mut self, begin: &Begin, network: Uuid, surroundings: &Surroundings) -> Result<OwnedFd, String> {
        let prefixes = surroundings.check()?;
        if self.rooms.contains_key(&network) {
            return Err("the network is open already".into());
        }
        let taken: BTreeSet<u16> = self.rooms.values().map(|room| room.slot).collect();
        let slot = (0..begin.slots())
            .find(|slot| !taken.contains(slot))
            .ok_or_else(|| format!("the range {} has room for {} networks only", begin.transit_ipv4, begin.slots()))?;
        let inside = Namespace::create(&self.host).map_err(|error| format!("cannot make a namespace: {error}"))?;
        let opened = self.furnish(begin, slot, &inside, surroundings, &prefixes);
        if opened.is_err() {
            // The namespace goes with its descriptor; a pair that hangs on it goes now and not some time later.
            let name = begin.instance.link_name(slot);
            let _ = self.runtime.block_on(with_netlink(async |links: Links| links.remove(&name).await));
        } else {
            self.rooms.insert(network, Room { slot, inside });
        }
        opened.map_err(sentence)
    }

    /// From the inside out: rules, TUN device, the way to the host. Nothing is up before its rules are loaded.
    fn furnish(
        &self,
        begin: &Begin,
        slot: u16,
        inside: &Namespace,
        surroundings: &Surroundings,
        prefixes: &Prefixes,
    ) -> io::Result<OwnedFd> {
        let name = begin.instance.link_name(slot);
        let mut transit = begin.transit(slot).to_vec();
        if !sysctl::has_ipv6() {
            transit.retain(|transit| transit.host.is_ipv4());
        }
        let mtu = u32::from(surroundings.mtu);
        let tun = inside.within(&self.host, || -> io::Result<OwnedFd> {
            sysctl::prepare_inside()?;
            let tun = tun::create(TUNNEL)?;
            self.runtime.block_on(async {
                nft::load(&ruleset::inside(surroundings)).await?;
                with_netlink(async |links: Links| {
                    links.set_up("lo").await?;
                    links.set_mtu(TUNNEL, mtu).await?;
                    links.set_tunnel_addresses(&gateway_addresses(prefixes)).await?;
                    links.set_up(TUNNEL).await
                })
                .await
            })?;
            Ok(tun)
        })??;
        self.runtime.block_on(with_netlink(async |links: Links| {
            links.add_pair(&name, inside, mtu.max(1500)).await?;
            sysctl::prepare_host_link(&name)?;
            for transit in &transit {
                links.add_address(&name, transit.host, transit.length).await?;
            }
            links.set_up(&name).await
        }))?;
        inside.within(&self.host, || {
            self.runtime.block_on(with_netlink(async |links: Links| {
                for transit in &transit {
                    links.add_address(UPLINK, transit.inside, transit.length).await?;
                }
                links.set_up(UPLINK).await?;
                for transit in &transit {
                    links.add_default_route(*transit).await?;
                }
                Ok(())
            }))
        })??;
        Ok(tun)
    }

    fn adjust(&self, network: Uuid, surroundings: &Surroundings) -> Result<(), String> {
        let prefixes = surroundings.check()?;
        let room = self.rooms.get(&network).ok_or("the network is not open")?;
        let adjusted = room.inside.within(&self.host, || {
            self.runtime.block_on(async {
                nft::load(&ruleset::inside(surroundings)).await?;
                with_netlink(async |links: Links| {
                    links.set_mtu(TUNNEL, surroundings.mtu.into()).await?;
                    links.set_tunnel_addresses(&gateway_addresses(&prefixes)).await
                })
                .await
            })
        });
        adjusted.and_then(|adjusted| adjusted).map_err(sentence)
    }

    fn close(&mut self, begin: &Begin, network: Uuid) -> Result<(), String> {
        let Some(room) = self.rooms.remove(&network) else { return Ok(()) };
        let name = begin.instance.link_name(room.slot);
        let removed = self.runtime.block_on(with_netlink(async |links: Links| links.remove(&name).await));
        removed.map_err(sentence)
    }

    fn clean_up(&mut self) {
        let Some(begin) = self.begin.take() else { return };
        for network in self.rooms.keys().copied().collect::<Vec<_>>() {
            if let Err(reason) = self.close(&begin, network) {
                error!(%reason, "cannot remove a network's link; the next start does it");
            }
        }
        if let Err(error) = self.runtime.block_on(nft::load(&ruleset::without_host(&begin))) {
            error!(%error, "cannot remove the host's rules; the next start replaces them");
        }
    }
}

/// The gateway's own addresses in the network, with the network's prefix lengths.
fn gateway_addresses(prefixes: &Prefixes) -> Vec<IpNet> {
    let addresses = prefixes.at(HostIndex::GATEWAY);
    let ipv4 = addresses.ipv4.zip(prefixes.ipv4()).map(|(address, net)| (IpAddr::from(address), net.prefix_len()));
    let ipv6 = addresses.ipv6.zip(prefixes.ipv6()).map(|(address, net)| (IpAddr::from(address), net.prefix_len()));
    let ipv6 = ipv6.filter(|_| sysctl::has_ipv6());
    ipv4.into_iter().chain(ipv6).filter_map(|(address, length)| IpNet::new(address, length).ok()).collect()
}

fn sentence(error: io::Error) -> String {
    error.to_string()
}
