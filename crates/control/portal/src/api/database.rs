//! The databases. Operators.

use axum::Json;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::database;
use warren_wire::rest::v1;

use super::{parameters::DatabaseLimits, problems::Reading};
use crate::{
    PortalState,
    caller::Caller,
    conversions::database::{self as convert, AskedLimits},
    paging::Asked,
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Show how the databases are
///
/// Pools, transactions, statements, who has which connection, and what takes long. Figures are of this process, since its start.
/// Operators.
#[utoipa::path(
    get, path = "/database", operation_id = "showDatabase", tag = "Installation",
    params(DatabaseLimits),
    responses((status = 200, description = "How they are.", body = v1::DatabaseStatus), Reading),
)]
async fn show(caller: Caller, Asked(asked): Asked<AskedLimits>) -> Result<Json<v1::DatabaseStatus>, Rejection> {
    let limits = convert::read_limits(&asked)?;
    Ok(Json(convert::status(&database::report(&caller, limits).await?)))
}
