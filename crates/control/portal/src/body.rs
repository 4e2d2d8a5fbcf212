//! JSON bodies: bounded, strict, and refused with the place of the fault.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use sha2::{Digest, Sha256};
use warren_app::IdempotencyKey;
use warren_model::Invalid;

use crate::{
    PortalState,
    problem::{FieldRefusal, MALFORMED, MEDIA_TYPE, MISSING_FIELD, REPEATED_FIELD, Rejection, TYPE, UNKNOWN_FIELD},
};

/// The largest body that is read.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Names a creation, so that sending it twice creates once (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The JSON body of a creation, and the name that the caller gave it.
#[derive(Debug)]
pub struct Creation<T> {
    pub body: T,
    pub idempotency: Option<IdempotencyKey>,
}

impl<T: DeserializeOwned> FromRequest<PortalState> for Body<T> {
    type Rejection = Rejection;
    async fn from_request(request: Request, state: &PortalState) -> Result<Self, Rejection> {
        check_content_type(request.headers())?;
        let bytes = Bytes::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<PortalState> for Creation<T> {
    type Rejection = Rejection;
    async fn from_request(request: Request, state: &PortalState) -> Result<Self, Rejection> {
        check_content_type(request.headers())?;
        let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
        let bytes = Bytes::from_request(request, state).await?;
        let idempotency = idempotency(&method, &uri, &headers, &bytes)?;
        Ok(Self { body: parse(&bytes)?, idempotency })
    }
}

fn idempotency(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<IdempotencyKey>, Rejection> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let fingerprint = Sha256::new()
        .chain_update(method.as_str())
        .chain_update([0])
        .chain_update(uri.path())
        .chain_update([0])
        .chain_update(body)
        .finalize();
    // A value that is not ASCII cannot be a key; the control character is refused in its place.
    let key = IdempotencyKey::new(key.to_str().unwrap_or("\u{7f}"), fingerprint.into());
    key.map(Some).map_err(|invalid| Rejection::from(("Idempotency-Key", invalid)))
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, MEDIA_TYPE).with("expected", "application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Rejection> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(refusal)?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Rejection {
    let rejection = Rejection::new(StatusCode::BAD_REQUEST, MALFORMED);
    rejection.with("line", error.line()).with("column", error.column())
}

/// serde says in words what did not fit; these are the beginnings of its sentences.
fn refusal(error: serde_path_to_error::Error<serde_json::Error>) -> Rejection {
    if error.inner().classify() != Category::Data {
        return malformed(error.inner());
    }
    let path = error.path().to_string();
    let sentence = error.inner().to_string();
    let sentence = sentence.rsplit_once(" at line ").map_or(sentence.as_str(), |(before, _)| before);
    let named = sentence.split('`').nth(1).unwrap_or_default();
    let (field, code, arguments) = if sentence.starts_with("unknown field") {
        // The path ends in the field itself, but not inside of tagged choices.
        let field = if path.rsplit('.').next() == Some(named) { path } else { within(&path, named) };
        (field, UNKNOWN_FIELD, Vec::new())
    } else if sentence.starts_with("missing field") {
        (within(&path, named), MISSING_FIELD, Vec::new())
    } else if sentence.starts_with("duplicate field") {
        (within(&path, named), REPEATED_FIELD, Vec::new())
    } else if sentence.starts_with("UUID parsing failed") {
        (within(&path, ""), Invalid::Identifier.code(), Vec::new())
    } else {
        let expected = sentence.split_once("expected ").map_or(sentence, |(_, expected)| expected);
        (within(&path, ""), TYPE, vec![("expected", expected.to_owned())])
    };
    Rejection::of_fields(vec![FieldRefusal { field: field.into(), code, arguments }])
}

/// `name` inside of what stands at `path`; the body as a whole is called `body`.
fn within(path: &str, name: &str) -> String {
    match (path, name) {
        ("." | "", "") => "body".to_owned(),
        ("." | "", name) => name.to_owned(),
        (path, "") => path.to_owned(),
        (path, name) => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use warren_wire::rest::v1;

    use super::*;

    fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> (u16, String, &'static str) {
        let rejection = parse::<T>(text.as_bytes()).unwrap_err();
        let field = rejection.fields.first();
        let name = field.map(|field| field.field.to_string()).unwrap_or_default();
        (rejection.status.as_u16(), name, field.map_or(rejection.code, |field| field.code))
    }

    #[test]
    fn the_place_of_the_fault_is_named() {
        type Create = v1::CreateNetwork;
        for (text, expected) in [
            (r#"{"name": "#, (400, "", MALFORMED)),
            (r#"{"name": "Office"} x"#, (400, "", MALFORMED)),
            (r#"{"name": "Office", "nmae": 1}"#, (422, "nmae", UNKNOWN_FIELD)),
            (r#"{}"#, (422, "name", MISSING_FIELD)),
            (r#"{"name": 7}"#, (422, "name", TYPE)),
            (r#"{"name": "a", "name": "b"}"#, (422, "name", REPEATED_FIELD)),
            (r#"{"name": "a", "dns_servers": ["10.0.0.1", 7]}"#, (422, "dns_servers[1]", TYPE)),
            (r#"{"name": "a", "tunnel": {"mode": "split", "way": 1}}"#, (422, "tunnel.way", UNKNOWN_FIELD)),
            (r#"{"name": "a", "gateway_id": "west"}"#, (422, "gateway_id", Invalid::Identifier.code())),
            (r#"[]"#, (422, "body", TYPE)),
            (r#""text""#, (422, "body", TYPE)),
        ] {
            let (status, field, code) = refused::<Create>(text);
            assert_eq!((status, field.as_str(), code), expected, "{text}");
        }
    }

    #[test]
    fn a_fingerprint_tells_requests_apart() {
        let key = |path: &'static str, body: &[u8]| {
            let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, "k".parse().unwrap())]);
            format!("{:?}", idempotency(&Method::POST, &Uri::from_static(path), &headers, body).unwrap())
        };
        assert_eq!(key("/a", b"1"), key("/a", b"1"));
        assert_ne!(key("/a", b"1"), key("/a", b"2"));
        assert_ne!(key("/a", b"1"), key("/b", b"1"));
    }
}
