//! A receiver of webhooks over real TLS that answers byte by byte as a test says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use warren_testkit::certificates::Authority;

/// The name that its certificate is for, besides 127.0.0.1.
pub const NAME: &str = "hooks.example.org";

/// What a receiver says after a request.
#[derive(Debug, Clone)]
pub enum Says {
    Text(String),
    /// The text, then more of a body without end.
    Endless(String),
    /// The text and nothing more, with the connection open.
    Hangs(String),
    /// The text byte by byte.
    Drips(String, Duration),
    Closes,
}

#[derive(Debug)]
pub struct Got {
    pub line: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

pub struct Receiver {
    pub port: u16,
    got: mpsc::UnboundedReceiver<Got>,
    /// Connections that were opened, whatever came of them.
    connections: mpsc::UnboundedReceiver<()>,
}

impl Receiver {
    /// Over TLS, on this address of loopback.
    pub async fn secure(authority: &Authority, address: &str, says: Says) -> Self {
        let files = authority.issue(&[NAME, "127.0.0.1"]).unwrap();
        let chain = CertificateDer::pem_file_iter(files.certificate).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(files.key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        Self::start(address, Some(TlsAcceptor::from(Arc::new(config))), says).await
    }

    /// Without TLS.
    pub async fn plain(says: Says) -> Self {
        Self::start("127.0.0.1", None, says).await
    }

    async fn start(address: &str, tls: Option<TlsAcceptor>, says: Says) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (told, got) = mpsc::unbounded_channel();
        let (opened, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = opened.send(());
                let (told, says, tls) = (told.clone(), says.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, told, says).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, told, says).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, got, connections }
    }

    /// The next request.
    pub async fn next(&mut self) -> Got {
        self.got.recv().await.unwrap()
    }

    /// How many connections were opened since the last look.
    pub fn opened(&mut self) -> usize {
        std::iter::from_fn(|| self.connections.try_recv().ok()).count()
    }
}

/// An answer with this status and body.
pub fn answer(status: &str, headers: &str, body: &str) -> Says {
    Says::Text(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()))
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, told: mpsc::UnboundedSender<Got>, says: Says) {
    let Some(got) = read(&mut stream).await else { return };
    let _ = told.send(got);
    match says {
        Says::Text(text) => drop(stream.write_all(text.as_bytes()).await),
        Says::Endless(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            while stream.write_all(&[b'x'; 16 * 1024]).await.is_ok() {}
        }
        Says::Hangs(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.flush().await;
            // Until the other side goes.
            let _ = stream.read(&mut [0]).await;
        }
        Says::Drips(text, every) => {
            for byte in text.bytes() {
                if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
                tokio::time::sleep(every).await;
            }
        }
        Says::Closes => {}
    }
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Got> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let mut headers = BTreeMap::new();
    for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
        assert!(headers.insert(name.to_lowercase(), value.to_owned()).is_none(), "{name} stands twice");
    }
    let length: usize = headers["content-length"].parse().unwrap();
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Got { line, headers, body })
}
