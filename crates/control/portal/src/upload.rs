//! Files that come in: piece by piece into the organisation's database, within limits of size and time.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::SemaphorePermit;
use warren_app::{
    AppError,
    files::{SIZE_BYTES_MAX, Sink, StoredFile},
};
use warren_model::Invalid;

use crate::{
    PortalState,
    problem::{FILE_TOO_LARGE, Rejection, UPLOAD_BROKEN},
};

/// The routes that take files; they have a longer time limit than others.
pub const ROUTES: &[&str] = &["/api/v1/organisations/{organisation}/files", "/o/{organisation}/records"];
/// What stands around the file in the body of a form.
const AROUND_BYTES_MAX: u64 = 64 * 1024;
/// The largest body of a form that holds a file.
pub const FORM_BYTES_MAX: usize = (SIZE_BYTES_MAX + AROUND_BYTES_MAX) as usize;
/// How long nothing may come.
const PIECE_WITHIN: Duration = Duration::from_secs(15);
/// How long somebody should wait when too many files come in at once.
const TURNED_AWAY_WAIT: Duration = Duration::from_secs(10);

/// Lets a file in: there is room for it, and what its sender says of its size is not too much.
///
/// # Errors
/// 413 or 503.
pub fn admit<'s>(state: &'s PortalState, headers: &HeaderMap) -> Result<SemaphorePermit<'s>, Rejection> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > SIZE_BYTES_MAX + AROUND_BYTES_MAX) {
        return Err(too_large());
    }
    state.uploads().try_acquire().map_err(|_| Rejection::busy(TURNED_AWAY_WAIT))
}

/// Writes all `pieces` into `sink`. What breaks off is never seen.
///
/// # Errors
/// 408, 413, or 422 for an empty file; those of the database.
pub async fn receive<E>(
    mut sink: Sink<'_>,
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<StoredFile, Rejection> {
    let mut size_bytes = 0;
    while let Some(piece) = tokio::time::timeout(PIECE_WITHIN, pieces.next()).await.map_err(|_| broken())? {
        let piece = piece.map_err(|_| broken())?;
        size_bytes += piece.len() as u64;
        if size_bytes > SIZE_BYTES_MAX {
            return Err(too_large());
        }
        sink.write(&piece).await?;
    }
    if size_bytes == 0 {
        return Err(AppError::field("file", Invalid::Empty).into());
    }
    Ok(sink.finish().await?)
}

/// What came is not what was announced.
pub fn broken() -> Rejection {
    Rejection::new(StatusCode::REQUEST_TIMEOUT, UPLOAD_BROKEN).with("seconds", PIECE_WITHIN.as_secs())
}

/// More than is read.
pub fn too_large() -> Rejection {
    Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, FILE_TOO_LARGE).with("max", SIZE_BYTES_MAX / 1024 / 1024)
}
