//! `/o/{organisation}/jobs/{job}`: how far a job of the organisation is, for its admins and for who asked for it.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::jobs::manage;
use warren_model::{JobId, Timestamp};

use super::super::{job::JobBar, page::Page, reader::Reader, shown};
use crate::{
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "organisation/job.html")]
struct Shown {
    page: Page,
    job: JobBar,
    id: JobId,
    queue: &'static str,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
    error: Option<String>,
    request: Option<String>,
    can_cancel: bool,
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<JobId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let stored = manage::show_own(&inside, id).await?;
    shown(&Shown {
        page: reader.page(&inside, "overview").await?,
        job: JobBar::of_organisation(&slug, &stored),
        id,
        queue: stored.queue.as_str(),
        created_at: stored.created_at,
        finished_at: stored.finished_at,
        can_cancel: !stored.state.is_ended() && stored.stop_asked_at.is_none(),
        request: stored.request.map(|request| request.to_string()),
        error: stored.error,
    })
}

pub(super) async fn cancel(reader: Reader, Slug(slug): Slug, Id(id): Id<JobId>) -> Result<Response, Rejection> {
    manage::cancel_own(&reader.enter(&slug).await?, id).await?;
    Ok(Redirect::to(&format!("/o/{slug}/jobs/{id}")).into_response())
}
