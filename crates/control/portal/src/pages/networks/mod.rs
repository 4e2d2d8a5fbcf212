//! The networks of an organisation.

mod edit;
mod remove;

use askama::Template;
use axum::{Router, response::Response, routing::get};
use warren_app::networks;
use warren_model::NetworkId;

use super::{
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown,
    views::Network,
};
use crate::{
    PortalState,
    paging::Paging,
    path::{Id, Slug},
    problem::Rejection,
};

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/o/{organisation}/networks", get(list))
        .route("/o/{organisation}/networks/new", get(edit::show_new).post(edit::submit_new))
        .route("/o/{organisation}/networks/{network}", get(show))
        .route("/o/{organisation}/networks/{network}/edit", get(edit::show).post(edit::submit))
        .route("/o/{organisation}/networks/{network}/remove", get(remove::show).post(remove::submit))
}

#[derive(Template)]
#[template(path = "networks/list.html")]
struct List {
    page: Page,
    networks: Vec<Network>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "networks/show.html")]
struct Shown {
    page: Page,
    network: Network,
}

async fn list(reader: Reader, Slug(slug): Slug, Paging(request): Paging) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let found = networks::page(&inside, &request).await?;
    shown(&List {
        page: reader.page(&inside, "networks").await?,
        pager: Pager::of(&found, &format!("/o/{slug}/networks"), &[], CursorGiven::of(&request)),
        networks: found.items.iter().map(Network::from).collect(),
    })
}

async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<NetworkId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let network = Network::from(&networks::show(&inside, id).await?);
    shown(&Shown { page: reader.page(&inside, "networks").await?, network })
}
