//! One request to one address that was checked, and the beginning of the answer.
//!
//! hyper's lowest layer, which speaks HTTP over a stream that it is given and does nothing else: it looks no name up, knows no
//! proxy, follows no redirect and keeps no cookie. So nothing leaves this module but to the address that was checked.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::error::DeliveryError;

/// Addresses of one name that are tried, one after the other.
const ADDRESSES_TRIED_MAX: usize = 4;
/// How long one of them may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The most bytes of an answer's head, and its most headers.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// The most bytes of an answer's body that are read.
pub const BODY_START_BYTES_MAX: usize = 4 * 1024;
/// How long the body may take once the status is there, which alone decides.
const BODY_WITHIN: Duration = Duration::from_secs(2);
/// What Warren calls itself.
const USER_AGENT: &str = concat!("Warren-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Ends the task that moves a connection's bytes with the value.
struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    mover: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.mover.abort();
    }
}

/// The three headers of the standard.
pub struct Headers {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
}

/// Sends `body` to one of `addresses`, and returns the answer's head and how its body begins.
pub async fn exchange(
    url: &Url,
    addresses: &[IpAddr],
    tls: &Arc<rustls::ClientConfig>,
    headers: Headers,
    body: Vec<u8>,
) -> Result<(Response<()>, Vec<u8>), DeliveryError> {
    let host = || url.host_str().unwrap_or_default().to_owned();
    let no_answer = |source| DeliveryError::NoAnswer { host: host(), source };
    let unreachable = |source| DeliveryError::Unreachable { host: host(), source };
    let port = url.port_or_known_default().unwrap_or(443);
    let stream = connect(addresses, port).await.map_err(unreachable)?;
    let mut connection = if url.scheme() == "https" {
        let tls_error = |source| DeliveryError::Tls { host: host(), source };
        let name = server_name(url).map_err(tls_error)?;
        let encrypted = TlsConnector::from(tls.clone()).connect(name, stream).await;
        let encrypted =
            encrypted.map_err(|error| if is_about_tls(&error) { tls_error(error) } else { unreachable(error) })?;
        speak_http(encrypted).await.map_err(no_answer)?
    } else {
        speak_http(stream).await.map_err(no_answer)?
    };
    let request = request(url, headers, body)?;
    let response = connection.sender.send_request(request).await.map_err(no_answer)?;
    let (head, mut incoming) = response.into_parts();
    let mut start = Vec::new();
    // What the body does from here on changes nothing about what was answered.
    let _ = timeout(BODY_WITHIN, read_start(&mut incoming, &mut start)).await;
    Ok((Response::from_parts(head, ()), start))
}

/// A connection to the first address that accepts one.
async fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in addresses.iter().take(ADDRESSES_TRIED_MAX) {
        match timeout(CONNECT_WITHIN, TcpStream::connect(SocketAddr::new(*address, port))).await {
            Ok(Ok(stream)) => return stream.set_nodelay(true).map(|()| stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

fn server_name(url: &Url) -> io::Result<ServerName<'static>> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(ServerName::IpAddress(IpAddr::from(address).into())),
        Some(Host::Ipv6(address)) => Ok(ServerName::IpAddress(IpAddr::from(address).into())),
        Some(Host::Domain(name)) => {
            ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(io::Error::other)
        }
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn is_about_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

async fn speak_http<S>(stream: S) -> hyper::Result<Connection>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    // Its errors are the request's too.
    let mover = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok(Connection { sender, mover })
}

fn request(url: &Url, headers: Headers, body: Vec<u8>) -> Result<Request<Full<Bytes>>, DeliveryError> {
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Request::post(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .header("webhook-id", headers.id)
        .header("webhook-timestamp", headers.timestamp)
        .header("webhook-signature", headers.signature)
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| DeliveryError::Unfit("it fits in no HTTP request"))
}

/// Reads until the end, an error or the bound, whichever comes first.
async fn read_start(body: &mut Incoming, start: &mut Vec<u8>) {
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let room = BODY_START_BYTES_MAX - start.len();
        start.extend_from_slice(&data[..data.len().min(room)]);
        if start.len() == BODY_START_BYTES_MAX {
            return;
        }
    }
}
