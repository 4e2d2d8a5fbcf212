//! The gateway's side of its keeper.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;
use warren_model::{DeviceId, PrivateKey};

use super::{
    KEEPER_COMMAND,
    message::{Answer, Begin, Carrying, Page, READINGS_PER_PAGE_MAX, Request, Surroundings},
    passing::{receive, send},
    peer::Peer,
};
use crate::carrier::{PeerSettings, PeerStats};

/// How long one request may take; making a namespace takes about 30 ms.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Requests that wait for their turn; each network has at most two, one of them for its counters.
const REQUESTS_MAX: usize = 2 * warren_tunnel::NETWORKS_MAX;

/// A keeper that was started and not yet spoken to.
#[derive(Debug)]
pub(crate) struct Keeper {
    socket: UnixStream,
    child: Child,
}

impl Keeper {
    /// Starts this executable again as a keeper, with all rights that this process has now.
    pub fn start() -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_read_timeout(Some(ANSWER_WITHIN))?;
        socket.set_write_timeout(Some(ANSWER_WITHIN))?;
        let child = Command::new(std::env::current_exe()?)
            .arg(KEEPER_COMMAND)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()?;
        Ok(Self { socket, child })
    }

    /// Begins to speak with it. The watch turns when its process has ended or answers no more.
    pub fn connect(self) -> io::Result<(KeeperClient, watch::Receiver<Life>)> {
        let Self { mut socket, mut child } = self;
        let (requests, mut waiting) = mpsc::channel::<Ask>(REQUESTS_MAX);
        let (life, lives) = watch::channel(Life::Runs);
        let life = Arc::new(life);
        let lost = life.clone();
        thread::Builder::new().name("keeper-talk".into()).spawn(move || {
            while let Some(ask) = waiting.blocking_recv() {
                let answered = exchange(&mut socket, &ask.request, ask.descriptor.as_ref());
                let broken = matches!(answered, Err(KeeperFailure::Lost(_)));
                // Who asked may have stopped waiting.
                let _ = ask.reply.send(answered);
                if broken {
                    // One that runs and does not answer is of no more use than one that has ended.
                    lost.send_replace(Life::Ended);
                    return;
                }
            }
        })?;
        thread::Builder::new().name("keeper-wait".into()).spawn(move || {
            let _ = child.wait();
            life.send_replace(Life::Ended);
        })?;
        Ok((KeeperClient { requests: Arc::new(requests) }, lives))
    }
}

/// Whether the keeper can be reckoned with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Runs,
    Ended,
}

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperFailure {
    /// It could not be done; the reason is for the operator.
    #[error("{0}")]
    Refused(String),
    /// The keeper is gone, and the gateway has to end.
    #[error("the gateway's keeper does not answer: {0}")]
    Lost(io::Error),
}

type Answered = (Answer, Option<OwnedFd>);

struct Ask {
    request: Request,
    descriptor: Option<OwnedFd>,
    reply: oneshot::Sender<Result<Answered, KeeperFailure>>,
}

/// Speaks with the keeper; it ends when the last of these is dropped.
#[derive(Clone)]
pub(crate) struct KeeperClient {
    requests: Arc<mpsc::Sender<Ask>>,
}

impl KeeperClient {
    /// The keeper holds `lock` for as long as it lives, and waits for the one that held it before.
    pub async fn begin(&self, begin: Begin, lock: OwnedFd) -> Result<(), KeeperFailure> {
        self.ask_with(Request::Begin(begin), Some(lock)).await.map(|_| ())
    }
    /// Makes the network's namespace with a TUN device, and gives that.
    pub async fn open_with_tun(&self, network: Uuid, surroundings: Surroundings) -> Result<OwnedFd, KeeperFailure> {
        let request = Request::Open { network, surroundings, carrying: Carrying::Tun };
        self.ask_for_descriptor(request).await
    }
    /// Makes the network's namespace with an interface of the kernel's WireGuard.
    pub async fn open_with_kernel(
        &self,
        network: Uuid,
        surroundings: Surroundings,
        port: u16,
        private_key: &PrivateKey,
    ) -> Result<(), KeeperFailure> {
        let carrying = Carrying::Kernel { port, private_key: private_key.into() };
        self.ask(Request::Open { network, surroundings, carrying }).await.map(|_| ())
    }
    pub async fn adjust(&self, network: Uuid, surroundings: Surroundings) -> Result<(), KeeperFailure> {
        self.ask(Request::Adjust { network, surroundings }).await.map(|_| ())
    }
    pub async fn close(&self, network: Uuid) -> Result<(), KeeperFailure> {
        self.ask(Request::Close { network }).await.map(|_| ())
    }
    /// A UDP socket on `port` of the host, with buffers larger than others may have.
    pub async fn bind(&self, port: u16) -> Result<UdpSocket, KeeperFailure> {
        self.ask_for_descriptor(Request::Bind { port }).await.map(UdpSocket::from)
    }
    /// Gives the device that was left out because it has the network's own key, if one has.
    pub async fn set_peers(&self, network: Uuid, peers: Vec<PeerSettings>) -> Result<Option<DeviceId>, KeeperFailure> {
        let peers = peers.into_iter().map(Peer::from).collect();
        match self.ask(Request::SetPeers { network, peers }).await? {
            (Answer::OwnKey { device }, _) => Ok(Some(DeviceId::from_uuid(device))),
            _ => Ok(None),
        }
    }
    pub async fn call_peers(&self, network: Uuid, peers: Vec<(DeviceId, SocketAddr)>) -> Result<(), KeeperFailure> {
        let peers = peers.into_iter().map(|(device, endpoint)| (device.uuid(), endpoint)).collect();
        self.ask(Request::CallPeers { network, peers }).await.map(|_| ())
    }
    pub async fn remove_peers(&self, network: Uuid, devices: Vec<DeviceId>) -> Result<(), KeeperFailure> {
        let devices = devices.into_iter().map(DeviceId::uuid).collect();
        self.ask(Request::RemovePeers { network, devices }).await.map(|_| ())
    }
    /// Of all devices that have been there. Other requests get their turn between two pages.
    pub async fn stats(&self, network: Uuid) -> Result<Vec<PeerStats>, KeeperFailure> {
        let mut stats = Vec::new();
        let mut page = Page::First;
        loop {
            let (Answer::Stats { peers }, _) = self.ask(Request::Stats { network, page }).await? else {
                return Err(KeeperFailure::Lost(io::Error::other("no statistics came with the answer")));
            };
            page = Page::Next;
            let is_last = peers.len() < READINGS_PER_PAGE_MAX;
            stats.extend(peers.into_iter().map(PeerStats::from));
            if is_last {
                return Ok(stats);
            }
        }
    }

    async fn ask_for_descriptor(&self, request: Request) -> Result<OwnedFd, KeeperFailure> {
        let (_, descriptor) = self.ask(request).await?;
        descriptor.ok_or_else(|| KeeperFailure::Lost(io::Error::other("no descriptor came with the answer")))
    }

    async fn ask(&self, request: Request) -> Result<Answered, KeeperFailure> {
        self.ask_with(request, None).await
    }

    async fn ask_with(&self, request: Request, descriptor: Option<OwnedFd>) -> Result<Answered, KeeperFailure> {
        let gone = || KeeperFailure::Lost(io::ErrorKind::BrokenPipe.into());
        let (reply, answer) = oneshot::channel();
        self.requests.send(Ask { request, descriptor, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn exchange(
    socket: &mut UnixStream,
    request: &Request,
    descriptor: Option<&OwnedFd>,
) -> Result<Answered, KeeperFailure> {
    send(socket, request, descriptor).map_err(KeeperFailure::Lost)?;
    match receive::<Answer>(socket).map_err(KeeperFailure::Lost)? {
        Some((Answer::Refused { reason }, _)) => Err(KeeperFailure::Refused(reason)),
        Some(answered) => Ok(answered),
        None => Err(KeeperFailure::Lost(io::ErrorKind::UnexpectedEof.into())),
    }
}
