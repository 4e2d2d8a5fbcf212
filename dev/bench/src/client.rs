//! An HTTP client that does little besides: one connection, kept open, one request at a time.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpStream;
use warren_testkit::{installation::PASSWORD, namespaces::Namespace};
use warren_wire::rest::v1::SignIn;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Where a server is, and the session that its requests belong to.
#[derive(Debug, Clone)]
pub struct Server<'n> {
    pub address: SocketAddr,
    /// The namespace that it listens in; none for this process's own.
    pub namespace: Option<&'n Namespace>,
    cookie: Option<HeaderValue>,
}

impl<'n> Server<'n> {
    /// The server at `url`, as `http://127.0.0.1:4711`.
    ///
    /// # Errors
    /// When the URL holds no address and port.
    pub fn at(url: &str, namespace: Option<&'n Namespace>) -> anyhow::Result<Self> {
        let address = url.trim_start_matches("http://").parse().with_context(|| format!("{url} is no address"))?;
        Ok(Self { address, namespace, cookie: None })
    }

    /// The same server, for who signed in with `email` and the password of all test people.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn signed_in(self, email: &str) -> anyhow::Result<Self> {
        let body = SignIn { email: email.into(), password: PASSWORD.into() };
        let answer = self.connect().await?.send(Method::POST, "/api/v1/session", Some(json(&body))).await?;
        let cookie = answer.cookie.context("signing in brought no cookie")?;
        Ok(Self { cookie: Some(cookie), ..self })
    }

    /// A connection of its own.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        // Sockets belong to the namespace of the thread that opens them.
        let open = || std::net::TcpStream::connect_timeout(&self.address, CONNECT_WITHIN);
        let stream = match self.namespace {
            Some(namespace) => namespace.enter(open)?,
            None => open(),
        }
        .with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(TcpStream::from_std(stream)?)).await?;
        // It ends with the sender; what went wrong with it, the sender tells.
        tokio::spawn(connection);
        let origin = HeaderValue::try_from(format!("http://{}", self.address))?;
        Ok(Connection { sender, origin, cookie: self.cookie.clone() })
    }
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    origin: HeaderValue,
    cookie: Option<HeaderValue>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub body: Bytes,
    cookie: Option<HeaderValue>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).with_context(|| String::from_utf8_lossy(&self.body).into_owned())
    }
}

impl Connection {
    /// Sends a request and waits until its whole answer is here.
    ///
    /// # Errors
    /// When the connection breaks, or the request is refused; the message holds the answer.
    pub async fn send(&mut self, method: Method, path: &str, body: Option<Bytes>) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method.clone()).uri(path).header(header::HOST, "warren");
        request = request.header(header::ORIGIN, &self.origin);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if method == Method::PATCH {
            request = request.header(header::IF_MATCH, "*");
        }
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(Full::new(body.unwrap_or_default()))?).await?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        ensure!(head.status.is_success(), "{method} {path}: {} {}", head.status, String::from_utf8_lossy(&body));
        let cookie = head.headers.get(header::SET_COOKIE).and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|value| value.split(';').next()).map(HeaderValue::try_from).transpose()?;
        Ok(Answer { body, cookie })
    }
}

/// `body` as it goes over the wire.
pub fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("wire types are plain values").into()
}
