//! The keeper's own process.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, TryLockError},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::{SigSet, Signal};
use tokio::runtime::Runtime;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::{
    links::{Links, with_netlink},
    message::{Answer, Begin, Carrying, Request, Surroundings},
    namespace::Namespace,
    nft,
    passing::{receive, send},
    room::{Place, Room},
    ruleset, sysctl,
};
use crate::{privileges, userspace};

/// How long the keeper of an earlier run may take to end; with many networks its cleaning up takes a while.
const TURN_WITHIN: Duration = Duration::from_secs(15);
const TURN_POLLED_EVERY: Duration = Duration::from_millis(5);
const NOT_OPEN: &str = "the network is not open";

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
    let mut server = Server { host, runtime, begin: None, rooms: BTreeMap::new(), turn: None };
    let served = server.serve(&mut socket);
    server.clean_up();
    served.map_err(KeeperError::new("talk to the gateway"))
}

struct Server {
    host: Namespace,
    runtime: Runtime,
    begin: Option<Begin>,
    rooms: BTreeMap<Uuid, Room>,
    /// Held until this process ends.
    turn: Option<File>,
}

type Answered = Result<(Answer, Option<OwnedFd>), String>;

impl Server {
    fn serve(&mut self, socket: &mut UnixStream) -> io::Result<()> {
        while let Some((request, descriptor)) = receive::<Request>(socket)? {
            let (answer, descriptor) = self.answer(request, descriptor).unwrap_or_else(|reason| {
                warn!(%reason, "a request of the gateway failed");
                (Answer::Refused { reason }, None)
            });
            send(socket, &answer, descriptor.as_ref())?;
        }
        Ok(())
    }

    fn answer(&mut self, request: Request, descriptor: Option<OwnedFd>) -> Answered {
        const DONE: (Answer, Option<OwnedFd>) = (Answer::Done, None);
        let begin = match (request, &self.begin) {
            (Request::Begin(begin), None) => return self.begin(begin, descriptor).map(|()| DONE),
            (Request::Begin(_), Some(_)) => return Err("the keeper has begun already".into()),
            (_, None) => return Err("the keeper has not begun".into()),
            (request, Some(begin)) => (request, begin.clone()),
        };
        let (request, begin) = begin;
        match request {
            Request::Begin(_) => Ok(DONE),
            Request::Open { network, surroundings, carrying } => {
                let tun = self.open(&begin, network, &surroundings, &carrying)?;
                Ok((Answer::Done, tun))
            }
            Request::Adjust { network, surroundings } => {
                let prefixes = surroundings.check()?;
                let room = self.rooms.get(&network).ok_or(NOT_OPEN)?;
                room.adjust(&self.place(), &surroundings, &prefixes).map_err(sentence)?;
                Ok(DONE)
            }
            Request::Close { network } => self.close(&begin, network).map(|()| DONE),
            Request::Bind { port } => {
                let socket = userspace::bind(port).map_err(|error| error.in_full())?;
                Ok((Answer::Done, Some(socket.into())))
            }
            Request::SetPeers { network, peers } => {
                let refused = self.room(network)?.set_peers(peers)?;
                Ok((refused.map_or(Answer::Done, |device| Answer::OwnKey { device }), None))
            }
            Request::CallPeers { network, peers } => {
                self.room(network)?.call_peers(peers)?;
                Ok(DONE)
            }
            Request::RemovePeers { network, devices } => {
                self.room(network)?.remove_peers(devices)?;
                Ok(DONE)
            }
            Request::Stats { network, page } => {
                let peers = self.room(network)?.stats(page)?;
                Ok((Answer::Stats { peers }, None))
            }
        }
    }

    fn room(&mut self, network: Uuid) -> Result<&mut Room, String> {
        self.rooms.get_mut(&network).ok_or_else(|| NOT_OPEN.into())
    }

    const fn place(&self) -> Place<'_> {
        Place { host: &self.host, runtime: &self.runtime }
    }

    /// Removes what an earlier run left on the host and loads the host's rules.
    fn begin(&mut self, begin: Begin, lock: Option<OwnedFd>) -> Result<(), String> {
        begin.check()?;
        // While it lives, the keeper before this one may still be taking down what has the same names.
        self.turn = Some(wait_for_turn(lock.ok_or("no lock came with the request")?.into())?);
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

    fn open(
        &mut self,
        begin: &Begin,
        network: Uuid,
        surroundings: &Surroundings,
        carrying: &Carrying,
    ) -> Result<Option<OwnedFd>, String> {
        let prefixes = surroundings.check()?;
        if self.rooms.contains_key(&network) {
            return Err("the network is open already".into());
        }
        let taken: BTreeSet<u16> = self.rooms.values().map(|room| room.slot).collect();
        let slot = (0..begin.slots())
            .find(|slot| !taken.contains(slot))
            .ok_or_else(|| format!("the range {} has room for {} networks only", begin.transit_ipv4, begin.slots()))?;
        let (room, tun) = Room::open(&self.place(), begin, slot, (surroundings, &prefixes), carrying)?;
        self.rooms.insert(network, room);
        Ok(tun)
    }

    fn close(&mut self, begin: &Begin, network: Uuid) -> Result<(), String> {
        let Some(room) = self.rooms.remove(&network) else { return Ok(()) };
        room.close(&self.place(), begin)
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

/// Waits until the keeper before this one has ended.
fn wait_for_turn(lock: File) -> Result<File, String> {
    let deadline = Instant::now() + TURN_WITHIN;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(error)) => return Err(format!("cannot lock the keeper's file: {error}")),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(TURN_POLLED_EVERY),
            Err(TryLockError::WouldBlock) => return Err("the keeper of an earlier run does not end".into()),
        }
    }
}

fn sentence(error: io::Error) -> String {
    error.to_string()
}
