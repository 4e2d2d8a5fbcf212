//! The REST API over the admin socket: one request, one connection, a time limit and a body limit.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;
use warren_wire::rest::v1::Problem;

use crate::{Failure, folder};

/// A little longer than the server's own limit for a request, so that its answer is heard.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
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

    async fn send(
        &self,
        method: Method,
        path: &str,
        read: Option<&Answer>,
        body: Full<Bytes>,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::USER_AGENT, concat!("warren/", env!("CARGO_PKG_VERSION")));
        if hyper::body::Body::size_hint(&body).exact() != Some(0) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(read) = read {
            request = request.header(header::IF_MATCH, read.etag.as_deref().unwrap_or("*"));
        }
        let request = request.body(body).map_err(|error| unanswered("cannot be asked this", error))?;
        match tokio::time::timeout(ANSWER_WITHIN, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Unanswered {
                what: format!("did not answer within {} s; its log says why", ANSWER_WITHIN.as_secs()),
                source: None,
            }),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let stream = self.connect().await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unanswered("hung up", error))?;
        // Ends with the exchange: the server is told to close, and the sender is dropped.
        tokio::spawn(connection);
        let (head, body) =
            sender.send_request(request).await.map_err(|error| unanswered("hung up", error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|source| Failure::Unanswered {
                what: "gave an answer that cannot be read".into(),
                source: Some(source),
            })?
            .to_bytes();
        if head.status.is_success() {
            return Ok(Answer { etag: etag(&head.headers), body });
        }
        Err(Failure::Problem(Box::new(problem(head.status, &body))))
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
