//! Gateways. Operators.

use axum::{Json, response::IntoResponse};
use http::{StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::gateways;
use warren_model::GatewayId;
use warren_wire::rest::v1;

use super::{
    parameters::{ChangeHeaders, CreationHeaders, OneGateway, PageParameters},
    problems::{Changing, Creating, Finding, Reading, Removing},
};
use crate::{
    PortalState,
    body::{Body, Creation},
    caller::Caller,
    conversions::gateways as convert,
    paging::{self, Paging},
    path::Id,
    precondition::{IfMatch, etag},
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(renew_join_token))
}

/// List gateways
///
/// Operators.
#[utoipa::path(
    get, path = "/gateways", operation_id = "listGateways", tag = "Gateways",
    params(PageParameters),
    responses((status = 200, description = "A page of gateways.", body = v1::Page<v1::Gateway>), Reading),
)]
async fn list(caller: Caller, Paging(page): Paging) -> Result<Json<v1::Page<v1::Gateway>>, Rejection> {
    let page = gateways::page(&caller, &page).await?;
    Ok(Json(paging::on_the_wire(page, |view| convert::gateway(&view))))
}

/// Create a gateway
///
/// The answer holds the token by which its host enrols, this once; a request that is sent again gets 409, and a new token can be
/// made. Operators.
#[utoipa::path(
    post, path = "/gateways", operation_id = "createGateway", tag = "Gateways",
    params(CreationHeaders), request_body = v1::CreateGateway,
    responses(
        (status = 201, description = "Created.", body = v1::CreatedGateway, headers(("ETag" = String), ("Location" = String))),
        Creating,
    ),
)]
async fn create(caller: Caller, creation: Creation<v1::CreateGateway>) -> Result<impl IntoResponse, Rejection> {
    let cx = caller.creating(creation.idempotency);
    let (view, join) = gateways::create(&cx, convert::read_create(&creation.body)?).await?;
    let location = [(header::LOCATION, format!("/api/v1/gateways/{}", view.gateway.id))];
    let body = v1::CreatedGateway { gateway: convert::gateway(&view), join: convert::join(&join) };
    Ok((StatusCode::CREATED, etag(view.gateway.revision), location, Json(body)))
}

/// Show a gateway
///
/// Operators.
#[utoipa::path(
    get, path = "/gateways/{gateway}", operation_id = "showGateway", tag = "Gateways",
    params(OneGateway),
    responses((status = 200, description = "The gateway.", body = v1::Gateway, headers(("ETag" = String))), Finding),
)]
async fn show(caller: Caller, Id(id): Id<GatewayId>) -> Result<impl IntoResponse, Rejection> {
    let view = gateways::show(&caller, id).await?;
    Ok((etag(view.gateway.revision), Json(convert::gateway(&view))))
}

/// Change a gateway
///
/// Configurations that were handed out name the endpoint that was true then. Operators.
#[utoipa::path(
    patch, path = "/gateways/{gateway}", operation_id = "changeGateway", tag = "Gateways",
    params(OneGateway, ChangeHeaders), request_body = v1::UpdateGateway,
    responses((status = 200, description = "As it is now.", body = v1::Gateway, headers(("ETag" = String))), Changing),
)]
async fn change(
    caller: Caller,
    Id(id): Id<GatewayId>,
    IfMatch(expected): IfMatch,
    Body(body): Body<v1::UpdateGateway>,
) -> Result<impl IntoResponse, Rejection> {
    let view = gateways::change(&caller, id, expected, convert::read_change(&body)?).await?;
    Ok((etag(view.gateway.revision), Json(convert::gateway(&view))))
}

/// Remove a gateway
///
/// Only while no network uses it. Operators.
#[utoipa::path(
    delete, path = "/gateways/{gateway}", operation_id = "removeGateway", tag = "Gateways",
    params(OneGateway, ChangeHeaders),
    responses((status = 204, description = "Removed."), Removing),
)]
async fn remove(caller: Caller, Id(id): Id<GatewayId>, IfMatch(expected): IfMatch) -> Result<StatusCode, Rejection> {
    gateways::remove(&caller, id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Renew a gateway's join token
///
/// Lets a host become the gateway, once; the earlier token and credential stop working. Operators.
#[utoipa::path(
    post, path = "/gateways/{gateway}/join-token", operation_id = "renewJoinToken", tag = "Gateways",
    params(OneGateway),
    responses((status = 201, description = "The new token, shown this once.", body = v1::JoinToken), Creating),
)]
async fn renew_join_token(caller: Caller, Id(id): Id<GatewayId>) -> Result<impl IntoResponse, Rejection> {
    let join = gateways::renew_join(&caller, id).await?;
    Ok((StatusCode::CREATED, Json(convert::join(&join))))
}
