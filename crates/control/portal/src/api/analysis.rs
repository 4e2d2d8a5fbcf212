//! What stands in the way of the databases. Operators.

use axum::Json;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::analysis;
use warren_wire::rest::v1;

use super::problems::Reading;
use crate::{PortalState, caller::Caller, conversions::analysis as convert, problem::Rejection};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(analyse))
}

/// Analyse the databases
///
/// Reports slow statements, statements that read through a table, missing and unused indexes, and how tables grow, of the
/// system database and a sample of the organisations'. It takes up to ten seconds; statements are planned, not run. Operators.
#[utoipa::path(
    get, path = "/database/analysis", operation_id = "analyseDatabase", tag = "Installation",
    responses((status = 200, description = "What was found.", body = v1::DatabaseAnalysis), Reading),
)]
async fn analyse(caller: Caller) -> Result<Json<v1::DatabaseAnalysis>, Rejection> {
    Ok(Json(convert::analysis(analysis::analyse(&caller).await?)))
}
