//! Jobs. Operators see and steer all of them; inside an organisation, its admins and who asked for one see it.

use axum::Json;
use http::StatusCode;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::jobs::manage;
use warren_model::JobId;
use warren_wire::rest::v1;

use super::{
    parameters::{InOrganisation, OneJob, OneQueue, PageParameters},
    problems::{Acting, Finding, Reading},
};
use crate::{
    PortalState,
    caller::Caller,
    conversions::jobs::{self as convert, AskedJobs},
    paging::{self, Asked, Paging},
    path::{Id, QueueNamed, Slug},
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(replay))
        .routes(routes!(queues))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(replay_queue))
        .routes(routes!(show_own))
        .routes(routes!(cancel_own))
}

/// Which jobs are asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it only describes what `AskedJobs` reads")]
struct JobQuery {
    /// Only jobs of this queue: `mail`, `webhooks`, `records` or `reports`.
    #[param(example = "mail")]
    queue: Option<String>,
    /// Only jobs in this state: `waiting`, `ready`, `running`, `done`, `dead` or `cancelled`.
    #[param(example = "dead")]
    state: Option<String>,
    /// Only jobs of the organisation with this identifier.
    organisation: Option<uuid::Uuid>,
}

/// List jobs
///
/// The newest first. Jobs that were done or called off are kept for 7 days, dead letters for 30. Operators.
#[utoipa::path(
    get, path = "/jobs", operation_id = "listJobs", tag = "Jobs",
    params(JobQuery, PageParameters),
    responses((status = 200, description = "A page of jobs.", body = v1::Page<v1::Job>), Reading),
)]
async fn list(
    caller: Caller,
    Asked(query): Asked<AskedJobs>,
    Paging(page): Paging,
) -> Result<Json<v1::Page<v1::Job>>, Rejection> {
    let filter = convert::read_filter(query)?;
    let page = manage::page(&caller, filter, &page).await?;
    Ok(Json(paging::on_the_wire(page, |job| convert::job(&job))))
}

/// Show a job
///
/// Operators.
#[utoipa::path(
    get, path = "/jobs/{job}", operation_id = "showJob", tag = "Jobs",
    params(OneJob),
    responses((status = 200, description = "The job.", body = v1::Job), Finding),
)]
async fn show(caller: Caller, Id(id): Id<JobId>) -> Result<Json<v1::Job>, Rejection> {
    Ok(Json(convert::job(&manage::show(&caller, id).await?)))
}

/// Call a job off
///
/// One that has not begun never will; one that runs is asked to stop, and goes on until it comes to a good place. Operators.
#[utoipa::path(
    post, path = "/jobs/{job}/cancel", operation_id = "cancelJob", tag = "Jobs",
    params(OneJob),
    responses((status = 200, description = "As it is now.", body = v1::Job), Acting),
)]
async fn cancel(caller: Caller, Id(id): Id<JobId>) -> Result<Json<v1::Job>, Rejection> {
    manage::cancel(&caller, id).await?;
    Ok(Json(convert::job(&manage::show(&caller, id).await?)))
}

/// Run a job again
///
/// One that failed for good or was called off, with all its attempts before it. Operators.
#[utoipa::path(
    post, path = "/jobs/{job}/replay", operation_id = "replayJob", tag = "Jobs",
    params(OneJob),
    responses((status = 200, description = "As it is now.", body = v1::Job), Acting),
)]
async fn replay(caller: Caller, Id(id): Id<JobId>) -> Result<Json<v1::Job>, Rejection> {
    manage::replay(&caller, id).await?;
    Ok(Json(convert::job(&manage::show(&caller, id).await?)))
}

/// Show the queues
///
/// How much is in each, how long jobs wait and run, and who works on them. Operators.
#[utoipa::path(
    get, path = "/jobs/queues", operation_id = "showJobQueues", tag = "Jobs",
    responses((status = 200, description = "The queues.", body = v1::JobQueues), Reading),
)]
async fn queues(caller: Caller) -> Result<Json<v1::JobQueues>, Rejection> {
    Ok(Json(convert::queues(&manage::overview(&caller).await?)))
}

/// Pause a queue
///
/// On all hosts; what runs comes to its end, and nothing is lost. Operators.
#[utoipa::path(
    post, path = "/jobs/queues/{queue}/pause", operation_id = "pauseJobQueue", tag = "Jobs",
    params(OneQueue),
    responses((status = 204, description = "Paused."), Acting),
)]
async fn pause(caller: Caller, QueueNamed(queue): QueueNamed) -> Result<StatusCode, Rejection> {
    manage::pause(&caller, queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Resume a queue
///
/// Operators.
#[utoipa::path(
    post, path = "/jobs/queues/{queue}/resume", operation_id = "resumeJobQueue", tag = "Jobs",
    params(OneQueue),
    responses((status = 204, description = "It goes on."), Acting),
)]
async fn resume(caller: Caller, QueueNamed(queue): QueueNamed) -> Result<StatusCode, Rejection> {
    manage::resume(&caller, queue).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Run the failed jobs of a queue again
///
/// Those that failed for good, the oldest first, at most 1000 at once. Operators.
#[utoipa::path(
    post, path = "/jobs/queues/{queue}/replay", operation_id = "replayJobQueue", tag = "Jobs",
    params(OneQueue),
    responses((status = 200, description = "How many run again.", body = v1::ReplayedJobs), Acting),
)]
async fn replay_queue(caller: Caller, QueueNamed(queue): QueueNamed) -> Result<Json<v1::ReplayedJobs>, Rejection> {
    Ok(Json(v1::ReplayedJobs { replayed: manage::replay_queue(&caller, queue).await? }))
}

/// Show a job of the organisation
///
/// Its admins, and who asked for it.
#[utoipa::path(
    get, path = "/organisations/{organisation}/jobs/{job}", operation_id = "showOrganisationJob", tag = "Jobs",
    params(InOrganisation, OneJob),
    responses((status = 200, description = "The job.", body = v1::Job), Finding),
)]
async fn show_own(caller: Caller, Slug(slug): Slug, Id(id): Id<JobId>) -> Result<Json<v1::Job>, Rejection> {
    Ok(Json(convert::job(&manage::show_own(&caller.enter(&slug).await?, id).await?)))
}

/// Call a job of the organisation off
///
/// Its admins, and who asked for it.
#[utoipa::path(
    post, path = "/organisations/{organisation}/jobs/{job}/cancel", operation_id = "cancelOrganisationJob", tag = "Jobs",
    params(InOrganisation, OneJob),
    responses((status = 200, description = "As it is now.", body = v1::Job), Acting),
)]
async fn cancel_own(caller: Caller, Slug(slug): Slug, Id(id): Id<JobId>) -> Result<Json<v1::Job>, Rejection> {
    let inside = caller.enter(&slug).await?;
    manage::cancel_own(&inside, id).await?;
    Ok(Json(convert::job(&manage::show_own(&inside, id).await?)))
}
