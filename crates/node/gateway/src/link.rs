//! The link to the control plane: one WebSocket, opened again whenever it ends.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error as WsError, Message,
        client::IntoClientRequest,
        http::{HeaderValue, StatusCode, header},
        protocol::WebSocketConfig,
    },
};
use tracing::{debug, info, warn};
use warren_model::{Random, ambient::random_bytes};
use warren_resilience::Backoff;
use warren_runtime::{Secret, Shutdown};
use warren_wire::node::v1::{
    FRAME_BYTES_MAX, FromGateway, LINK_PATH, PING_AFTER_SECONDS, SILENCE_SECONDS_MAX, ToGateway,
};

use crate::connect::{ConnectError, Connector, Stream};

const RETRY_AFTER_FIRST: Duration = Duration::from_millis(100);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(15);
/// The wait after the control plane said that it does not want this gateway.
const RETRY_AFTER_REFUSAL: Duration = Duration::from_secs(60);
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// How long one frame may take to be handed to the system.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// Frames that wait on either side.
const FRAMES_MAX: usize = 64;

/// What the link tells.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// It stands; frames go into the sender, and dropping that ends the link.
    Connected(mpsc::Sender<Outgoing>),
    Frame(ToGateway),
    Disconnected,
}

/// What goes over the link.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(FromGateway),
    /// Ends the link, and waits long before the next attempt.
    GiveUp,
}

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
enum LinkEnd {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the control plane answered {0} in place of opening the link")]
    Answer(StatusCode),
    #[error("the WebSocket failed: {0}")]
    WebSocket(#[from] Box<WsError>),
    #[error("a frame could not be read: {0}")]
    Frame(#[from] serde_json::Error),
    #[error("the credential has characters that no header can hold")]
    Credential,
    #[error("nothing was heard for {SILENCE_SECONDS_MAX} seconds")]
    Silence,
    #[error("the control plane closed the link")]
    Closed,
    #[error("the gateway asks for a new link")]
    ByGateway,
    #[error("the control plane does not want this gateway")]
    Refused,
}

/// Holds the link until shutdown.
pub(crate) struct LinkKeeper {
    pub connector: Connector,
    pub credential: Secret<String>,
    pub random: Arc<dyn Random>,
    pub events: mpsc::Sender<LinkEvent>,
}

impl LinkKeeper {
    pub async fn run(self, shutdown: Shutdown) {
        let mut backoff = Backoff::new(RETRY_AFTER_FIRST, RETRY_AFTER_MAX);
        while !shutdown.is_requested() {
            let end = tokio::select! {
                () = shutdown.requested() => return,
                end = self.once(&mut backoff) => end,
            };
            if self.events.send(LinkEvent::Disconnected).await.is_err() {
                return;
            }
            let mut wait = backoff.after_failure(u64::from_ne_bytes(random_bytes(&*self.random)));
            if matches!(end, LinkEnd::Refused) {
                wait = RETRY_AFTER_REFUSAL;
            }
            // The first failure is worth a line; an outage of hours is not worth thousands.
            if backoff.failures() <= 1 || backoff.failures().is_multiple_of(20) {
                warn!(reason = %end, server = %self.connector.server(), "the link to the control plane is down; traffic goes on");
            } else {
                debug!(reason = %end, "the link to the control plane is still down");
            }
            tokio::select! {
                () = shutdown.requested() => return,
                () = sleep(wait) => {}
            }
        }
    }

    async fn once(&self, backoff: &mut Backoff) -> LinkEnd {
        let socket = match self.open().await {
            Ok(socket) => socket,
            Err(end) => return end,
        };
        let (sender, outgoing) = mpsc::channel(FRAMES_MAX);
        if self.events.send(LinkEvent::Connected(sender)).await.is_err() {
            return LinkEnd::ByGateway;
        }
        match self.carry(socket, outgoing, backoff).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn open(&self) -> Result<WebSocketStream<Box<dyn Stream>>, LinkEnd> {
        let stream = self.connector.connect().await?;
        let url = format!("ws://{}{LINK_PATH}", self.connector.server().authority());
        let mut request = url.into_client_request().map_err(Box::new)?;
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.credential.expose()));
        let mut bearer = bearer.map_err(|_| LinkEnd::Credential)?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        let limits =
            WebSocketConfig::default().max_message_size(Some(FRAME_BYTES_MAX)).max_frame_size(Some(FRAME_BYTES_MAX));
        let opening = client_async_with_config(request, stream, Some(limits));
        match timeout(HANDSHAKE_DEADLINE, opening).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(WsError::Http(answer))) => Err(LinkEnd::Answer(answer.status())),
            Ok(Err(error)) => Err(Box::new(error).into()),
            Err(_) => Err(LinkEnd::Silence),
        }
    }

    async fn carry(
        &self,
        mut socket: WebSocketStream<Box<dyn Stream>>,
        mut outgoing: mpsc::Receiver<Outgoing>,
        backoff: &mut Backoff,
    ) -> Result<std::convert::Infallible, LinkEnd> {
        let (ping_after, silence_max) =
            (Duration::from_secs(PING_AFTER_SECONDS), Duration::from_secs(SILENCE_SECONDS_MAX));
        let (mut heard_at, mut spoke_at) = (Instant::now(), Instant::now());
        loop {
            tokio::select! {
                biased;
                message = socket.next() => {
                    let message = message.ok_or(LinkEnd::Closed)?.map_err(Box::new)?;
                    heard_at = Instant::now();
                    match message {
                        Message::Text(text) => {
                            let frame = serde_json::from_str(text.as_str())?;
                            if backoff.failures() > 0 {
                                info!(server = %self.connector.server(), "the link to the control plane stands");
                                backoff.reset();
                            }
                            self.events.send(LinkEvent::Frame(frame)).await.map_err(|_| LinkEnd::ByGateway)?;
                        }
                        Message::Close(_) => return Err(LinkEnd::Closed),
                        _ => {}
                    }
                }
                frame = outgoing.recv() => {
                    match frame {
                        Some(Outgoing::Frame(frame)) => write(&mut socket, Message::text(serde_json::to_string(&frame)?)).await?,
                        Some(Outgoing::GiveUp) => {
                            let _ = timeout(WRITE_DEADLINE, socket.close(None)).await;
                            return Err(LinkEnd::Refused);
                        }
                        None => {
                            let _ = timeout(WRITE_DEADLINE, socket.close(None)).await;
                            return Err(LinkEnd::ByGateway);
                        }
                    }
                    spoke_at = Instant::now();
                }
                () = sleep_until(spoke_at + ping_after) => {
                    write(&mut socket, Message::Ping(Vec::new().into())).await?;
                    spoke_at = Instant::now();
                }
                () = sleep_until(heard_at + silence_max) => return Err(LinkEnd::Silence),
            }
        }
    }
}

async fn write(socket: &mut WebSocketStream<Box<dyn Stream>>, message: Message) -> Result<(), LinkEnd> {
    match timeout(WRITE_DEADLINE, socket.send(message)).await {
        Ok(sent) => Ok(sent.map_err(Box::new)?),
        Err(_) => Err(LinkEnd::Silence),
    }
}
