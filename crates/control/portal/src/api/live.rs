//! The live stream of an organisation.

use axum::{
    extract::State,
    response::{IntoResponse, Sse, sse::KeepAlive},
};
use http::HeaderMap;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{parameters::InOrganisation, problems::Finding};
use crate::{PortalState, caller::Caller, live, path::Slug, problem::Rejection};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(follow))
}

/// Follow what happens
///
/// Server-sent events: `device` with a `DeviceLive`, `gateway` with a `GatewayLive`, and `reload` when events were missed and
/// what is shown should be loaded again. Members hear of their own devices only. A comment comes every 15 seconds; the
/// stream ends with the session.
#[utoipa::path(
    get, path = "/organisations/{organisation}/live", operation_id = "followLive", tag = "Organisations",
    params(InOrganisation),
    responses(
        (status = 200, description = "The stream.", body = String, content_type = "text/event-stream",
         example = "event: gateway\ndata: {\"gateway_id\":\"0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01\",\"state\":\"online\"}\n\n"),
        Finding,
    ),
)]
async fn follow(
    caller: Caller,
    State(state): State<PortalState>,
    Slug(slug): Slug,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Rejection> {
    let stream = live::open(&state, caller, slug, &headers).await?;
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(live::HEARTBEAT)))
}
