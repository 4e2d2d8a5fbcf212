//! Organisations.

use axum::{Json, response::IntoResponse};
use http::{StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::organisations::{self, Membership};
use warren_model::Role;
use warren_wire::rest::v1;

use super::{
    parameters::{ChangeHeaders, CreationHeaders, InOrganisation, PageParameters},
    problems::{Changing, Creating, Finding, Reading},
};
use crate::{
    PortalState,
    body::{Body, Creation},
    caller::Caller,
    conversions::organisations as convert,
    paging::{self, Paging},
    path::Slug,
    precondition::{IfMatch, etag},
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change)).routes(routes!(overview))
}

/// List organisations
///
/// Those that the caller belongs to; operators see all.
#[utoipa::path(
    get, path = "/organisations", operation_id = "listOrganisations", tag = "Organisations",
    params(PageParameters),
    responses((status = 200, description = "A page of organisations.", body = v1::Page<v1::Organisation>), Reading),
)]
async fn list(caller: Caller, Paging(page): Paging) -> Result<Json<v1::Page<v1::Organisation>>, Rejection> {
    let page = organisations::page(&caller, &page).await?;
    Ok(Json(paging::on_the_wire(page, |membership| convert::membership(&membership))))
}

/// Create an organisation
///
/// It gets an empty database of its own. Operators.
#[utoipa::path(
    post, path = "/organisations", operation_id = "createOrganisation", tag = "Organisations",
    params(CreationHeaders), request_body = v1::CreateOrganisation,
    responses(
        (status = 201, description = "Created.", body = v1::Organisation, headers(("ETag" = String), ("Location" = String))),
        Creating,
    ),
)]
async fn create(caller: Caller, creation: Creation<v1::CreateOrganisation>) -> Result<impl IntoResponse, Rejection> {
    let cx = caller.creating(creation.idempotency);
    let organisation = organisations::create(&cx, convert::read_create(&creation.body)?).await?;
    let location = [(header::LOCATION, format!("/api/v1/organisations/{}", organisation.slug))];
    let etag = etag(organisation.revision);
    let body = convert::membership(&Membership { organisation, role: Role::Admin });
    Ok((StatusCode::CREATED, etag, location, Json(body)))
}

/// Show an organisation
#[utoipa::path(
    get, path = "/organisations/{organisation}", operation_id = "showOrganisation", tag = "Organisations",
    params(InOrganisation),
    responses((status = 200, description = "The organisation.", body = v1::Organisation, headers(("ETag" = String))), Finding),
)]
async fn show(caller: Caller, Slug(slug): Slug) -> Result<impl IntoResponse, Rejection> {
    let membership = organisations::show(&caller.enter(&slug).await?);
    Ok((etag(membership.organisation.revision), Json(convert::membership(&membership))))
}

/// Change an organisation
///
/// Admins rename it; operators also suspend and resume it. While it is suspended nobody but operators can work in it and
/// gateways carry nothing for it.
#[utoipa::path(
    patch, path = "/organisations/{organisation}", operation_id = "changeOrganisation", tag = "Organisations",
    params(InOrganisation, ChangeHeaders), request_body = v1::UpdateOrganisation,
    responses((status = 200, description = "As it is now.", body = v1::Organisation, headers(("ETag" = String))), Changing),
)]
async fn change(
    caller: Caller,
    Slug(slug): Slug,
    IfMatch(expected): IfMatch,
    Body(body): Body<v1::UpdateOrganisation>,
) -> Result<impl IntoResponse, Rejection> {
    let change = convert::read_change(&body)?;
    let inside = caller.enter(&slug).await?;
    let organisation = organisations::change(&inside, expected, change).await?;
    let role = inside.insider.role();
    let etag = etag(organisation.revision);
    Ok((etag, Json(convert::membership(&Membership { organisation, role }))))
}

/// Show an organisation in numbers
///
/// Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/overview", operation_id = "showOverview", tag = "Organisations",
    params(InOrganisation),
    responses((status = 200, description = "People, networks and devices.", body = v1::Overview), Finding),
)]
async fn overview(caller: Caller, Slug(slug): Slug) -> Result<Json<v1::Overview>, Rejection> {
    let overview = organisations::overview(&caller.enter(&slug).await?).await?;
    Ok(Json(convert::overview(&overview)))
}
