//! Entity tags: a thing's revision goes out as `ETag` and comes back in `If-Match` (RFC 9110 sections 8.8.3 and 13.1.1).

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use warren_app::{AppError, Expected};

use crate::{
    PortalState,
    problem::{PRECONDITION_MISSING, Rejection},
};

/// The revision that a change is based on. Refused with 428 when absent, 412 when it cannot be one of ours.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Expected);

/// The header that tells a thing's revision.
pub fn etag(revision: i64) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("\"{revision}\"")).expect("digits in quotes are a header value");
    [(header::ETAG, value)]
}

impl FromRequestParts<PortalState> for IfMatch {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, _: &PortalState) -> Result<Self, Rejection> {
        expected(&parts.headers).map(Self)
    }
}

fn expected(headers: &HeaderMap) -> Result<Expected, Rejection> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Rejection::new(StatusCode::PRECONDITION_REQUIRED, PRECONDITION_MISSING));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Expected::Any);
    }
    // Weak tags and tags of other forms match nothing that we gave out.
    let revision = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|inner| inner.parse().ok());
    revision.map(Expected::Revision).ok_or_else(|| AppError::Stale.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Option<&'static str>) -> Result<Expected, u16> {
        let headers = value.map(|value| (header::IF_MATCH, HeaderValue::from_static(value))).into_iter().collect();
        expected(&headers).map_err(|rejection| rejection.status.as_u16())
    }

    #[test]
    fn only_tags_that_we_gave_out_match() {
        assert_eq!(read(Some("\"7\"")), Ok(Expected::Revision(7)));
        assert_eq!(read(Some("*")), Ok(Expected::Any));
        assert_eq!(read(None), Err(428));
        for foreign in ["7", "W/\"7\"", "\"abc\"", "\"1\", \"2\"", ""] {
            assert_eq!(read(Some(foreign)), Err(412), "{foreign}");
        }
    }
}
