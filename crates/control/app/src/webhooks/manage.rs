//! Webhooks of an organisation: adding, looking, removing, and their secrets.

use uuid::Uuid;
use warren_auth::permission::ManageWebhooks;
use warren_courier::WebhookSecret;
use warren_model::{Invalid, Timestamp, WebhookId, audit::Action, name::WebhookName};
use warren_runtime::Secret;
use warren_storage::{TenantTransaction, Webhook as Stored, WebhookStanding};

use super::{EVENTS_MAX, EventPattern, given_up_notice, secret_context};
use crate::{AppError, Contradiction, Expected, Inside, Thing, audit::Changes};

/// The most webhooks of one organisation.
pub const PER_ORGANISATION_MAX: u64 = 20;
/// After a secret was replaced, the one before signs too for this long.
const FORMER_SIGNS_FOR: time::Duration = time::Duration::hours(24);

/// A webhook that is to be made.
#[derive(Debug, Clone)]
pub struct Create {
    pub name: WebhookName,
    /// Checked by the installation's rules.
    pub url: String,
    /// 1 to [`EVENTS_MAX`].
    pub events: Vec<EventPattern>,
}

/// A webhook, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub name: String,
    pub url: String,
    pub events: Vec<String>,
    pub standing: WebhookStanding,
    /// Deliveries that failed for good, one after the other.
    pub failures_in_a_row: u32,
    /// Until when the secret before signs too.
    pub former_secret_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revision: i64,
}

/// A webhook and its secret, which is shown this once.
#[derive(Debug)]
pub struct WithSecret {
    pub webhook: Webhook,
    pub secret: Secret<String>,
}

impl From<Stored> for Webhook {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            name: stored.name,
            url: stored.url,
            events: stored.events,
            standing: stored.standing,
            failures_in_a_row: stored.failures_in_a_row,
            former_secret_until: stored.former_secret_sealed.map(|(_, until)| until),
            created_at: stored.created_at,
            revision: stored.revision,
        }
    }
}

/// All webhooks, the oldest first. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn all(inside: &Inside<'_>) -> Result<Vec<Webhook>, AppError> {
    inside.authorise(ManageWebhooks)?;
    let all = inside.tenant.webhooks().all(PER_ORGANISATION_MAX).await?;
    Ok(all.into_iter().map(Webhook::from).collect())
}

/// One of them. Admins.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn show(inside: &Inside<'_>, id: WebhookId) -> Result<Webhook, AppError> {
    inside.authorise(ManageWebhooks)?;
    let found = inside.tenant.webhooks().by_id(id).await?;
    found.map(Webhook::from).ok_or(AppError::NotFound(Thing::Webhook))
}

/// Adds a webhook with a secret that is shown this once. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::Invalid`] for a URL that leads where it must not, [`AppError::SecretGone`], or
/// [`Contradiction::WebhooksExhausted`].
pub async fn create(inside: &Inside<'_>, input: Create) -> Result<WithSecret, AppError> {
    let proof = inside.authorise(ManageWebhooks)?;
    let app = inside.app();
    let url = checked_url(inside, &input.url)?;
    let events = checked_events(&input.events)?;
    let now = app.clock().now();
    let id = WebhookId::generate(now, app.random());
    let (secret, secret_sealed) = new_secret(inside, id);
    let stored = Stored {
        id,
        name: input.name.to_string(),
        url,
        events,
        secret_sealed,
        former_secret_sealed: None,
        standing: WebhookStanding::Enabled,
        failures_in_a_row: 0,
        created_at: now,
        revision: 1,
    };
    let entry = inside.cx.entry(&proof, Action::WebhookCreated, id.uuid(), &stored.name);
    let changes = Changes::default().first("url", &stored.url).first("events", stored.events.join(", "));
    let entry = changes.into_entry(entry);
    let earlier = inside
        .tenant
        .in_turn(async |tx| -> Result<Option<Uuid>, AppError> {
            if let Some(earlier) = inside.cx.claim(&tx.idempotency(), id.uuid()).await? {
                return Ok(Some(earlier));
            }
            let there = tx.webhooks().all(PER_ORGANISATION_MAX).await?.len();
            if there as u64 >= PER_ORGANISATION_MAX {
                return Err(Contradiction::WebhooksExhausted { max: PER_ORGANISATION_MAX }.into());
            }
            // Recorded before it is there: it does not hear of itself.
            inside.record(tx, &entry).await?;
            tx.webhooks().insert(&proof, &stored).await?;
            Ok(None)
        })
        .await?;
    match earlier {
        None => Ok(WithSecret { webhook: stored.into(), secret }),
        Some(_) => Err(AppError::SecretGone),
    }
}

/// Removes a webhook with the record of its deliveries. What is on its way to it is not sent any more. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`AppError::Stale`]
pub async fn remove(inside: &Inside<'_>, id: WebhookId, expected: Expected) -> Result<(), AppError> {
    let proof = inside.authorise(ManageWebhooks)?;
    inside
        .tenant
        .transaction(async |tx| -> Result<(), AppError> {
            let before = found(tx, id, expected).await?;
            let entry = inside.cx.entry(&proof, Action::WebhookRemoved, id.uuid(), &before.name);
            tx.webhooks().remove(&proof, id).await?;
            inside.record(tx, &entry).await
        })
        .await?;
    inside.app().withdraw_notice(&given_up_notice(&inside.organisation.slug, id));
    Ok(())
}

/// Gives a webhook a new secret, which is shown this once; for a day messages are signed with the one before as well. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`AppError::Stale`]
pub async fn rotate_secret(inside: &Inside<'_>, id: WebhookId, expected: Expected) -> Result<WithSecret, AppError> {
    let proof = inside.authorise(ManageWebhooks)?;
    let (secret, secret_sealed) = new_secret(inside, id);
    let former_until = inside.app().clock().now() + FORMER_SIGNS_FOR;
    let stored = inside
        .tenant
        .transaction(async |tx| -> Result<Stored, AppError> {
            let before = found(tx, id, expected).await?;
            let entry = inside.cx.entry(&proof, Action::WebhookSecretRotated, id.uuid(), &before.name);
            let after = Stored {
                secret_sealed: secret_sealed.clone(),
                former_secret_sealed: Some((before.secret_sealed.clone(), former_until)),
                ..before.clone()
            };
            tx.webhooks().update(&proof, &after, before.revision).await?;
            inside.record(tx, &entry).await?;
            Ok(Stored { revision: before.revision + 1, ..after })
        })
        .await?;
    Ok(WithSecret { webhook: stored.into(), secret })
}

/// The webhook, if it stands at what is expected.
pub(super) async fn found(tx: &TenantTransaction, id: WebhookId, expected: Expected) -> Result<Stored, AppError> {
    let found = tx.webhooks().by_id(id).await?.ok_or(AppError::NotFound(Thing::Webhook))?;
    if expected.or_current(found.revision) != found.revision {
        return Err(AppError::Stale);
    }
    Ok(found)
}

/// The URL as it is kept, if the installation's rules allow it.
pub(super) fn checked_url(inside: &Inside<'_>, url: &str) -> Result<String, AppError> {
    let checked = inside.app().webhooks().check_url(url).map_err(|invalid| AppError::field("url", invalid))?;
    Ok(checked.as_str().to_owned())
}

/// The events as they are kept.
pub(super) fn checked_events(events: &[EventPattern]) -> Result<Vec<String>, AppError> {
    let refuse = |invalid| Err(AppError::field("events", invalid));
    if events.is_empty() {
        return refuse(Invalid::Empty);
    }
    if events.len() > EVENTS_MAX {
        return refuse(Invalid::TooMany { length: events.len(), max: EVENTS_MAX });
    }
    let repeated = events.iter().enumerate().find(|(at, event)| events[..*at].contains(event));
    match repeated {
        Some((_, event)) => refuse(Invalid::Repeated { item: event.to_string() }),
        None => Ok(events.iter().map(ToString::to_string).collect()),
    }
}

fn new_secret(inside: &Inside<'_>, id: WebhookId) -> (Secret<String>, Vec<u8>) {
    let app = inside.app();
    let secret = WebhookSecret::generate(app.random()).expose();
    let context = secret_context(inside.organisation.id, id);
    let sealed = app.sealing().seal(&context, secret.expose().as_bytes(), app.random());
    (secret, sealed)
}
