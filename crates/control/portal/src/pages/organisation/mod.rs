//! An organisation as a whole: the way to it, its overview, its activity, its settings.

pub(super) mod activity;
mod chooser;
mod overview;
mod settings;

use axum::{Router, routing::get};

use crate::PortalState;

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/", get(chooser::show))
        .route("/o/{organisation}", get(overview::show))
        .route("/o/{organisation}/activity", get(activity::show))
        .route("/o/{organisation}/settings", get(settings::show).post(settings::submit))
}
