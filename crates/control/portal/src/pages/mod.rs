//! The pages that people see: server-rendered, complete without scripts, every word from the catalogues.
//!
//! A form is sent by POST and answered with 303, so that loading again sends nothing. A refused form is shown again with its
//! values and what was wrong; an answer that holds a secret is shown at once, because it is kept nowhere to be shown later.

mod assets;
#[cfg(test)]
mod catalogue_tests;
mod confirm;
mod devices;
mod door;
mod form;
mod job;
mod markup;
mod networks;
mod operator;
mod organisation;
mod page;
mod pager;
mod people;
mod reader;
mod records;
pub(crate) mod rejection;
mod views;
mod webhooks;

use askama::Template;
use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};

use crate::{PortalState, problem::Rejection, security};

/// Every page, and what pages are made of.
pub(crate) fn router() -> Router<PortalState> {
    Router::new()
        .route("/assets/{version}/{*path}", get(assets::serve))
        .route("/favicon.ico", get(assets::favicon))
        .merge(door::router())
        .merge(organisation::router())
        .merge(devices::router())
        .merge(networks::router())
        .merge(people::router())
        .merge(webhooks::router())
        .merge(records::router())
        .merge(operator::router())
}

/// A page.
fn shown(template: &impl Template) -> Result<Response, Rejection> {
    shown_as(StatusCode::OK, template)
}

/// A page that shows another of ours within itself.
fn shown_with_frames(template: &impl Template) -> Result<Response, Rejection> {
    let mut response = shown(template)?;
    let policy = HeaderValue::from_static(security::FRAMING_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// A page with a status of its own.
fn shown_as(status: StatusCode, template: &impl Template) -> Result<Response, Rejection> {
    let text = template.render().map_err(|cause| {
        tracing::error!(%cause, "a page could not be rendered");
        Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, "problem-internal")
    })?;
    let mut response = (status, Html(text)).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    Ok(response)
}
