//! Changing a webhook, and enabling it again.

use warren_auth::permission::ManageWebhooks;
use warren_model::{WebhookId, audit::Action, name::WebhookName};
use warren_storage::{Webhook as Stored, WebhookStanding};

use super::{
    EventPattern, Webhook, given_up_notice,
    manage::{checked_events, checked_url, found},
};
use crate::{AppError, Expected, Inside, audit::Changes};

/// What is to change; none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<WebhookName>,
    pub url: Option<String>,
    pub events: Option<Vec<EventPattern>>,
    pub standing: Option<Enablement>,
}

/// What admins decide about sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enablement {
    Enabled,
    Disabled,
}

/// Changes a webhook. Enabling one that was given up begins anew. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`], or [`AppError::Invalid`] for the URL or the events.
pub async fn change(
    inside: &Inside<'_>,
    id: WebhookId,
    expected: Expected,
    change: Change,
) -> Result<Webhook, AppError> {
    let proof = inside.authorise(ManageWebhooks)?;
    let url = change.url.as_deref().map(|url| checked_url(inside, url)).transpose()?;
    let events = change.events.as_deref().map(checked_events).transpose()?;
    let stored = inside
        .tenant
        .transaction(async |tx| -> Result<Stored, AppError> {
            let before = found(tx, id, expected).await?;
            let mut after = before.clone();
            after.name = change.name.as_ref().map_or(after.name, ToString::to_string);
            after.url = url.clone().unwrap_or(after.url);
            after.events = events.clone().unwrap_or(after.events);
            match change.standing {
                None => {}
                Some(Enablement::Enabled) => {
                    (after.standing, after.failures_in_a_row) = (WebhookStanding::Enabled, 0);
                }
                Some(Enablement::Disabled) => after.standing = WebhookStanding::Disabled,
            }
            if after == before {
                return Ok(before);
            }
            let entry = inside.cx.entry(&proof, Action::WebhookChanged, id.uuid(), &after.name);
            tx.webhooks().update(&proof, &after, before.revision).await?;
            inside.record(tx, &compare(&before, &after).into_entry(entry)).await?;
            Ok(Stored { revision: before.revision + 1, ..after })
        })
        .await?;
    if stored.standing != WebhookStanding::GivenUp {
        inside.app().withdraw_notice(&given_up_notice(&inside.organisation.slug, id));
    }
    Ok(stored.into())
}

fn compare(before: &Stored, after: &Stored) -> Changes {
    Changes::default()
        .compare("name", &before.name, &after.name, String::clone)
        .compare("url", &before.url, &after.url, String::clone)
        .compare("events", &before.events, &after.events, |events| events.join(", "))
        .compare("standing", &before.standing, &after.standing, |standing| standing.as_str().to_owned())
}
