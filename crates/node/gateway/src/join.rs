//! Enrolment: a one-time token becomes a credential.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::time::timeout;
use warren_runtime::{Secret, lock::FolderLock};
use warren_wire::node::v1::{ENROL_PATH, EnrolAnswer, EnrolRequest};

use crate::{
    config::{PlainHttp, ServerAddress},
    connect::Connector,
    error::GatewayError,
    folder::{Credential, Folder},
};

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const DEADLINE: Duration = Duration::from_secs(20);

/// Exchanges `token` for a credential and keeps that in `state_dir`, in place of one that is there.
///
/// # Errors
/// [`GatewayError::TokenRefused`] when the token is used up, expired or unknown; [`GatewayError::Lock`] while a gateway
/// runs in the folder; others as they say. Nothing is kept then.
pub async fn join(
    server: ServerAddress,
    ca_file: Option<&PathBuf>,
    token: &str,
    state_dir: &Path,
    plain_http: PlainHttp,
) -> Result<EnrolAnswer, GatewayError> {
    let folder = Folder::open(state_dir)?;
    let _lock = FolderLock::acquire(folder.path())?;
    let connector = Connector::new(server, ca_file, plain_http)?;
    let late = |_| GatewayError::Answer { reason: "it did not answer in time".into() };
    let answer = timeout(DEADLINE, ask(&connector, token)).await.map_err(late)??;
    folder.keep_credential(&Credential {
        gateway: answer.gateway,
        name: answer.name.clone(),
        secret: Secret::new(answer.credential.clone()),
    })?;
    Ok(answer)
}

/// Keeps in `state_dir` an identity that came another way than by a token, in place of one that is there.
///
/// # Errors
/// [`GatewayError::Lock`] while a gateway runs in the folder, [`GatewayError::File`] when it cannot be written.
pub fn keep_identity(state_dir: &Path, identity: &EnrolAnswer) -> Result<(), GatewayError> {
    let folder = Folder::open(state_dir)?;
    let _lock = FolderLock::acquire(folder.path())?;
    folder.keep_credential(&Credential {
        gateway: identity.gateway,
        name: identity.name.clone(),
        secret: Secret::new(identity.credential.clone()),
    })?;
    Ok(())
}

/// The one field of a problem document (RFC 9457) that is shown.
#[derive(Deserialize)]
struct Problem {
    detail: Option<String>,
    title: Option<String>,
}

async fn ask(connector: &Connector, token: &str) -> Result<EnrolAnswer, GatewayError> {
    let odd = |error: &dyn std::error::Error| GatewayError::Answer { reason: error.to_string() };
    let stream = connector.connect().await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| odd(&error))?;
    let connection = tokio::spawn(connection);
    let body = serde_json::to_vec(&EnrolRequest { token: token.to_owned() }).map_err(|error| odd(&error))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(ENROL_PATH)
        .header(header::HOST, connector.server().authority())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| odd(&error))?;
    let answer = sender.send_request(request).await.map_err(|error| odd(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| GatewayError::Answer { reason: error.to_string() })?.to_bytes();
    connection.abort();
    match status {
        StatusCode::OK | StatusCode::CREATED => serde_json::from_slice(&body).map_err(|error| odd(&error)),
        status if status.is_client_error() => {
            let problem = serde_json::from_slice::<Problem>(&body).ok();
            let said = problem.and_then(|problem| problem.detail.or(problem.title));
            Err(GatewayError::TokenRefused { reason: said.unwrap_or_else(|| status.to_string()) })
        }
        status => Err(GatewayError::Answer { reason: status.to_string() }),
    }
}
