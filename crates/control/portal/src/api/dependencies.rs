//! What Warren depends on. Operators.

use axum::Json;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::dependencies;
use warren_wire::rest::v1;

use super::{
    parameters::OneDependency,
    problems::{Creating, Reading},
};
use crate::{
    PortalState, body::Body, caller::Caller, conversions::dependencies as convert, path::DependencyNamed,
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(force))
}

/// Show what Warren depends on
///
/// Each mail server, cache and webhook with its breaker, and the tasks that are started again when they fail. Of the process
/// that answers, since its start. Operators.
#[utoipa::path(
    get, path = "/dependencies", operation_id = "showDependencies", tag = "Installation",
    responses((status = 200, description = "How they are.", body = v1::Dependencies), Reading),
)]
async fn show(caller: Caller) -> Result<Json<v1::Dependencies>, Rejection> {
    let (all, tasks) = (dependencies::status(&caller)?, dependencies::tasks(&caller)?);
    Ok(Json(convert::dependencies(&all, &tasks, caller.app.clock().now())))
}

/// Set by hand whether a dependency is called
///
/// In the process that answers, until it is released or the process ends. Operators.
#[utoipa::path(
    post, path = "/dependencies/{dependency}/force", operation_id = "forceDependency", tag = "Installation",
    params(OneDependency), request_body = v1::ForceDependency,
    responses((status = 200, description = "As it is now.", body = v1::Dependency), Creating),
)]
async fn force(
    caller: Caller,
    DependencyNamed(name): DependencyNamed,
    Body(body): Body<v1::ForceDependency>,
) -> Result<Json<v1::Dependency>, Rejection> {
    let status = dependencies::force(&caller, &name, convert::read_force(&body)?).await?;
    Ok(Json(convert::dependency(&status, caller.app.clock().now())))
}
