//! The installation as a whole. Operators.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::installation;
use warren_wire::rest::v1;

use super::problems::Reading;
use crate::{PortalState, caller::Caller, problem::Rejection};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Show how the installation is
///
/// Operators.
#[utoipa::path(
    get, path = "/status", operation_id = "showStatus", tag = "Installation",
    responses((status = 200, description = "How it is.", body = v1::InstallationStatus), Reading),
)]
async fn show(caller: Caller, State(state): State<PortalState>) -> Result<Json<v1::InstallationStatus>, Rejection> {
    let status = installation::status(&caller).await?;
    Ok(Json(v1::InstallationStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        public_url: state.app().public_url().to_owned(),
        set_up: installation::is_set_up(state.app()).await?,
        uptime_seconds: status.uptime.whole_seconds().max(0).unsigned_abs(),
        organisations: status.organisations,
        open_organisation_databases: status.open_organisations,
        gateways: status.gateways,
        gateways_online: status.gateways_online,
        notices: status.notices,
    }))
}
