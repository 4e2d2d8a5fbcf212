//! An organisation as a whole: the way to it, its overview, its activity, its jobs, its settings.

pub(super) mod activity;
mod chooser;
mod job;
mod overview;
mod settings;

use axum::{
    Router,
    routing::{get, post},
};

use crate::PortalState;

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/", get(chooser::show))
        .route("/o/{organisation}", get(overview::show))
        .route("/o/{organisation}/activity", get(activity::show))
        .route("/o/{organisation}/jobs/{job}", get(job::show))
        .route("/o/{organisation}/jobs/{job}/cancel", post(job::cancel))
        .route("/o/{organisation}/settings", get(settings::show).post(settings::submit))
}
