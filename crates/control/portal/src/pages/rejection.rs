//! A refusal as a page that says what happened and what to do.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::{page::Page, shown_as};
use crate::{PortalState, problem::Rejection, request::RequestFacts};

/// Words and one way on.
#[derive(Template)]
#[template(path = "door/words.html")]
pub(super) struct Words {
    pub(super) page: Page,
    pub(super) status: Option<u16>,
    pub(super) heading: String,
    pub(super) detail: String,
    pub(super) fields: Vec<String>,
    /// Where to go from here, and the catalogue key of what that is called.
    pub(super) way: (&'static str, &'static str),
}

/// The page of a refusal.
pub(crate) fn show(_: &PortalState, facts: &RequestFacts, rejection: Rejection) -> Response {
    let locale = facts.locale;
    let signed_out = rejection.status == StatusCode::UNAUTHORIZED;
    let words = Words {
        page: Page::door(facts, "/"),
        status: Some(rejection.status.as_u16()),
        heading: rejection.title(&locale),
        detail: rejection.detail(&locale),
        fields: rejection.fields.iter().map(|field| field.message(&locale)).collect(),
        way: if signed_out { ("/sign-in", "error-sign-in") } else { ("/", "error-home") },
    };
    let mut response = match shown_as(rejection.status, &words) {
        Ok(response) => response,
        Err(rejection) => rejection.status.into_response(),
    };
    response.headers_mut().extend(rejection.headers);
    response
}
