//! The one place where a refusal or failure becomes HTTP.
//!
//! A handler gives back a [`Rejection`]. It travels as an extension of a response that has only a status; the outermost
//! layer, which knows the request's identifier and language, turns it into problem details (RFC 9457) or, for people, a page.

use std::{borrow::Cow, error::Error, time::Duration};

use axum::{
    Json,
    extract::rejection::BytesRejection,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use warren_app::{AppError, FieldError, Thing};
use warren_model::{Invalid, RequestId};
use warren_wire::rest::v1;

use crate::{body::BODY_BYTES_MAX, locale::Locale};

/// Why a request was refused or failed, in codes that a catalogue turns into words.
#[derive(Debug, Clone)]
pub struct Rejection {
    pub status: StatusCode,
    /// The catalogue has `{code}-title`, and `{code}-detail` unless [`Rejection::detail`] says otherwise.
    pub code: &'static str,
    /// The catalogue key of the sentence that says what was wrong this time.
    pub detail: Cow<'static, str>,
    /// What the sentences speak of. Values that begin with `thing-` are catalogue keys themselves.
    pub arguments: Vec<(&'static str, String)>,
    pub fields: Vec<FieldRefusal>,
    /// Headers that belong to the answer: `Retry-After`, `WWW-Authenticate`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// A field that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRefusal {
    pub field: Cow<'static, str>,
    /// The catalogue key of the rule that was broken.
    pub code: &'static str,
    pub arguments: Vec<(&'static str, String)>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        $($(#[$doc])* pub const $name: &str = $text;)+
        /// Every problem that the portal itself adds to [`AppError::CODES`], for the catalogues' completeness test.
        pub const CODES: &[&str] = &[$($name),+];
    };
}

codes!(
    /// The body is not JSON; `line`, `column`.
    MALFORMED = "problem-malformed",
    /// The body is too large; `max` in KiB.
    TOO_LARGE = "problem-too-large",
    /// A file is too large; `max` in MiB.
    FILE_TOO_LARGE = "problem-file-too-large",
    /// A file stopped coming before its end; `seconds`.
    UPLOAD_BROKEN = "problem-upload-broken",
    /// The body is not what the endpoint reads; `expected`.
    MEDIA_TYPE = "problem-media-type",
    /// The request came from another site.
    CROSS_ORIGIN = "problem-cross-origin",
    /// Too many failed attempts; `seconds`.
    TOO_MANY_ATTEMPTS = "problem-too-many-attempts",
    /// The request took too long; `seconds`.
    TIME_LIMIT = "problem-time-limit",
    /// A change without `If-Match`.
    PRECONDITION_MISSING = "problem-precondition-missing",
    /// The address does not take this method.
    METHOD = "problem-method",
    /// A gateway's credential or token is missing or not known.
    CREDENTIAL = "problem-credential",
    /// The address speaks WebSocket.
    UPGRADE = "problem-upgrade",
);

/// The rules of fields that the portal itself adds to [`Invalid::code`], for the catalogues' completeness test.
pub const FIELD_CODES: &[&str] = &[UNKNOWN_FIELD, MISSING_FIELD, REPEATED_FIELD, TYPE];
/// A field that the API does not know.
pub const UNKNOWN_FIELD: &str = "invalid-unknown-field";
/// A field that is needed and absent.
pub const MISSING_FIELD: &str = "invalid-missing-field";
/// A field that stands twice in one object.
pub const REPEATED_FIELD: &str = "invalid-repeated-field";
/// A value of another type; `expected`.
pub const TYPE: &str = "invalid-type";

impl Rejection {
    /// A refusal of the portal itself, by one of [`CODES`].
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            detail: format!("{code}-detail").into(),
            arguments: Vec::new(),
            fields: Vec::new(),
            headers: Vec::new(),
        }
    }
    /// With a value that its sentences speak of.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }
    /// With a header of its own.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
    /// To be tried again after `wait`, rounded up to whole seconds.
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        let value = HeaderValue::from_str(&seconds.to_string()).expect("digits are a header value");
        self.with("seconds", seconds).with_header(header::RETRY_AFTER, value)
    }
    /// Fields that were refused before any use case saw them.
    pub fn of_fields(fields: Vec<FieldRefusal>) -> Self {
        Self { fields, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "problem-invalid") }
    }
    /// There is no such address.
    pub fn no_such_page() -> Self {
        AppError::NotFound(Thing::Page).into()
    }
    /// More than can be done now.
    pub fn busy(wait: Duration) -> Self {
        AppError::Busy { retry_after: wait }.into()
    }

    /// The kind of problem in a few words.
    pub fn title(&self, locale: &Locale) -> String {
        locale.text(&format!("{}-title", self.code), &self.translated_arguments(locale))
    }
    /// What was wrong this time and what to do about it.
    pub fn detail(&self, locale: &Locale) -> String {
        locale.text(&self.detail, &self.translated_arguments(locale))
    }

    fn translated_arguments(&self, locale: &Locale) -> Vec<(&'static str, String)> {
        let translate =
            |value: &String| if value.starts_with("thing-") { locale.text(value, &[]) } else { value.clone() };
        self.arguments.iter().map(|(name, value)| (*name, translate(value))).collect()
    }

    /// The answer for programs: `application/problem+json`.
    pub fn into_problem_details(self, request: RequestId, locale: &Locale) -> Response {
        let problem = v1::Problem {
            kind: format!("urn:warren:problem:{}", self.code.trim_start_matches("problem-")),
            title: self.title(locale),
            status: self.status.as_u16(),
            detail: self.detail(locale),
            request_id: request.to_string(),
            errors: self.fields.iter().map(|field| field.on_the_wire(locale)).collect(),
        };
        let mut response = (self.status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers);
        response
    }
}

impl FieldRefusal {
    /// The rule in the reader's language.
    pub fn message(&self, locale: &Locale) -> String {
        locale.text(self.code, &self.arguments)
    }
    fn on_the_wire(&self, locale: &Locale) -> v1::FieldProblem {
        v1::FieldProblem { field: self.field.to_string(), code: self.code.to_owned(), message: self.message(locale) }
    }
}

impl From<FieldError> for FieldRefusal {
    fn from(error: FieldError) -> Self {
        Self { field: error.field, code: error.invalid.code(), arguments: error.invalid.arguments() }
    }
}

impl From<(&'static str, Invalid)> for Rejection {
    fn from((field, invalid): (&'static str, Invalid)) -> Self {
        AppError::field(field, invalid).into()
    }
}

impl From<AppError> for Rejection {
    fn from(error: AppError) -> Self {
        let rejection = Self::new(status_of(&error), error.code());
        match error {
            AppError::Invalid(fields) => {
                Self { fields: fields.into_iter().map(FieldRefusal::from).collect(), ..rejection }
            }
            AppError::Unusable(problem) => {
                Self { detail: problem.code().into(), arguments: problem.arguments(), ..rejection }
            }
            AppError::NotFound(thing) => rejection.with("thing", thing.code()),
            AppError::Contradiction(contradiction) => {
                Self { detail: contradiction.code().into(), arguments: contradiction.arguments(), ..rejection }
            }
            AppError::Busy { retry_after } => rejection.retry_after(retry_after),
            AppError::Unavailable(cause) => {
                tracing::error!(cause = %chain(&cause), "the database cannot be used");
                rejection.retry_after(UNAVAILABLE_RETRY_AFTER)
            }
            AppError::Internal(cause) => {
                tracing::error!(cause = %chain(cause.as_ref()), "a request failed");
                rejection
            }
            AppError::NotSignedIn => rejection.with_header(header::WWW_AUTHENTICATE, SESSION_CHALLENGE),
            AppError::SignInRefused => rejection.with_header(header::WWW_AUTHENTICATE, SESSION_CHALLENGE),
            _ => rejection,
        }
    }
}

impl From<BytesRejection> for Rejection {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE).with("max", BODY_BYTES_MAX / 1024);
        }
        // The sender stopped in the middle of the body.
        Self::new(StatusCode::BAD_REQUEST, MALFORMED).with("line", 1).with("column", 1)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// How long to wait before a database that cannot be used is tried again.
const UNAVAILABLE_RETRY_AFTER: Duration = Duration::from_secs(5);
/// RFC 9110 section 11.6.1 asks for a challenge; browsers pass over schemes that they do not know.
const SESSION_CHALLENGE: HeaderValue = HeaderValue::from_static("Session realm=\"warren\"");

/// The status of each refusal.
const fn status_of(error: &AppError) -> StatusCode {
    match error {
        AppError::Invalid(_) | AppError::Unusable(_) | AppError::IdempotencyMismatch => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        AppError::NotSignedIn | AppError::SignInRefused => StatusCode::UNAUTHORIZED,
        AppError::Forbidden | AppError::Suspended => StatusCode::FORBIDDEN,
        AppError::NotFound(_) => StatusCode::NOT_FOUND,
        AppError::Contradiction(_) | AppError::SecretGone => StatusCode::CONFLICT,
        AppError::Stale => StatusCode::PRECONDITION_FAILED,
        AppError::LinkSpent => StatusCode::GONE,
        AppError::Busy { .. } | AppError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// An error and everything beneath it on one line.
fn chain(error: &dyn Error) -> String {
    let mut lines = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        lines.push(cause.to_string());
        next = cause.source();
    }
    // `#[error(transparent)]` and `{0}` repeat the same sentence.
    lines.dedup();
    lines.join(": ")
}
