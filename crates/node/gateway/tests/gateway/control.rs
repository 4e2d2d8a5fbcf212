//! A control plane of the smallest kind: it enrols gateways, sends them what it wants over a real WebSocket, and remembers
//! what they say.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    runtime::Runtime,
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};
use uuid::Uuid;
use warren_wire::node::v1::{
    Backend, Change, ENROL_PATH, EnrolAnswer, FromGateway, LINK_PATH, Network, Peer, PeerReport, ToGateway,
};

use crate::{
    process::{wait_for, wait_long_for},
    world::Place,
};

const CREDENTIAL: &str = "credential-of-the-test";
pub const TOKEN: &str = "token-of-the-test";

#[derive(Default)]
struct Wanted {
    version: u64,
    networks: Vec<(Network, Vec<Peer>)>,
    link: Option<mpsc::UnboundedSender<ToGateway>>,
    heard: Vec<FromGateway>,
    /// When each version was first told to be in force.
    applied_at: BTreeMap<u64, Instant>,
    links: usize,
}

pub struct Control {
    runtime: Runtime,
    port: u16,
    wanted: Arc<Mutex<Wanted>>,
    listening: Option<JoinHandle<()>>,
}

impl Control {
    pub fn start(host: &Place) -> Self {
        let mut control = Self { runtime: Runtime::new().unwrap(), port: 0, wanted: Arc::default(), listening: None };
        control.come_back(host);
        control
    }

    /// Listens on a socket of the file system too.
    pub fn listen_at(&self, path: &Path) {
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let wanted = self.wanted.clone();
        self.runtime.spawn(async move {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, wanted.clone()));
            }
        });
    }

    /// Listens with TLS too, with a certificate for `localhost` that goes into `ca_file`; gives the port.
    pub fn listen_with_tls(&self, host: &Place, ca_file: &Path) -> u16 {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(ca_file, certified.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![certified.cert.der().clone()], key.into()).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = host.inside(|| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let wanted = self.wanted.clone();
        self.runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, wanted) = (acceptor.clone(), wanted.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, wanted).await;
                    }
                });
            }
        });
        port
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends the link and answers nobody any more.
    pub fn go_away(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            wait_for("the listener ends", || listening.is_finished().then_some(()));
        }
        self.wanted.lock().unwrap().link = None;
    }

    pub fn come_back(&mut self, host: &Place) {
        let port = self.port;
        let listener = host.inside(|| TcpListener::bind(("127.0.0.1", port)).unwrap());
        listener.set_nonblocking(true).unwrap();
        self.port = listener.local_addr().unwrap().port();
        let wanted = self.wanted.clone();
        self.listening = Some(self.runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, wanted.clone()));
            }
        }));
    }

    /// Wants this and sends it whole.
    pub fn want(&self, networks: Vec<(Network, Vec<Peer>)>) -> u64 {
        let mut wanted = self.wanted.lock().unwrap();
        wanted.version += 1;
        wanted.networks = networks;
        if let Some(link) = wanted.link.clone() {
            // A link that has just ended misses nothing: the next one begins with a snapshot.
            snapshot(&wanted).into_iter().for_each(|frame| drop(link.send(frame)));
        }
        wanted.version
    }

    pub fn change(&self, change: Change) -> u64 {
        let mut wanted = self.wanted.lock().unwrap();
        wanted.version += 1;
        match &change {
            Change::NetworkSet { network } => {
                match wanted.networks.iter_mut().find(|(known, _)| known.id == network.id) {
                    Some((known, _)) => *known = network.clone(),
                    None => wanted.networks.push((network.clone(), vec![])),
                }
            }
            Change::NetworkRemoved { network } => wanted.networks.retain(|(known, _)| known.id != *network),
            Change::PeerSet { network, peer } => {
                let (_, peers) = wanted.networks.iter_mut().find(|(known, _)| known.id == *network).unwrap();
                peers.retain(|known| known.device != peer.device);
                peers.push(peer.clone());
            }
            Change::PeerRemoved { network, device } => {
                let (_, peers) = wanted.networks.iter_mut().find(|(known, _)| known.id == *network).unwrap();
                peers.retain(|known| known.device != *device);
            }
        }
        let version = wanted.version;
        if let Some(link) = &wanted.link {
            let _ = link.send(ToGateway::Change { version, changes: vec![change] });
        }
        version
    }

    /// Waits until `version` is in force without a fault; says how long that took.
    pub fn in_force(&self, version: u64) -> Duration {
        self.in_force_within(version, Duration::from_secs(10))
    }

    pub fn in_force_within(&self, version: u64, within: Duration) -> Duration {
        let begin = Instant::now();
        wait_long_for(within, &format!("version {version} is in force"), || {
            let wanted = self.wanted.lock().unwrap();
            let applied = wanted.heard.iter().rev().find_map(|frame| match frame {
                FromGateway::Applied { version, faults } => Some((*version, faults.clone())),
                _ => None,
            });
            applied.filter(|(applied, faults)| *applied >= version && faults.is_empty())
        });
        begin.elapsed()
    }

    /// Sends a change and says how long it took until the gateway told that it is in force.
    pub fn time(&self, change: Change) -> Duration {
        let begin = Instant::now();
        let version = self.change(change);
        self.in_force(version);
        let wanted = self.wanted.lock().unwrap();
        let (_, at) = wanted.applied_at.range(version..).next().unwrap();
        at.duration_since(begin)
    }

    /// Waits until the network has a fault that speaks of `words`.
    pub fn fault(&self, network: Uuid, words: &str) {
        wait_for(&format!("a fault that says: {words}"), || {
            let wanted = self.wanted.lock().unwrap();
            let last = wanted.heard.iter().rev().find_map(|frame| match frame {
                FromGateway::Applied { faults, .. } => Some(faults),
                _ => None,
            })?;
            last.iter().find(|fault| fault.network == network && fault.reason.contains(words)).map(drop)
        });
    }

    pub fn last_report(&self, device: Uuid) -> Option<PeerReport> {
        let wanted = self.wanted.lock().unwrap();
        wanted.heard.iter().rev().find_map(|frame| match frame {
            FromGateway::Report { peers } => peers.iter().find(|peer| peer.device == device).cloned(),
            _ => None,
        })
    }

    pub fn boots(&self) -> Vec<Uuid> {
        let wanted = self.wanted.lock().unwrap();
        let hello = wanted.heard.iter().filter_map(|frame| match frame {
            FromGateway::Hello { boot, .. } => Some(*boot),
            _ => None,
        });
        hello.collect()
    }

    /// What the gateway last said that it carries packets with.
    pub fn backend(&self) -> Option<Backend> {
        let wanted = self.wanted.lock().unwrap();
        wanted.heard.iter().rev().find_map(|frame| match frame {
            FromGateway::Hello { backend, .. } => Some(*backend),
            _ => None,
        })
    }

    pub fn links(&self) -> usize {
        self.wanted.lock().unwrap().links
    }

    pub fn forget_heard(&self) {
        self.wanted.lock().unwrap().heard.clear();
    }
}

fn snapshot(wanted: &Wanted) -> Vec<ToGateway> {
    let version = wanted.version;
    let networks = wanted.networks.iter().map(|(network, _)| network.clone()).collect();
    let mut frames = vec![ToGateway::SnapshotBegin { version, networks }];
    for (network, peers) in &wanted.networks {
        for peers in peers.chunks(1000) {
            frames.push(ToGateway::SnapshotPeers { network: network.id, peers: peers.to_vec() });
        }
    }
    frames.push(ToGateway::SnapshotEnd { version });
    frames
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, wanted: Arc<Mutex<Wanted>>) {
    let mut stream = BufReader::new(stream);
    if stream.fill_buf().await.is_ok_and(|begin| begin.starts_with(b"POST")) {
        enrol(&mut stream).await;
        return;
    }
    #[expect(clippy::result_large_err, reason = "the library's signature")]
    let check = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        if request.uri().path() == LINK_PATH && bearer == Some(&format!("Bearer {CREDENTIAL}")) {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = tokio_tungstenite::tungstenite::http::StatusCode::UNAUTHORIZED;
        Err(refusal)
    };
    let Ok(mut socket) = accept_hdr_async(stream, check).await else { return };
    let Some(Ok(Message::Text(hello))) = socket.next().await else { return };
    let (sender, mut outgoing) = mpsc::unbounded_channel();
    {
        let mut wanted = wanted.lock().unwrap();
        wanted.heard.push(serde_json::from_str(hello.as_str()).unwrap());
        wanted.links += 1;
        snapshot(&wanted).into_iter().for_each(|frame| sender.send(frame).unwrap());
        wanted.link = Some(sender);
    }
    loop {
        tokio::select! {
            frame = outgoing.recv() => {
                let Some(frame) = frame else { return };
                let text = serde_json::to_string(&frame).unwrap();
                if socket.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(text.as_str()).unwrap();
                    let mut wanted = wanted.lock().unwrap();
                    if let FromGateway::Applied { version, .. } = frame {
                        wanted.applied_at.entry(version).or_insert_with(Instant::now);
                    }
                    wanted.heard.push(frame);
                }
                Some(Ok(_)) => {}
                _ => return,
            }
        }
    }
}

async fn enrol(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut request = vec![0; 4096];
    let mut length = 0;
    while !request[..length].ends_with(b"}") {
        length += stream.read(&mut request[length..]).await.unwrap();
    }
    let request = String::from_utf8_lossy(&request[..length]);
    assert!(request.starts_with(&format!("POST {ENROL_PATH} HTTP/1.1\r\n")), "{request}");
    let answer = if request.contains(TOKEN) {
        let answer = EnrolAnswer { gateway: Uuid::from_u128(1), name: "test".into(), credential: CREDENTIAL.into() };
        let body = serde_json::to_string(&answer).unwrap();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    } else {
        let body = r#"{"title":"Unknown token","detail":"the token was used"}"#;
        format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    stream.write_all(answer.as_bytes()).await.unwrap();
}
