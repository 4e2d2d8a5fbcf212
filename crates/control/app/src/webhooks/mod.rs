//! Webhooks: addresses that an organisation's events are sent to.
//!
//! An event is an entry of the organisation's audit trail. [`crate::App::record`] writes the entry and, in the same transaction,
//! a delivery and a job for every webhook that wants it; so an event is sent if, and only if, what it tells of was committed.

mod change;
mod deliver;
mod deliveries;
mod events;
mod manage;
mod receivers;
mod record;

pub use change::{Change, Enablement, change};
pub(crate) use deliver::Deliver;
pub use deliveries::{Delivery, deliveries, replay, show_delivery, test};
pub use events::{EVENTS_MAX, EventPattern, known_events};
pub use manage::{Create, PER_ORGANISATION_MAX, Webhook, WithSecret, all, create, remove, rotate_secret, show};
pub(crate) use receivers::Receivers;
pub use warren_storage::{DeliveryAnswer, DeliveryState, WebhookStanding};

use warren_model::{OrganisationId, OrganisationSlug, WebhookId};

/// What binds a sealed secret to its webhook.
fn secret_context(organisation: OrganisationId, webhook: WebhookId) -> String {
    format!("organisation:{organisation}:webhook:{webhook}:secret")
}

/// What operators are told of a webhook that was given up, until it is enabled or removed.
fn given_up_notice(slug: &OrganisationSlug, webhook: WebhookId) -> String {
    format!(
        "a webhook of {slug} was given up ({webhook}): its receiver is gone or fails all the time; an admin enables it again"
    )
}
