//! The operator's pages: the installation, its organisations and its gateways.

mod database;
mod dependencies;
mod gateways;
mod jobs;
mod join;
mod mail;
mod organisations;
mod owner;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use warren_app::{
    activity,
    installation::{self, Status},
};
use warren_model::Timestamp;

use super::{
    organisation::activity::{Diary, in_words},
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown,
};
use crate::{PortalState, paging::Paging, problem::Rejection};

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/operator", get(show))
        .route("/operator/database", get(database::show))
        .route("/operator/activity", get(show_activity))
        .route("/operator/organisations", get(organisations::list))
        .route("/operator/organisations/new", get(organisations::show_new).post(organisations::submit_new))
        .route("/operator/organisations/{organisation}", get(organisations::show).post(organisations::submit))
        .route("/operator/organisations/{organisation}/state", post(organisations::submit_state))
        .route("/operator/gateways", get(gateways::list))
        .route("/operator/gateways/new", get(join::show_new).post(join::submit_new))
        .route("/operator/gateways/{gateway}", get(gateways::show).post(gateways::submit))
        .route("/operator/gateways/{gateway}/join-token", post(join::renew))
        .route("/operator/gateways/{gateway}/remove", get(gateways::ask_removal).post(gateways::submit_removal))
        .merge(jobs::router())
        .merge(mail::router())
        .merge(dependencies::router())
}

#[derive(Template)]
#[template(path = "operator/status.html")]
struct Shown {
    page: Page,
    notices: Vec<String>,
    status: Status,
    public_url: String,
    version: &'static str,
    started_at: Timestamp,
}

async fn show(State(state): State<PortalState>, reader: Reader) -> Result<Response, Rejection> {
    let page = reader.operator_page("status").await?;
    let status = installation::status(&reader).await?;
    shown(&Shown {
        page,
        notices: status.notices.clone(),
        public_url: state.app().public_url().to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: state.app().clock().now() - status.uptime,
        status,
    })
}

async fn show_activity(reader: Reader, Paging(request): Paging) -> Result<Response, Rejection> {
    let page = reader.operator_page("activity").await?;
    let found = activity::system_page(&reader, &request).await?;
    shown(&Diary {
        page,
        pager: Pager::of(&found, "/operator/activity", &[], CursorGiven::of(&request)),
        entries: found.items.iter().map(|entry| in_words(entry, &reader.facts.locale)).collect(),
        filtered: false,
        actions: Vec::new(),
        actors: Vec::new(),
    })
}
