//! Importing people and devices from a table.

use axum::{Json, response::IntoResponse};
use http::{StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::imports;
use warren_model::{JobId, OrganisationSlug};
use warren_wire::rest::v1;

use super::{parameters::InOrganisation, problems::Creating};
use crate::{
    PortalState, body::Body, caller::Caller, conversions::records as convert, path::Slug, problem::Rejection,
    request::RequestFacts,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(start))
}

/// Import people or devices
///
/// Starts a job on a file that was uploaded; its progress and its result, an `ImportResult`, stand in the job. Lines that say
/// what is there already change nothing, so that a run which was interrupted is simply started again. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/imports", operation_id = "startImport", tag = "Files",
    params(InOrganisation), request_body = v1::StartImport,
    responses(
        (status = 202, description = "Started.", body = v1::StartedJob, headers(("Location" = String))),
        Creating,
    ),
)]
async fn start(
    caller: Caller,
    Slug(slug): Slug,
    facts: RequestFacts,
    Body(body): Body<v1::StartImport>,
) -> Result<impl IntoResponse, Rejection> {
    let inside = caller.enter(&slug).await?;
    let job = imports::start(&inside, convert::read_import(&body, facts.locale.of_files())?).await?;
    Ok(started(&slug, job))
}

/// The answer to whoever started a job: where it is.
pub(super) fn started(slug: &OrganisationSlug, job: JobId) -> impl IntoResponse + use<> {
    let location = [(header::LOCATION, format!("/api/v1/organisations/{slug}/jobs/{job}"))];
    (StatusCode::ACCEPTED, location, Json(convert::started(job)))
}
