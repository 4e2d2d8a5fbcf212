//! The audit trails.

use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::activity::{self, Filter};
use warren_wire::rest::v1;

use super::{
    parameters::{InOrganisation, PageParameters},
    problems::{Finding, Reading},
};
use crate::{
    PortalState,
    caller::Caller,
    conversions::activity as convert,
    paging::{self, Asked, Paging},
    path::Slug,
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(list_of_installation))
}

/// Which entries are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ActivityQuery {
    /// Only what this account did.
    #[param(value_type = Option<uuid::Uuid>)]
    actor: Option<String>,
    /// An action such as `device.enrolled`, or the part before its dot.
    #[param(example = "device", max_length = 40)]
    action: Option<String>,
}

impl ActivityQuery {
    fn read(self) -> Result<Filter, Rejection> {
        let actor =
            self.actor.map(|id| id.parse()).transpose().map_err(|invalid| Rejection::from(("actor", invalid)))?;
        // No action is longer; a longer text finds nothing.
        Ok(Filter {
            actor,
            action: self.action.filter(|text| !text.is_empty()).map(|text| text.chars().take(41).collect()),
        })
    }
}

/// List an organisation's activity
///
/// Newest first. Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/activity", operation_id = "listActivity", tag = "Activity",
    params(InOrganisation, ActivityQuery, PageParameters),
    responses((status = 200, description = "A page of entries.", body = v1::Page<v1::ActivityEntry>), Finding),
)]
async fn list(
    caller: Caller,
    Slug(slug): Slug,
    Asked(query): Asked<ActivityQuery>,
    Paging(page): Paging,
) -> Result<Json<v1::Page<v1::ActivityEntry>>, Rejection> {
    let filter = query.read()?;
    let page = activity::page(&caller.enter(&slug).await?, filter, &page).await?;
    Ok(Json(paging::on_the_wire(page, |entry| convert::entry(&entry))))
}

/// List the installation's activity
///
/// Newest first: organisations, gateways, sign-ins. Operators.
#[utoipa::path(
    get, path = "/activity", operation_id = "listInstallationActivity", tag = "Activity",
    params(PageParameters),
    responses((status = 200, description = "A page of entries.", body = v1::Page<v1::ActivityEntry>), Reading),
)]
async fn list_of_installation(
    caller: Caller,
    Paging(page): Paging,
) -> Result<Json<v1::Page<v1::ActivityEntry>>, Rejection> {
    let page = activity::system_page(&caller, &page).await?;
    Ok(Json(paging::on_the_wire(page, |entry| convert::entry(&entry))))
}
