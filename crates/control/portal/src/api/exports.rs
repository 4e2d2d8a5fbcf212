//! Taking things out: exports and reports, each a job that makes files.

use axum::response::IntoResponse;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::{exports, reports};
use warren_wire::rest::v1;

use super::{imports::started, parameters::InOrganisation, problems::Creating};
use crate::{
    PortalState, body::Body, caller::Caller, conversions::records as convert, path::Slug, problem::Rejection,
    request::RequestFacts,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(export)).routes(routes!(report))
}

/// Export everything of an organisation or of a person
///
/// Starts a job that makes a ZIP archive of tables; the job's result, `MadeFiles`, names the file to fetch. The whole
/// organisation: admins. A person: admins, and everybody of themselves.
#[utoipa::path(
    post, path = "/organisations/{organisation}/exports", operation_id = "startExport", tag = "Files",
    params(InOrganisation), request_body = v1::StartExport,
    responses(
        (status = 202, description = "Started.", body = v1::StartedJob, headers(("Location" = String))),
        Creating,
    ),
)]
async fn export(
    caller: Caller,
    Slug(slug): Slug,
    facts: RequestFacts,
    Body(body): Body<v1::StartExport>,
) -> Result<impl IntoResponse, Rejection> {
    let inside = caller.enter(&slug).await?;
    let (person, language) = convert::read_export(&body, facts.locale.of_files())?;
    Ok(started(&slug, exports::start(&inside, person, language).await?))
}

/// Make a report
///
/// Starts a job that makes a table (CSV) and a page that stands alone (HTML); the job's result, `MadeFiles`, names the files to
/// fetch. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/reports", operation_id = "startReport", tag = "Files",
    params(InOrganisation), request_body = v1::StartReport,
    responses(
        (status = 202, description = "Started.", body = v1::StartedJob, headers(("Location" = String))),
        Creating,
    ),
)]
async fn report(
    caller: Caller,
    Slug(slug): Slug,
    facts: RequestFacts,
    Body(body): Body<v1::StartReport>,
) -> Result<impl IntoResponse, Rejection> {
    let inside = caller.enter(&slug).await?;
    let (kind, request) = convert::read_report(&body, facts.locale.of_files())?;
    Ok(started(&slug, reports::start(&inside, kind, &request).await?))
}
