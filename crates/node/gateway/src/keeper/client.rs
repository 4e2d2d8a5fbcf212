//! The gateway's side of its keeper.

use std::{
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::{
    KEEPER_COMMAND,
    message::{Answer, Begin, Request, Surroundings},
    passing::{receive, send},
};

/// How long one request may take; making a namespace takes about 30 ms.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// Requests that wait for their turn; each network has at most one.
const REQUESTS_MAX: usize = warren_tunnel::NETWORKS_MAX;

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
                let answered = exchange(&mut socket, &ask.request);
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

struct Ask {
    request: Request,
    reply: oneshot::Sender<Result<Option<OwnedFd>, KeeperFailure>>,
}

/// Speaks with the keeper; it ends when the last of these is dropped.
#[derive(Clone)]
pub(crate) struct KeeperClient {
    requests: Arc<mpsc::Sender<Ask>>,
}

impl KeeperClient {
    pub async fn begin(&self, begin: Begin) -> Result<(), KeeperFailure> {
        self.ask(Request::Begin(begin)).await.map(|_| ())
    }
    /// Makes the network's namespace and gives its TUN device.
    pub async fn open(&self, network: Uuid, surroundings: Surroundings) -> Result<OwnedFd, KeeperFailure> {
        let descriptor = self.ask(Request::Open { network, surroundings }).await?;
        descriptor.ok_or_else(|| KeeperFailure::Lost(io::Error::other("no TUN device came with the answer")))
    }
    pub async fn adjust(&self, network: Uuid, surroundings: Surroundings) -> Result<(), KeeperFailure> {
        self.ask(Request::Adjust { network, surroundings }).await.map(|_| ())
    }
    pub async fn close(&self, network: Uuid) -> Result<(), KeeperFailure> {
        self.ask(Request::Close { network }).await.map(|_| ())
    }

    async fn ask(&self, request: Request) -> Result<Option<OwnedFd>, KeeperFailure> {
        let gone = || KeeperFailure::Lost(io::ErrorKind::BrokenPipe.into());
        let (reply, answer) = oneshot::channel();
        self.requests.send(Ask { request, reply }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn exchange(socket: &mut UnixStream, request: &Request) -> Result<Option<OwnedFd>, KeeperFailure> {
    send(socket, request, None).map_err(KeeperFailure::Lost)?;
    match receive::<Answer>(socket).map_err(KeeperFailure::Lost)? {
        Some((Answer::Done, descriptor)) => Ok(descriptor),
        Some((Answer::Refused { reason }, _)) => Err(KeeperFailure::Refused(reason)),
        None => Err(KeeperFailure::Lost(io::ErrorKind::UnexpectedEof.into())),
    }
}
