//! An organisation's bulk work: imports, and the files that jobs read and write.

mod example;
mod files;
mod import;
mod job;
mod overview;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

use crate::{PortalState, upload::FORM_BYTES_MAX};

pub(super) fn router() -> Router<PortalState> {
    let upload = post(import::upload).layer(DefaultBodyLimit::max(FORM_BYTES_MAX));
    Router::new()
        .route("/o/{organisation}/records", get(overview::show).merge(upload))
        .route("/o/{organisation}/records/imports", post(import::again))
        .route("/o/{organisation}/records/examples/{kind}", get(example::show))
        .route("/o/{organisation}/records/jobs/{job}", get(job::show))
        .route("/o/{organisation}/records/jobs/{job}/cancel", post(job::cancel))
        .route("/o/{organisation}/records/files", get(files::list))
        .route("/o/{organisation}/records/files/{file}", get(files::fetch))
        .route("/o/{organisation}/records/files/{file}/remove", post(files::remove))
}
