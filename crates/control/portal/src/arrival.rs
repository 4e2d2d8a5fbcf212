//! The outermost layer: every request passes here first, and every answer last.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tracing::Instrument;

use crate::{
    PortalState, admission, origin, pages,
    problem::{METHOD, Rejection, TIME_LIMIT},
    request::RequestFacts,
    security, upload,
};

/// How long a request may take until its answer begins. Live streams and gateway links begin at once and then stay.
pub const TIME_LIMIT_SECONDS: u64 = 15;
/// How long an upload may take, on the routes of [`upload::ROUTES`]; it is given up sooner when nothing comes.
pub const UPLOAD_TIME_LIMIT_SECONDS: u64 = 900;
/// How long a request that was turned away should wait.
const TURNED_AWAY_WAIT: Duration = Duration::from_secs(1);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its facts and limits, and the answer its form, headers, figures and log line.
pub(crate) async fn arrive(State(state): State<PortalState>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let facts = RequestFacts::of(&request, &state);
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let face = Face::of(request.uri().path());
    let span = tracing::info_span!("request", request_id = %facts.id, %method, route, account = tracing::field::Empty);
    request.extensions_mut().insert(facts.clone());

    let limit_seconds = if method == Method::POST && upload::ROUTES.contains(&route.as_str()) {
        UPLOAD_TIME_LIMIT_SECONDS
    } else {
        TIME_LIMIT_SECONDS
    };
    let work = async {
        let answer =
            bounded(&state, request, next, (&facts, limit_seconds)).await.unwrap_or_else(Rejection::into_response);
        let mut answer = dressed(answer, face, &state, &facts);
        let headers = answer.headers_mut();
        headers.insert(REQUEST_ID, HeaderValue::from_str(&facts.id.to_string()).expect("a UUID is a header value"));
        security::add_headers(headers, &state);
        let (status, took) = (answer.status().as_u16(), began.elapsed());
        state.metrics().answered(&method, &route, status, took);
        state.metrics().at_once_max.set(state.admission().now().0.into());
        if !is_a_probe(&route) {
            state.app().metrics().request_took(took);
        }
        log(&route, status, took);
        answer
    };
    work.instrument(span).await
}

/// Runs the handlers within the portal's limits.
async fn bounded(
    state: &PortalState,
    request: Request,
    next: Next,
    (facts, limit_seconds): (&RequestFacts, u64),
) -> Result<Response, Rejection> {
    let priority = admission::priority_of(request.method(), request.uri().path());
    let Some(_place) = state.admission().enter(priority, request.method(), request.headers()) else {
        state.metrics().turned_away.inc();
        return Err(Rejection::busy(TURNED_AWAY_WAIT));
    };
    if facts.local_user.is_none() {
        origin::check(request.method(), request.headers(), state.origin())?;
    }
    let limit = Duration::from_secs(limit_seconds);
    match tokio::time::timeout(limit, AssertUnwindSafe(next.run(request)).catch_unwind()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(panic)) => {
            state.metrics().panics.inc();
            tracing::error!(cause = message_of(panic.as_ref()), "a request panicked");
            Err(Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, "problem-internal"))
        }
        Err(_) => {
            tracing::warn!("a request took too long");
            let rejection = Rejection::new(StatusCode::SERVICE_UNAVAILABLE, TIME_LIMIT);
            Err(rejection.with("limit", limit_seconds).retry_after(limit))
        }
    }
}

/// For whom an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Program,
    Person,
}

impl Face {
    fn of(path: &str) -> Self {
        let is_under =
            |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let programs = ["/api", "/node", "/health", "/ready", "/metrics"];
        if programs.into_iter().any(is_under) { Self::Program } else { Self::Person }
    }
}

/// Turns a refusal into what its reader understands.
fn dressed(mut answer: Response, face: Face, state: &PortalState, facts: &RequestFacts) -> Response {
    let rejection = match answer.extensions_mut().remove::<Rejection>() {
        Some(rejection) => rejection,
        // The router's own refusal, which has no body.
        None if answer.status() == StatusCode::METHOD_NOT_ALLOWED => {
            let mut rejection = Rejection::new(StatusCode::METHOD_NOT_ALLOWED, METHOD);
            rejection
                .headers
                .extend(answer.headers().get(http::header::ALLOW).map(|v| (http::header::ALLOW, v.clone())));
            rejection
        }
        None => return answer,
    };
    let status = rejection.status;
    let mut dressed = match face {
        Face::Program => rejection.into_problem_details(facts.id, &facts.locale),
        Face::Person => pages::rejection::show(state, facts, rejection),
    };
    // A refusal may come with headers of its own, such as a cookie that is taken back.
    for (name, value) in answer.headers() {
        if name == http::header::SET_COOKIE || name == http::header::CONNECTION {
            dressed.headers_mut().append(name, value.clone());
        }
    }
    tracing::debug!(status = status.as_u16(), "refused");
    dressed
}

fn log(route: &str, status: u16, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    // What machines ask for every few seconds would bury the rest.
    if is_a_probe(route) {
        tracing::debug!(status, took_ms, "answered");
    } else {
        tracing::info!(status, took_ms, "answered");
    }
}

/// What machines ask for all the time.
fn is_a_probe(route: &str) -> bool {
    matches!(route, "/health" | "/ready" | "/metrics") || route.starts_with("/assets")
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// The fallback for addresses that nothing serves.
pub(crate) async fn no_such_page(_: Method) -> Rejection {
    Rejection::no_such_page()
}
