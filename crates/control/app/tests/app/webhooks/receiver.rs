//! A receiver of webhooks over real TLS, whose answers a test changes while it runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use warren_testkit::certificates::Authority;

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Got {
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// What it was answered.
    pub answered: &'static str,
}

impl Got {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub struct Receiver {
    pub port: u16,
    says: Arc<Mutex<&'static str>>,
    got: mpsc::UnboundedReceiver<Got>,
}

impl Receiver {
    /// On any port. It says 204 until it is told to say something else.
    pub async fn start(authority: &Authority) -> Self {
        Self::on(authority, 0).await
    }

    pub async fn on(authority: &Authority, port: u16) -> Self {
        let files = authority.issue(&["127.0.0.1", "hooks.example.org"]).unwrap();
        let chain = CertificateDer::pem_file_iter(files.certificate).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(files.key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let says = Arc::new(Mutex::new("204 No Content\r\n"));
        let (told, got) = mpsc::unbounded_channel();
        let answers = Arc::clone(&says);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, told, answers) = (tls.clone(), told.clone(), Arc::clone(&answers));
                tokio::spawn(async move {
                    let Ok(mut stream) = tls.accept(stream).await else { return };
                    let Some((headers, body)) = read(&mut stream).await else { return };
                    let answered = *answers.lock().unwrap();
                    let answer = format!("HTTP/1.1 {answered}content-length: 0\r\n\r\n");
                    let _ = told.send(Got { headers, body, answered });
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { port, says, got }
    }

    /// The status line behind the version, and headers, each with its line break.
    pub fn says(&self, head: &'static str) {
        *self.says.lock().unwrap() = head;
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/warren", self.port)
    }

    /// The next message; it comes soon.
    pub async fn next(&mut self) -> Got {
        tokio::time::timeout(Duration::from_secs(30), self.got.recv()).await.expect("no message came").unwrap()
    }

    /// A message, if one has come.
    pub fn has(&mut self) -> Option<Got> {
        self.got.try_recv().ok()
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
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
    let headers: BTreeMap<String, String> = head
        .split("\r\n")
        .skip(1)
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((headers, body))
}
