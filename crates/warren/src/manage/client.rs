//! The REST API over the admin socket: one request, one connection, a time limit and a body limit.

use std::{
    error::Error,
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::stream;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;
use warren_wire::rest::v1::Problem;

use crate::{Failure, folder};

/// A little longer than the server's own limit for a request, so that its answer is heard.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// The same for a file that is sent.
const UPLOADED_WITHIN: Duration = Duration::from_secs(905);
/// How much of a file is sent at once.
const PIECE_BYTES: usize = 64 * 1024;
/// The largest page of 200 items is far below it.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Speaks with the server that works on one data folder.
#[derive(Debug)]
pub struct Client {
    data: PathBuf,
}

/// What the server said.
#[derive(Debug)]
pub struct Answer {
    /// The entity tag, to change exactly what was read.
    pub etag: Option<String>,
    /// The body as it came.
    pub body: Bytes,
}

impl Answer {
    /// The body as what it stands for.
    ///
    /// # Errors
    /// [`Failure::Unanswered`] when it is something else: client and server are of different versions.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| unanswered("gave an answer of another version; use the same `warren` for both", error))
    }
}

impl Client {
    /// A client of the server that works on `data`.
    pub const fn new(data: PathBuf) -> Self {
        Self { data }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, None, Full::default()).await
    }
    /// Creates, or does what has no body.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.send(Method::POST, path, None, json(body)?).await
    }
    /// Changes what still is as it was read.
    pub async fn patch(&self, path: &str, read: &Answer, body: &impl Serialize) -> Result<Answer, Failure> {
        self.send(Method::PATCH, path, Some(read), json(body)?).await
    }
    /// Removes what still is as it was read.
    pub async fn delete(&self, path: &str, read: &Answer) -> Result<Answer, Failure> {
        self.send(Method::DELETE, path, Some(read), Full::default()).await
    }
    /// Posts to something that has to be as it was read.
    pub async fn post_to(&self, path: &str, read: &Answer) -> Result<Answer, Failure> {
        self.send(Method::POST, path, Some(read), Full::default()).await
    }

    /// Sends the file at `from` as it is.
    ///
    /// # Errors
    /// [`Failure::Io`] when it cannot be opened. One that cannot be read to its end is refused by the server.
    pub async fn upload(&self, path: &str, from: &Path) -> Result<Answer, Failure> {
        let unreadable = |source| Failure::Io { doing: "read", path: from.to_owned(), source };
        let mut file = File::open(from).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let pieces = std::iter::from_fn(move || {
            let mut piece = vec![0; PIECE_BYTES];
            match file.read(&mut piece) {
                Ok(0) => None,
                Ok(read) => {
                    piece.truncate(read);
                    Some(Ok(Frame::data(Bytes::from(piece))))
                }
                Err(error) => Some(Err(error)),
            }
        });
        let request = head(Method::POST, path)
            .header(header::CONTENT_TYPE, "text/csv")
            .header(header::CONTENT_LENGTH, length)
            .body(StreamBody::new(stream::iter(pieces)))
            .map_err(|error| unanswered("cannot be asked this", error))?;
        within(UPLOADED_WITHIN, self.exchange(request)).await
    }

    /// Writes a body of any length into `out` as it comes, and returns its length in bytes.
    ///
    /// # Errors
    /// [`Failure::Unanswered`] when it breaks off; [`Failure::Io`] naming `place` when it cannot be written.
    pub async fn download(&self, path: &str, out: &mut dyn Write, place: &Path) -> Result<u64, Failure> {
        let request = head(Method::GET, path)
            .body(Full::<Bytes>::default())
            .map_err(|error| unanswered("cannot be asked this", error))?;
        let (status, _, mut body) = within(ANSWER_WITHIN, self.ask(request)).await?;
        if !status.is_success() {
            return Err(Failure::Problem(Box::new(problem(status, &whole(body).await?))));
        }
        let mut written = 0;
        while let Some(frame) = within(ANSWER_WITHIN, async { Ok(body.frame().await) }).await? {
            let frame = frame.map_err(|error| unanswered("broke off in the middle of the file", error))?;
            if let Some(piece) = frame.data_ref() {
                let unwritable = |source| Failure::Io { doing: "write to", path: place.to_owned(), source };
                out.write_all(piece).map_err(unwritable)?;
                written += piece.len() as u64;
            }
        }
        Ok(written)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        read: Option<&Answer>,
        body: Full<Bytes>,
    ) -> Result<Answer, Failure> {
        let mut request = head(method, path);
        if Body::size_hint(&body).exact() != Some(0) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(read) = read {
            request = request.header(header::IF_MATCH, read.etag.as_deref().unwrap_or("*"));
        }
        let request = request.body(body).map_err(|error| unanswered("cannot be asked this", error))?;
        within(ANSWER_WITHIN, self.exchange(request)).await
    }

    async fn exchange<B>(&self, request: Request<B>) -> Result<Answer, Failure>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (status, etag, body) = self.ask(request).await?;
        let body = whole(body).await?;
        if status.is_success() {
            return Ok(Answer { etag, body });
        }
        Err(Failure::Problem(Box::new(problem(status, &body))))
    }

    /// Asks, and hears the answer's head.
    async fn ask<B>(&self, request: Request<B>) -> Result<(StatusCode, Option<String>, Incoming), Failure>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let stream = self.connect().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unanswered("hung up", error))?;
        // Ends with the exchange: the server is told to close, and the sender is dropped.
        tokio::spawn(connection);
        let (head, body) =
            sender.send_request(request).await.map_err(|error| unanswered("hung up", error))?.into_parts();
        Ok((head.status, etag(&head.headers), body))
    }

    async fn connect(&self) -> Result<UnixStream, Failure> {
        let socket = folder::admin_socket(&self.data);
        UnixStream::connect(&socket).await.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                Failure::NotPermitted { data: self.data.clone(), user: owner(&self.data) }
            }
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Failure::NotRunning(self.data.clone()),
            _ => unanswered("cannot be reached", error),
        })
    }
}

/// What every request begins with.
fn head(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_LANGUAGE, "en")
        .header(header::USER_AGENT, concat!("warren/", env!("CARGO_PKG_VERSION")))
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let what = format!("did not answer within {} s; its log says why", limit.as_secs());
        Err(Failure::Unanswered { what, source: None })
    })
}

async fn whole(body: Incoming) -> Result<Bytes, Failure> {
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let unreadable =
        |source| Failure::Unanswered { what: "gave an answer that cannot be read".into(), source: Some(source) };
    Ok(body.map_err(unreadable)?.to_bytes())
}

fn json(body: &impl Serialize) -> Result<Full<Bytes>, Failure> {
    let bytes = serde_json::to_vec(body).map_err(|error| unanswered("cannot be asked this", error))?;
    Ok(Full::from(bytes))
}

fn etag(headers: &HeaderMap) -> Option<String> {
    headers.get(header::ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The problem in `body`, or one made of the status when something else than Warren answered.
fn problem(status: StatusCode, body: &[u8]) -> Problem {
    serde_json::from_slice(body).unwrap_or_else(|_| Problem {
        kind: "about:blank".into(),
        title: status.to_string(),
        status: status.as_u16(),
        detail: format!("the server answered {status}"),
        request_id: String::new(),
        errors: Vec::new(),
    })
}

fn unanswered(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Unanswered { what: what.to_owned(), source: Some(Box::new(source)) }
}

/// The user that the folder, or the nearest one above it that can be seen, belongs to.
fn owner(data: &Path) -> String {
    let uid = data.ancestors().find_map(|path| path.metadata().ok()).map_or(0, |meta| meta.uid());
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| format!("#{uid}"), |user| user.name)
}
