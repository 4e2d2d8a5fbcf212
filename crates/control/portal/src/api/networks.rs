//! Networks.

use axum::{Json, response::IntoResponse};
use http::{StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::{gateways, networks};
use warren_model::NetworkId;
use warren_wire::rest::v1;

use super::{
    parameters::{ChangeHeaders, CreationHeaders, InOrganisation, OneNetwork, PageParameters},
    problems::{Changing, Creating, Finding, Removing},
};
use crate::{
    PortalState,
    body::{Body, Creation},
    caller::Caller,
    conversions::{gateways::choice, networks as convert},
    paging::{self, Paging},
    path::{Id, Slug},
    precondition::{IfMatch, etag},
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(suggest))
        .routes(routes!(show, change, remove))
        .routes(routes!(list_gateways))
}

/// List networks
#[utoipa::path(
    get, path = "/organisations/{organisation}/networks", operation_id = "listNetworks", tag = "Networks",
    params(InOrganisation, PageParameters),
    responses((status = 200, description = "A page of networks.", body = v1::Page<v1::Network>), Finding),
)]
async fn list(
    caller: Caller,
    Slug(slug): Slug,
    Paging(page): Paging,
) -> Result<Json<v1::Page<v1::Network>>, Rejection> {
    let page = networks::page(&caller.enter(&slug).await?, &page).await?;
    Ok(Json(paging::on_the_wire(page, |view| convert::network(&view))))
}

/// Create a network
///
/// Its prefixes may not overlap those of the organisation's other networks; other organisations' do not matter. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/networks", operation_id = "createNetwork", tag = "Networks",
    params(InOrganisation, CreationHeaders), request_body = v1::CreateNetwork,
    responses(
        (status = 201, description = "Created.", body = v1::Network, headers(("ETag" = String), ("Location" = String))),
        Creating,
    ),
)]
async fn create(
    caller: Caller,
    Slug(slug): Slug,
    creation: Creation<v1::CreateNetwork>,
) -> Result<impl IntoResponse, Rejection> {
    let cx = caller.creating(creation.idempotency);
    let inside = cx.enter(&slug).await?;
    let view = networks::create(&inside, convert::read_create(creation.body)?).await?;
    let location = [(header::LOCATION, format!("/api/v1/organisations/{slug}/networks/{}", view.network.id))];
    Ok((StatusCode::CREATED, etag(view.network.revision), location, Json(convert::network(&view))))
}

/// Suggest prefixes
///
/// An IPv4 and an IPv6 prefix that no network of the organisation uses yet. Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/networks/suggestion", operation_id = "suggestPrefixes", tag = "Networks",
    params(InOrganisation),
    responses((status = 200, description = "Free prefixes.", body = v1::PrefixSuggestion), Finding),
)]
async fn suggest(caller: Caller, Slug(slug): Slug) -> Result<Json<v1::PrefixSuggestion>, Rejection> {
    let prefixes = networks::suggest_prefixes(&caller.enter(&slug).await?).await?;
    Ok(Json(convert::suggestion(prefixes)))
}

/// Show a network
#[utoipa::path(
    get, path = "/organisations/{organisation}/networks/{network}", operation_id = "showNetwork", tag = "Networks",
    params(InOrganisation, OneNetwork),
    responses((status = 200, description = "The network.", body = v1::Network, headers(("ETag" = String))), Finding),
)]
async fn show(caller: Caller, Slug(slug): Slug, Id(id): Id<NetworkId>) -> Result<impl IntoResponse, Rejection> {
    let view = networks::show(&caller.enter(&slug).await?, id).await?;
    Ok((etag(view.network.revision), Json(convert::network(&view))))
}

/// Change a network
///
/// What is absent stays as it is. Prefixes change only while no device holds an address. Admins.
#[utoipa::path(
    patch, path = "/organisations/{organisation}/networks/{network}", operation_id = "changeNetwork", tag = "Networks",
    params(InOrganisation, OneNetwork, ChangeHeaders), request_body = v1::UpdateNetwork,
    responses((status = 200, description = "As it is now.", body = v1::Network, headers(("ETag" = String))), Changing),
)]
async fn change(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<NetworkId>,
    IfMatch(expected): IfMatch,
    Body(body): Body<v1::UpdateNetwork>,
) -> Result<impl IntoResponse, Rejection> {
    let change = convert::read_change(body)?;
    let view = networks::change(&caller.enter(&slug).await?, id, expected, change).await?;
    Ok((etag(view.network.revision), Json(convert::network(&view))))
}

/// Remove a network
///
/// Only while no device uses it. Admins.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/networks/{network}", operation_id = "removeNetwork", tag = "Networks",
    params(InOrganisation, OneNetwork, ChangeHeaders),
    responses((status = 204, description = "Removed."), Removing),
)]
async fn remove(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<NetworkId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Rejection> {
    networks::remove(&caller.enter(&slug).await?, id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List gateways to choose from
///
/// The gateways that a new network can use. Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/gateways", operation_id = "listGatewayChoices", tag = "Networks",
    params(InOrganisation),
    responses((status = 200, description = "All of them on one page.", body = v1::Page<v1::GatewayChoice>), Finding),
)]
async fn list_gateways(caller: Caller, Slug(slug): Slug) -> Result<Json<v1::Page<v1::GatewayChoice>>, Rejection> {
    let choices = gateways::choices(&caller.enter(&slug).await?).await?;
    Ok(Json(v1::Page { items: choices.iter().map(choice).collect(), next_cursor: None }))
}
