//! Files that go out: to be kept by whoever asked, never shown by a browser as a page of ours.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{HeaderValue, header};
use warren_app::files::{Pieces, StoredFile};

/// The file as an answer, read piece by piece as it is taken. When a piece cannot be read the answer breaks off, which the
/// receiver sees by its length.
pub fn attachment((file, pieces): (StoredFile, Pieces)) -> Response {
    let pieces = stream::try_unfold(pieces, async |mut pieces| {
        let piece = pieces.next().await.inspect_err(|cause| tracing::error!(%cause, "a download broke off"))?;
        Ok::<_, warren_app::AppError>(piece.map(|piece| (piece, pieces)))
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_str(&file.media_type);
    headers.insert(header::CONTENT_TYPE, media_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&file.name));
    if let Some(whole) = &file.whole {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.size_bytes));
    }
    response
}

/// `Content-Disposition` for any name (RFC 6266): a plain one for old programs, and the name itself (RFC 8187).
fn disposition(name: &str) -> HeaderValue {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " .-_()".contains(c) { c } else { '_' };
    let fallback: String = name.chars().map(plain).collect();
    let encoded: String = name.bytes().map(encoded).collect();
    let value = format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).expect("letters, digits and signs of ASCII")
}

/// A byte of an `ext-value` (RFC 8187 section 3.2.1).
fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).into()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_header() {
        assert_eq!(
            disposition("Geräte \"1\"; x=.csv"),
            "attachment; filename=\"Ger_te _1__ x_.csv\"; filename*=UTF-8''Ger%C3%A4te%20%221%22%3B%20x%3D.csv"
        );
    }
}
