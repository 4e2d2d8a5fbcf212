//! The people of an organisation.

mod invite;
mod remove;
mod show;

use askama::Template;
use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use warren_app::people;

use super::{
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown,
    views::Member,
};
use crate::{PortalState, paging::Paging, path::Slug, problem::Rejection};

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/o/{organisation}/people", get(list))
        .route("/o/{organisation}/people/new", get(invite::show).post(invite::submit))
        .route("/o/{organisation}/people/{person}", get(show::show).post(show::submit))
        .route("/o/{organisation}/people/{person}/invitation", post(invite::renew))
        .route("/o/{organisation}/people/{person}/remove", get(remove::show).post(remove::submit))
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct List {
    page: Page,
    people: Vec<Member>,
    pager: Pager,
}

async fn list(reader: Reader, Slug(slug): Slug, Paging(request): Paging) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let found = people::page(&inside, &request).await?;
    shown(&List {
        page: reader.page(&inside, "people").await?,
        pager: Pager::of(&found, &format!("/o/{slug}/people"), &[], CursorGiven::of(&request)),
        people: found.items.iter().map(Member::from).collect(),
    })
}
