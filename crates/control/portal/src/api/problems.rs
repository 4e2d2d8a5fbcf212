//! The refusals that operations share, described once in the API's document.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};
use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, header::HeaderBuilder, schema::Object},
};

/// One refusal: its name in the document, its status, an example's problem, and when it comes.
struct Refusal {
    name: &'static str,
    status: StatusCode,
    example: &'static str,
    title: &'static str,
    when: &'static str,
}

macro_rules! refusals {
    ($($name:ident $status:ident $example:literal $title:literal: $when:literal),+ $(,)?) => {
        const REFUSALS: &[Refusal] = &[$(Refusal {
            name: stringify!($name),
            status: StatusCode::$status,
            example: $example,
            title: $title,
            when: $when,
        }),+];
    };
}

refusals!(
    Malformed BAD_REQUEST "malformed" "The body is not JSON": "The body is not JSON.",
    NotSignedIn UNAUTHORIZED "not-signed-in" "You are not signed in": "No session, one that has ended, or a password that is wrong.",
    Forbidden FORBIDDEN "forbidden" "You may not do this":
        "The caller sees the thing but may not do this, the organisation is suspended, or the request came from another site.",
    NotFound NOT_FOUND "not-found" "There is no such thing":
        "There is no such thing, or none that the caller may see. Other organisations' things are never told apart from missing ones.",
    Conflict CONFLICT "conflict" "This contradicts what is there": "The change contradicts what is there; the detail says how.",
    LinkSpent GONE "link-spent" "The link no longer works": "The one-time link was used, replaced, or has expired.",
    Broken REQUEST_TIMEOUT "upload-broken" "The file did not arrive whole": "Nothing of a file came for 15 seconds, or it broke off.",
    Stale PRECONDITION_FAILED "stale" "Somebody else changed this first":
        "The thing was changed since it was read: `If-Match` names another revision.",
    TooLarge PAYLOAD_TOO_LARGE "too-large" "The body is too large": "The body is larger than 64 KiB, or a file larger than 256 MiB.",
    MediaType UNSUPPORTED_MEDIA_TYPE "media-type" "The body is of another kind": "The body is not `application/json`.",
    Invalid UNPROCESSABLE_ENTITY "invalid" "Some values cannot be used":
        "Values that cannot be used, all of them named in `errors`; or an idempotency key that was used for another request.",
    PreconditionMissing PRECONDITION_REQUIRED "precondition-missing" "If-Match is missing":
        "A change says which revision it is based on: `If-Match` is missing.",
    TooManyAttempts TOO_MANY_REQUESTS "too-many-attempts" "Too many failed attempts":
        "Too many attempts from this address have failed; `Retry-After` says how long to wait.",
    Failed INTERNAL_SERVER_ERROR "internal" "Something went wrong here": "A fault of the server's; the operator finds it by the request's identifier.",
    Busy SERVICE_UNAVAILABLE "busy" "Too much at once": "More work than can be done now; `Retry-After` says how long to wait.",
);

/// The refusals as components of the document, by name.
pub(super) fn components() -> impl Iterator<Item = (String, Response)> {
    REFUSALS.iter().map(|refusal| (refusal.name.to_owned(), refusal.describe()))
}

impl Refusal {
    fn describe(&self) -> Response {
        let content =
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(Some(self.example())).build();
        let mut response = ResponseBuilder::new().description(self.when).content("application/problem+json", content);
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let seconds = HeaderBuilder::new().schema(Some(Object::with_type(utoipa::openapi::Type::Integer)));
            response = response.header("Retry-After", seconds.description(Some("Seconds to wait.")).build());
        }
        response.build()
    }

    fn example(&self) -> Value {
        let mut example = json!({
            "type": format!("urn:warren:problem:{}", self.example),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.when,
            "request_id": "0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01",
        });
        if self.status == StatusCode::UNPROCESSABLE_ENTITY {
            example["errors"] = json!([{
                "field": "ipv4_prefix",
                "code": "invalid-host-bits",
                "message": "has bits set to the right of its length; did you mean 10.20.0.0/24?",
            }]);
        }
        example
    }
}

macro_rules! sets {
    ($($(#[$doc:meta])* $set:ident = [$($status:literal),+]),+ $(,)?) => {$(
        $(#[$doc])*
        pub(super) struct $set;
        impl IntoResponses for $set {
            fn responses() -> BTreeMap<String, RefOr<Response>> { references(&[$($status),+]) }
        }
    )+};
}

sets!(
    /// Reading what is the caller's own.
    Reading = [401, 403, 422, 500, 503],
    /// Reading one thing, or a list inside an organisation.
    Finding = [401, 403, 404, 422, 500, 503],
    /// Making something.
    Creating = [400, 401, 403, 404, 409, 413, 415, 422, 500, 503],
    /// Sending a file.
    Uploading = [401, 403, 404, 408, 413, 422, 500, 503],
    /// Changing something.
    Changing = [400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 500, 503],
    /// Removing something, or another change without a body.
    Removing = [401, 403, 404, 409, 412, 422, 428, 500, 503],
    /// Doing something to one thing, without a body.
    Acting = [401, 403, 404, 409, 422, 500, 503],
    /// Proving who one is.
    Proving = [400, 401, 403, 409, 410, 413, 415, 422, 429, 500, 503],
);

fn references(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let named = REFUSALS.iter().filter(|refusal| statuses.contains(&refusal.status.as_u16()));
    named.map(|refusal| (refusal.status.as_str().to_owned(), Ref::from_response_name(refusal.name).into())).collect()
}
