//! One gateway link: the desired state whole, then each change, and what the gateway says in between.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::time::{Instant, timeout};
use warren_app::gateways::{
    Hello,
    link::{DesiredChange, DesiredNetwork, LinkEnd, LinkSession},
};
use warren_model::gateway::Gateway;
use warren_wire::node::v1::{
    FRAME_BYTES_MAX, FromGateway, NETWORKS_PER_FRAME_MAX, PEERS_PER_FRAME_MAX, PING_AFTER_SECONDS, PROTOCOL,
    SILENCE_SECONDS_MAX, ToGateway,
};

use super::conversions;
use crate::{PortalState, metrics::Counted};

/// How long a gateway may take to say who it is.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How long one frame may take to leave; a gateway that reads slower than that is better off with a new link.
const SEND_WITHIN: Duration = Duration::from_secs(10);
const PING_AFTER: Duration = Duration::from_secs(PING_AFTER_SECONDS);
const SILENCE_MAX: Duration = Duration::from_secs(SILENCE_SECONDS_MAX);
/// Changes in one frame. A network with all its routes takes under 4 KB, so that these stay below [`FRAME_BYTES_MAX`].
const CHANGES_PER_FRAME_MAX: usize = 200;
/// The most faults that one frame may name: one for each network.
const FAULTS_MAX: usize = Gateway::NETWORKS_MAX as usize;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the gateway closed it")]
    Closed,
    #[error("this process is ending")]
    Shutdown,
    #[error("nothing was heard for {SILENCE_SECONDS_MAX} seconds")]
    Silence,
    #[error("the connection broke")]
    Broken(#[source] axum::Error),
    #[error("a frame did not leave within {} seconds", SEND_WITHIN.as_secs())]
    SlowReader,
    #[error("the gateway broke the protocol: {0}")]
    Protocol(String),
    #[error("a frame of {0} bytes is larger than the link carries")]
    FrameTooLarge(usize),
    #[error(transparent)]
    Desired(#[from] LinkEnd),
}

impl End {
    /// What the gateway is told (RFC 6455 section 7.4.1), when it can still be told something.
    fn close_frame(&self) -> Option<(u16, String)> {
        match self {
            Self::Closed | Self::Broken(_) | Self::SlowReader => None,
            Self::Shutdown => Some((1001, "the control plane is ending; connect again".to_owned())),
            Self::Silence => Some((1001, self.to_string())),
            Self::Protocol(what) => Some((1002, what.clone())),
            Self::FrameTooLarge(_) => Some((1011, "the desired state does not fit the link".to_owned())),
            Self::Desired(LinkEnd::Superseded) => Some((1000, LinkEnd::Superseded.to_string())),
            Self::Desired(LinkEnd::App(_)) => Some((1011, "the desired state cannot be read now".to_owned())),
        }
    }
}

/// Serves a link until it ends.
pub(super) async fn serve(state: PortalState, gateway: Gateway, socket: WebSocket) {
    let _counted = Counted::new(&state.metrics().links);
    let mut link = Link { socket, heard_at: Instant::now(), sent_at: Instant::now() };
    let end = match run(&state, gateway, &mut link).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    match &end {
        End::Closed | End::Shutdown | End::Desired(LinkEnd::Superseded) => tracing::info!(reason = %end, "link ended"),
        End::Desired(LinkEnd::App(_)) | End::FrameTooLarge(_) => tracing::error!(reason = %end, "link ended"),
        _ => tracing::warn!(reason = %end, "link ended"),
    }
    if let Some((code, reason)) = end.close_frame() {
        link.close(code, &reason).await;
    }
}

async fn run(state: &PortalState, gateway: Gateway, link: &mut Link) -> Result<std::convert::Infallible, End> {
    let hello = timeout(HELLO_WITHIN, link.hello()).await;
    let hello = hello.map_err(|_| End::Protocol("no Hello within 5 seconds".to_owned()))??;
    let mut session = LinkSession::open(state.app(), gateway, hello);
    let mut version = 1;
    link.send_snapshot(&mut session, version).await?;
    loop {
        let (ping_at, silent_at) = (link.sent_at + PING_AFTER, link.heard_at + SILENCE_MAX);
        tokio::select! {
            () = state.shutdown().requested() => return Err(End::Shutdown),
            touched = session.touched() => {
                touched?;
                let changes = session.changes().await?;
                link.send_changes(&changes, &mut version).await?;
            }
            frame = link.next() => {
                match frame? {
                    Some(frame) => take_in(&session, frame).await?,
                    None => session.heard(),
                }
            }
            () = tokio::time::sleep_until(ping_at) => link.send(Message::Ping(Default::default())).await?,
            () = tokio::time::sleep_until(silent_at) => return Err(End::Silence),
        }
    }
}

/// Takes in what the gateway says of its work.
async fn take_in(session: &LinkSession, frame: FromGateway) -> Result<(), End> {
    match frame {
        FromGateway::Hello { .. } => Err(End::Protocol("a second Hello".to_owned())),
        FromGateway::Applied { faults, .. } if faults.len() > FAULTS_MAX => {
            Err(End::Protocol(format!("{} faults in one frame", faults.len())))
        }
        FromGateway::Applied { version, faults } => {
            session.applied(version, faults.into_iter().map(conversions::fault).collect());
            Ok(())
        }
        FromGateway::Report { peers } if peers.len() > PEERS_PER_FRAME_MAX => {
            Err(End::Protocol(format!("{} peers in one frame", peers.len())))
        }
        FromGateway::Report { peers } => {
            let seen = peers.into_iter().map(conversions::observation).collect();
            // What cannot be taken in now comes again: counters only grow.
            if let Err(cause) = session.report(seen).await {
                tracing::warn!(%cause, "a report could not be taken in");
            }
            Ok(())
        }
    }
}

/// The socket, and when each side was last heard.
struct Link {
    socket: WebSocket,
    heard_at: Instant,
    sent_at: Instant,
}

impl Link {
    /// The gateway's first frame.
    async fn hello(&mut self) -> Result<Hello, End> {
        let frame = loop {
            if let Some(frame) = self.next().await? {
                break frame;
            }
        };
        let FromGateway::Hello { protocol, software, boot, backend } = frame else {
            return Err(End::Protocol("the first frame is not Hello".to_owned()));
        };
        if protocol != PROTOCOL {
            let reason = format!(
                "the gateway speaks protocol {protocol}, this control plane {PROTOCOL}; run the same version of warren on both"
            );
            self.send_frame(&ToGateway::Refused { reason: reason.clone() }).await?;
            return Err(End::Protocol(reason));
        }
        let software = software.chars().take(SOFTWARE_CHARACTERS_MAX).collect();
        Ok(Hello { software, boot, backend: conversions::backend(backend) })
    }

    async fn send_snapshot(&mut self, session: &mut LinkSession, version: u64) -> Result<(), End> {
        let desired = session.snapshot().await.map_err(LinkEnd::App)?;
        let mut frames =
            desired.chunks(NETWORKS_PER_FRAME_MAX).map(|part| part.iter().map(conversions::network).collect());
        let first = frames.next().unwrap_or_default();
        self.send_frame(&ToGateway::SnapshotBegin { version, networks: first }).await?;
        for networks in frames {
            self.send_frame(&ToGateway::SnapshotNetworks { networks }).await?;
        }
        for network in &desired {
            self.send_peers(session, network).await?;
        }
        self.send_frame(&ToGateway::SnapshotEnd { version }).await
    }

    async fn send_peers(&mut self, session: &LinkSession, network: &DesiredNetwork) -> Result<(), End> {
        let mut after = None;
        loop {
            let chunk = session.peers(network, after).await.map_err(LinkEnd::App)?;
            for peers in chunk.peers.chunks(PEERS_PER_FRAME_MAX) {
                let peers = peers.iter().map(conversions::peer).collect();
                self.send_frame(&ToGateway::SnapshotPeers { network: network.network.id.uuid(), peers }).await?;
            }
            after = chunk.last;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn send_changes(&mut self, changes: &[DesiredChange], version: &mut u64) -> Result<(), End> {
        for changes in changes.chunks(CHANGES_PER_FRAME_MAX) {
            *version += 1;
            let changes = changes.iter().map(conversions::change).collect();
            self.send_frame(&ToGateway::Change { version: *version, changes }).await?;
        }
        Ok(())
    }

    async fn send_frame(&mut self, frame: &ToGateway) -> Result<(), End> {
        let text = serde_json::to_string(frame).expect("wire types are plain values");
        if text.len() > FRAME_BYTES_MAX {
            return Err(End::FrameTooLarge(text.len()));
        }
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        timeout(SEND_WITHIN, self.socket.send(message)).await.map_err(|_| End::SlowReader)?.map_err(End::Broken)?;
        self.sent_at = Instant::now();
        Ok(())
    }

    /// The next frame, or none for a ping or pong. Cancel-safe.
    async fn next(&mut self) -> Result<Option<FromGateway>, End> {
        let message = self.socket.recv().await.ok_or(End::Closed)?.map_err(End::Broken)?;
        self.heard_at = Instant::now();
        match message {
            Message::Text(text) => {
                let frame = serde_json::from_str(&text);
                frame.map(Some).map_err(|cause| End::Protocol(format!("a frame cannot be read: {cause}")))
            }
            Message::Binary(_) => Err(End::Protocol("a binary frame".to_owned())),
            Message::Ping(_) | Message::Pong(_) => Ok(None),
            Message::Close(_) => Err(End::Closed),
        }
    }

    async fn close(&mut self, code: u16, reason: &str) {
        // A close frame carries at most 123 bytes of reason.
        let mut length = reason.len().min(123);
        while !reason.is_char_boundary(length) {
            length -= 1;
        }
        let frame = CloseFrame { code, reason: reason[..length].into() };
        // The other side may be gone already.
        let _ = timeout(CLOSE_WITHIN, self.socket.send(Message::Close(Some(frame)))).await;
    }
}

/// How long the last word may take to leave; shutdown waits for it.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The longest version text that is kept of a gateway's software.
const SOFTWARE_CHARACTERS_MAX: usize = 60;
