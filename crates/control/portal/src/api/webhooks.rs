//! Webhooks, and what was sent to them.

use axum::{Json, response::IntoResponse};
use http::{StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::webhooks;
use warren_model::{DeliveryId, WebhookId};
use warren_wire::rest::v1;

use super::{
    parameters::{ChangeHeaders, CreationHeaders, InOrganisation, OneDelivery, OneWebhook, PageParameters},
    problems::{Changing, Creating, Finding, Removing},
};
use crate::{
    PortalState,
    body::{Body, Creation},
    caller::Caller,
    conversions::webhooks as convert,
    paging::{self, Paging},
    path::{Id, Slug},
    precondition::{IfMatch, etag},
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, remove))
        .routes(routes!(rotate_secret))
        .routes(routes!(test))
        .routes(routes!(list_deliveries))
        .routes(routes!(show_delivery))
        .routes(routes!(replay))
}

/// List webhooks
///
/// At most 20. Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/webhooks", operation_id = "listWebhooks", tag = "Webhooks",
    params(InOrganisation),
    responses((status = 200, description = "All of them on one page.", body = v1::Page<v1::Webhook>), Finding),
)]
async fn list(caller: Caller, Slug(slug): Slug) -> Result<Json<v1::Page<v1::Webhook>>, Rejection> {
    let all = webhooks::all(&caller.enter(&slug).await?).await?;
    Ok(Json(v1::Page { items: all.iter().map(convert::webhook).collect(), next_cursor: None }))
}

/// Add a webhook
///
/// The answer holds the secret that messages are signed with, this once; a request that is sent again gets 409, and the secret can
/// be replaced. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/webhooks", operation_id = "createWebhook", tag = "Webhooks",
    params(InOrganisation, CreationHeaders), request_body = v1::CreateWebhook,
    responses(
        (status = 201, description = "Added.", body = v1::WebhookWithSecret, headers(("ETag" = String), ("Location" = String))),
        Creating,
    ),
)]
async fn create(
    caller: Caller,
    Slug(slug): Slug,
    creation: Creation<v1::CreateWebhook>,
) -> Result<impl IntoResponse, Rejection> {
    let cx = caller.creating(creation.idempotency);
    let inside = cx.enter(&slug).await?;
    let made = webhooks::create(&inside, convert::read_create(creation.body)?).await?;
    let location = [(header::LOCATION, format!("/api/v1/organisations/{slug}/webhooks/{}", made.webhook.id))];
    Ok((StatusCode::CREATED, etag(made.webhook.revision), location, Json(convert::with_secret(&made))))
}

/// Show a webhook
///
/// Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/webhooks/{webhook}", operation_id = "showWebhook", tag = "Webhooks",
    params(InOrganisation, OneWebhook),
    responses((status = 200, description = "The webhook.", body = v1::Webhook, headers(("ETag" = String))), Finding),
)]
async fn show(caller: Caller, Slug(slug): Slug, Id(id): Id<WebhookId>) -> Result<impl IntoResponse, Rejection> {
    let webhook = webhooks::show(&caller.enter(&slug).await?, id).await?;
    Ok((etag(webhook.revision), Json(convert::webhook(&webhook))))
}

/// Change a webhook
///
/// What is absent stays as it is. Events that are on their way go to the new address. Admins.
#[utoipa::path(
    patch, path = "/organisations/{organisation}/webhooks/{webhook}", operation_id = "changeWebhook", tag = "Webhooks",
    params(InOrganisation, OneWebhook, ChangeHeaders), request_body = v1::UpdateWebhook,
    responses((status = 200, description = "As it is now.", body = v1::Webhook, headers(("ETag" = String))), Changing),
)]
async fn change(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    IfMatch(expected): IfMatch,
    Body(body): Body<v1::UpdateWebhook>,
) -> Result<impl IntoResponse, Rejection> {
    let change = convert::read_change(body)?;
    let webhook = webhooks::change(&caller.enter(&slug).await?, id, expected, change).await?;
    Ok((etag(webhook.revision), Json(convert::webhook(&webhook))))
}

/// Remove a webhook
///
/// With the record of what was sent to it. Admins.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/webhooks/{webhook}", operation_id = "removeWebhook", tag = "Webhooks",
    params(InOrganisation, OneWebhook, ChangeHeaders),
    responses((status = 204, description = "Removed."), Removing),
)]
async fn remove(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Rejection> {
    webhooks::remove(&caller.enter(&slug).await?, id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replace a webhook's secret
///
/// The new one is shown this once. For 24 hours messages are signed with the one before as well. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/webhooks/{webhook}/secret", operation_id = "rotateWebhookSecret",
    tag = "Webhooks", params(InOrganisation, OneWebhook, ChangeHeaders),
    responses(
        (status = 200, description = "The new secret.", body = v1::WebhookWithSecret, headers(("ETag" = String))),
        Removing,
    ),
)]
async fn rotate_secret(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    IfMatch(expected): IfMatch,
) -> Result<impl IntoResponse, Rejection> {
    let made = webhooks::rotate_secret(&caller.enter(&slug).await?, id, expected).await?;
    Ok((etag(made.webhook.revision), Json(convert::with_secret(&made))))
}

/// Test a webhook
///
/// Sends an event `webhook.test`, whatever it wants to hear of. Only while it is enabled. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/webhooks/{webhook}/test", operation_id = "testWebhook", tag = "Webhooks",
    params(InOrganisation, OneWebhook),
    responses((status = 202, description = "It is on its way.", body = v1::WebhookDelivery), Removing),
)]
async fn test(caller: Caller, Slug(slug): Slug, Id(id): Id<WebhookId>) -> Result<impl IntoResponse, Rejection> {
    let delivery = webhooks::test(&caller.enter(&slug).await?, id).await?;
    Ok((StatusCode::ACCEPTED, Json(convert::delivery(delivery))))
}

/// List a webhook's deliveries
///
/// The newest first; they are kept for 30 days. Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/webhooks/{webhook}/deliveries", operation_id = "listDeliveries",
    tag = "Webhooks", params(InOrganisation, OneWebhook, PageParameters),
    responses((status = 200, description = "A page of deliveries.", body = v1::Page<v1::WebhookDelivery>), Finding),
)]
async fn list_deliveries(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    Paging(page): Paging,
) -> Result<Json<v1::Page<v1::WebhookDelivery>>, Rejection> {
    let page = webhooks::deliveries(&caller.enter(&slug).await?, id, &page).await?;
    Ok(Json(paging::on_the_wire(page, convert::delivery)))
}

/// Show a delivery
///
/// What was sent, and what the receiver last answered. Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/webhooks/{webhook}/deliveries/{delivery}", operation_id = "showDelivery",
    tag = "Webhooks", params(InOrganisation, OneWebhook, OneDelivery),
    responses((status = 200, description = "The delivery.", body = v1::WebhookDelivery), Finding),
)]
async fn show_delivery(
    caller: Caller,
    Slug(slug): Slug,
    Id(webhook): Id<WebhookId>,
    Id(id): Id<DeliveryId>,
) -> Result<Json<v1::WebhookDelivery>, Rejection> {
    let delivery = webhooks::show_delivery(&caller.enter(&slug).await?, webhook, id).await?;
    Ok(Json(convert::delivery(delivery)))
}

/// Send a delivery again
///
/// Under the same `webhook-id`. One that is on its way stays so. Only while the webhook is enabled. Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/webhooks/{webhook}/deliveries/{delivery}/replay",
    operation_id = "replayDelivery", tag = "Webhooks", params(InOrganisation, OneWebhook, OneDelivery),
    responses((status = 202, description = "It is on its way.", body = v1::WebhookDelivery), Removing),
)]
async fn replay(
    caller: Caller,
    Slug(slug): Slug,
    Id(webhook): Id<WebhookId>,
    Id(id): Id<DeliveryId>,
) -> Result<impl IntoResponse, Rejection> {
    let delivery = webhooks::replay(&caller.enter(&slug).await?, webhook, id).await?;
    Ok((StatusCode::ACCEPTED, Json(convert::delivery(delivery))))
}
