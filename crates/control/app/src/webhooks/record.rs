//! From what happened to what is sent: the audit entry, and a delivery for each webhook that wants it.

use sha2::{Digest, Sha256};
use uuid::Uuid;
use warren_model::{
    AuditId, DeliveryId, OrganisationSlug, WebhookId,
    audit::{Actor, AuditEntry},
};
use warren_storage::{Delivery, DeliveryState, TenantTransaction, Webhook, WebhookStanding};
use warren_wire::rest::v1;

use super::{Deliver, events, manage::PER_ORGANISATION_MAX};
use crate::{App, AppError, Inside, jobs::Asked};

impl Inside<'_> {
    /// As [`App::record`], in the organisation that was entered.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn record(&self, tx: &TenantTransaction, entry: &AuditEntry) -> Result<(), AppError> {
        self.app().record(tx, &self.organisation.slug, entry).await
    }
}

impl App {
    /// As [`App::record`], for an entry that may have been carried over before: one that stands in the trail already changes
    /// nothing and is not sent again.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn record_once(
        &self,
        tx: &TenantTransaction,
        slug: &OrganisationSlug,
        entry: &AuditEntry,
    ) -> Result<(), AppError> {
        match tx.audit().holds(entry.id).await? {
            true => Ok(()),
            false => self.record(tx, slug, entry).await,
        }
    }

    /// Writes `entry` into the organisation's trail, and has it sent to the webhooks that want it.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn record(
        &self,
        tx: &TenantTransaction,
        slug: &OrganisationSlug,
        entry: &AuditEntry,
    ) -> Result<(), AppError> {
        tx.audit().append(entry).await?;
        let event = entry.action.as_str();
        let webhooks = tx.webhooks().all(PER_ORGANISATION_MAX).await?;
        let wanted: Vec<&Webhook> = webhooks.iter().filter(|webhook| wants(webhook, event)).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let body = body_of(&event_of(slug, entry))?;
        for webhook in wanted {
            let delivery = Delivery {
                id: delivery_id(entry.id, webhook.id),
                webhook: webhook.id,
                event: event.to_owned(),
                body: body.clone(),
                state: DeliveryState::Pending,
                attempts: 0,
                answer: None,
                created_at: self.clock().now(),
                finished_at: None,
            };
            tx.deliveries().insert(&delivery).await?;
            self.send_soon(tx, delivery.id, Asked { request: Some(entry.request), ..Asked::default() }).await?;
        }
        Ok(())
    }

    /// Leaves the job that delivers `delivery`.
    pub(super) async fn send_soon(
        &self,
        tx: &TenantTransaction,
        delivery: DeliveryId,
        asked: Asked,
    ) -> Result<(), AppError> {
        let asked = Asked { organisation: Some(tx.organisation()), ..asked };
        self.leave(tx, &self.new_job(&Deliver { delivery: delivery.uuid() }, asked)?).await?;
        Ok(())
    }
}

fn wants(webhook: &Webhook, event: &str) -> bool {
    webhook.standing == WebhookStanding::Enabled && webhook.events.iter().any(|pattern| events::names(pattern, event))
}

/// The body as it is sent.
pub(super) fn body_of(event: &v1::WebhookEvent) -> Result<String, AppError> {
    serde_json::to_string(event).map_err(|fault| AppError::Internal(Box::new(fault)))
}

fn event_of(slug: &OrganisationSlug, entry: &AuditEntry) -> v1::WebhookEvent {
    let changes = entry.changes.iter().map(|change| v1::ActivityChange {
        field: change.field.clone(),
        before: change.before.clone(),
        after: change.after.clone(),
    });
    v1::WebhookEvent {
        version: v1::WebhookEvent::VERSION,
        id: entry.id.uuid(),
        kind: entry.action.as_str().to_owned(),
        at: entry.at,
        organisation: slug.to_string(),
        actor: actor_of(&entry.actor),
        subject: v1::WebhookSubject { id: entry.subject, name: entry.subject_name.clone() },
        changes: changes.collect(),
        request_id: entry.request.uuid(),
    }
}

pub(super) fn actor_of(actor: &Actor) -> v1::ActivityActor {
    let (kind, account_id, name) = match actor {
        Actor::Account { id, name } => ("account", Some(id.uuid()), name.clone()),
        Actor::LocalOperator { user } => ("local_operator", None, user.clone()),
        Actor::LinkHolder => ("link_holder", None, String::new()),
        Actor::System => ("system", None, String::new()),
    };
    v1::ActivityActor { kind: kind.to_owned(), account_id, name }
}

/// One entry and one webhook have one delivery: its identifier follows from theirs, and sorts as the entry's.
fn delivery_id(entry: AuditId, webhook: WebhookId) -> DeliveryId {
    let digest = Sha256::new().chain_update(entry.uuid()).chain_update(webhook.uuid()).finalize();
    let mut bytes = entry.uuid().into_bytes();
    bytes[8..].copy_from_slice(&digest[..8]);
    // The variant's two bits (RFC 9562 section 4.1).
    bytes[8] = bytes[8] & 0x3f | 0x80;
    DeliveryId::from_uuid(Uuid::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_of_one_entry_differ_and_stay_in_its_place() {
        let entry: AuditId = "019ac2f1-7b1c-7123-9000-000000000001".parse().unwrap();
        let (one, other) = (WebhookId::from_uuid(Uuid::from_u128(1)), WebhookId::from_uuid(Uuid::from_u128(2)));
        let id = delivery_id(entry, one);
        assert_eq!(id, delivery_id(entry, one));
        assert_ne!(id, delivery_id(entry, other));
        assert!(id.to_string().starts_with("019ac2f1-7b1c-7123-"), "{id}");
        assert_eq!((id.uuid().get_version_num(), id.uuid().get_variant()), (7, uuid::Variant::RFC4122));
    }
}
