//! What the holder of an invitation link does.

use axum::{Json, extract::State, response::IntoResponse};
use http::StatusCode;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::invitations;
use warren_wire::rest::v1;

use super::{access::welcome, problems::Proving};
use crate::{
    PortalState,
    body::Body,
    caller::{UserAgent, Visitor},
    conversions::access,
    problem::Rejection,
    request::RequestFacts,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(inspect)).routes(routes!(accept))
}

/// Inspect an invitation
///
/// Says what an invitation link is for and consumes nothing. The token travels in the body so that it stays out of logs.
#[utoipa::path(
    post, path = "/invitations/inspect", operation_id = "inspectInvitation", tag = "Invitations", security(()),
    request_body = v1::InspectInvitation,
    responses((status = 200, description = "What the link is for.", body = v1::Invitation), Proving),
)]
async fn inspect(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Body(body): Body<v1::InspectInvitation>,
) -> Result<Json<v1::Invitation>, Rejection> {
    let work = async { invitations::inspect(state.app(), &access::read_token(&body.token)?).await };
    let info = state.prove(&facts, work).await?;
    Ok(Json(access::invitation(&info)))
}

/// Accept an invitation
///
/// Joins the organisation and signs in. Who has no password here yet sets one; who has one shows it.
#[utoipa::path(
    post, path = "/invitations/accept", operation_id = "acceptInvitation", tag = "Invitations", security(()),
    request_body = v1::AcceptInvitation,
    responses((status = 201, description = "Joined and signed in.", body = v1::Session, headers(("Set-Cookie" = String))), Proving),
)]
async fn accept(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Visitor(cx): Visitor,
    UserAgent(browser): UserAgent,
    Body(body): Body<v1::AcceptInvitation>,
) -> Result<impl IntoResponse, Rejection> {
    let work = async { invitations::accept(&cx, access::read_token(&body.token)?, body.password, browser).await };
    let signed_in = state.prove(&facts, work).await?;
    Ok((StatusCode::CREATED, welcome(cx, signed_in).await?))
}
