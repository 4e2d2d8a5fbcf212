//! What was sent to a webhook, and sending it again.

use warren_auth::permission::ManageWebhooks;
use warren_model::{
    DeliveryId, WebhookId,
    audit::Action,
    page::{Page, PageRequest},
};
pub use warren_storage::Delivery;
use warren_storage::{DeliveryState, WebhookStanding};
use warren_wire::rest::v1;

use super::{
    events::TEST,
    manage::found,
    record::{actor_of, body_of},
};
use crate::{AppError, Contradiction, Expected, Inside, Thing, audit::Changes, jobs::Asked};

/// What was sent to a webhook, and is on its way, the newest first. Admins.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn deliveries(
    inside: &Inside<'_>,
    webhook: WebhookId,
    request: &PageRequest,
) -> Result<Page<Delivery>, AppError> {
    super::show(inside, webhook).await?;
    Ok(inside.tenant.deliveries().page(webhook, request).await?)
}

/// One delivery to a webhook. Admins.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn show_delivery(inside: &Inside<'_>, webhook: WebhookId, id: DeliveryId) -> Result<Delivery, AppError> {
    super::show(inside, webhook).await?;
    let found = inside.tenant.deliveries().by_id(id).await?;
    found.filter(|delivery| delivery.webhook == webhook).ok_or(AppError::NotFound(Thing::Delivery))
}

/// Has a delivery sent again, under the same identifier: a receiver that has it can tell. One that is on its way already stays
/// so. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`Contradiction::WebhookDisabled`]
pub async fn replay(inside: &Inside<'_>, webhook: WebhookId, id: DeliveryId) -> Result<Delivery, AppError> {
    let proof = inside.authorise(ManageWebhooks)?;
    inside
        .tenant
        .transaction(async |tx| -> Result<Delivery, AppError> {
            let to = found(tx, webhook, Expected::Any).await?;
            let delivery = tx.deliveries().by_id(id).await?.filter(|delivery| delivery.webhook == webhook);
            let delivery = delivery.ok_or(AppError::NotFound(Thing::Delivery))?;
            if to.standing != WebhookStanding::Enabled {
                return Err(Contradiction::WebhookDisabled.into());
            }
            if delivery.state == DeliveryState::Pending {
                return Ok(delivery);
            }
            let entry = inside.cx.entry(&proof, Action::WebhookReplayed, webhook.uuid(), &to.name);
            let entry = Changes::default().first("event", &delivery.event).into_entry(entry);
            tx.deliveries().reopen(id).await?;
            inside.app().send_soon(tx, id, Asked::by(inside.cx, Some(inside.organisation.id))).await?;
            inside.record(tx, &entry).await?;
            Ok(Delivery { state: DeliveryState::Pending, finished_at: None, ..delivery })
        })
        .await
}

/// Sends an event that tells of nothing but itself, whatever the webhook wants to hear of. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`Contradiction::WebhookDisabled`]
pub async fn test(inside: &Inside<'_>, webhook: WebhookId) -> Result<Delivery, AppError> {
    let proof = inside.authorise(ManageWebhooks)?;
    let (app, now) = (inside.app(), inside.app().clock().now());
    let id = DeliveryId::generate(now, app.random());
    inside
        .tenant
        .transaction(async |tx| -> Result<Delivery, AppError> {
            let to = found(tx, webhook, Expected::Any).await?;
            if to.standing != WebhookStanding::Enabled {
                return Err(Contradiction::WebhookDisabled.into());
            }
            let event = v1::WebhookEvent {
                version: v1::WebhookEvent::VERSION,
                id: id.uuid(),
                kind: TEST.to_owned(),
                at: now,
                organisation: inside.organisation.slug.to_string(),
                actor: actor_of(proof.actor()),
                subject: v1::WebhookSubject { id: webhook.uuid(), name: to.name },
                changes: Vec::new(),
                request_id: inside.cx.request.uuid(),
            };
            let delivery = Delivery {
                id,
                webhook,
                event: TEST.to_owned(),
                body: body_of(&event)?,
                state: DeliveryState::Pending,
                attempts: 0,
                answer: None,
                created_at: now,
                finished_at: None,
            };
            tx.deliveries().insert(&delivery).await?;
            app.send_soon(tx, id, Asked::by(inside.cx, Some(inside.organisation.id))).await?;
            Ok(delivery)
        })
        .await
}
