//! The web faces: REST API, pages, live streams, and the link that gateways hold.
//!
//! Invariants
//! - Handlers read a request into the domain's types, call one use case, and write its result; they decide nothing.
//! - Every request passes [`arrival`] first: it has an identifier, a time limit, a bounded body and a place among those worked
//!   on, and a change from another site never reaches a handler.
//! - A refusal is a [`problem::Rejection`] until the outermost layer gives it words; no cause of a failure leaves the process.
//! - Only `warren-wire` types are serialised.

mod admission;
mod api;
mod arrival;
mod attachment;
mod attempts;
mod body;
mod caller;
mod conversions;
pub mod fields;
mod live;
mod local;
pub mod locale;
mod metrics;
mod node;
mod origin;
mod pages;
mod paging;
mod path;
mod precondition;
pub mod problem;
mod request;
mod security;
mod session;
mod state;
mod upload;

use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};

pub use api::{openapi, openapi_json};
pub use attempts::{BURST as FAILED_ATTEMPTS_AT_ONCE_MAX, REFILL as FAILED_ATTEMPT_REFILL};
pub use body::BODY_BYTES_MAX;
pub use local::LocalPeer;
pub use session::COOKIE;
pub use state::{Config, PortalState};

/// Everything that the portal serves to the network. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`:
/// without the peer's address nobody's failed attempts can be told apart.
pub fn router(state: PortalState) -> Router {
    let routes = Router::new()
        .merge(api::router())
        .merge(api::reference::router())
        .merge(node::router())
        .merge(pages::router())
        .merge(health());
    finished(routes, state)
}

/// What the admin socket serves: the API, where the caller is the local user, and the figures. Serve it with
/// `into_make_service_with_connect_info::<LocalPeer>()` on a socket that only its owner can open.
pub fn admin_router(state: PortalState) -> Router {
    let routes = Router::new().merge(api::router()).route("/metrics", get(metrics::show)).merge(health());
    finished(routes, state)
}

/// What the gateway on this host reaches: its link and nothing else. Serve it on a socket that only its owner can open.
pub fn node_router(state: PortalState) -> Router {
    finished(Router::new().merge(node::router()), state)
}

/// `GET /health` says that the process answers, `GET /ready` that it can work.
fn health() -> Router<PortalState> {
    Router::new().route("/health", get(api::health::live)).route("/ready", get(api::health::ready))
}

fn finished(routes: Router<PortalState>, state: PortalState) -> Router {
    routes
        .fallback(arrival::no_such_page)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(state.clone(), arrival::arrive))
        .with_state(state)
}
