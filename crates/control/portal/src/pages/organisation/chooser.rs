//! `/`: straight to the one organisation, or a choice among several.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use warren_app::organisations;

use super::super::{
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown,
};
use crate::{
    paging::{Asked, Paging},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "organisation/chooser.html")]
struct Chooser {
    page: Page,
    organisations: Vec<Entry>,
    pager: Pager,
}

struct Entry {
    slug: String,
    name: String,
    role: &'static str,
}

#[derive(Debug, Deserialize)]
pub(super) struct Query {
    /// To choose although there is only one.
    all: Option<String>,
}

pub(super) async fn show(
    reader: Reader,
    Asked(query): Asked<Query>,
    Paging(request): Paging,
) -> Result<Response, Rejection> {
    let page = organisations::page(&reader, &request).await?;
    let given = CursorGiven::of(&request);
    if let ([only], None, CursorGiven::No, None) = (page.items.as_slice(), &query.all, given, &page.next_cursor) {
        return Ok(Redirect::to(&format!("/o/{}", only.organisation.slug)).into_response());
    }
    let pager = Pager::of(&page, "/", &[], given);
    let organisations = page.items.into_iter().map(|membership| Entry {
        slug: membership.organisation.slug.to_string(),
        name: membership.organisation.name.to_string(),
        role: membership.role.as_str(),
    });
    shown(&Chooser { page: reader.plain_page().await?, organisations: organisations.collect(), pager })
}
