//! Webhooks.

use warren_app::{
    AppError,
    webhooks::{Change, Create, Delivery, Enablement, EventPattern, Webhook, WithSecret},
};
use warren_model::Invalid;
use warren_wire::rest::v1;

use crate::fields::Fields;

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_create(body: v1::CreateWebhook) -> Result<Create, AppError> {
    let mut fields = Fields::default();
    let name = fields.read("name", body.name.parse());
    let events = read_events(&mut fields, &body.events);
    let (Some(name), Some(events)) = (name, events) else { return Err(fields.refuse()) };
    Ok(Create { name, url: body.url, events })
}

/// # Errors
/// [`AppError::Invalid`] with every field that cannot be used.
pub fn read_change(body: v1::UpdateWebhook) -> Result<Change, AppError> {
    let mut fields = Fields::default();
    let name = fields.read_optional("name", body.name.as_deref().map(str::parse));
    let events = body.events.map(|events| read_events(&mut fields, &events));
    let standing = fields.read_optional("standing", body.standing.as_deref().map(read_standing));
    if !fields.errors().is_empty() {
        return Err(fields.refuse());
    }
    Ok(Change { name: name.flatten(), url: body.url, events: events.flatten(), standing: standing.flatten() })
}

fn read_events(fields: &mut Fields, events: &[String]) -> Option<Vec<EventPattern>> {
    fields.read_list("events", events, |text| text.parse())
}

fn read_standing(text: &str) -> Result<Enablement, Invalid> {
    match text {
        "enabled" => Ok(Enablement::Enabled),
        "disabled" => Ok(Enablement::Disabled),
        _ => Err(Invalid::Unknown { known: "enabled, disabled" }),
    }
}

pub fn webhook(webhook: &Webhook) -> v1::Webhook {
    v1::Webhook {
        id: webhook.id.uuid(),
        name: webhook.name.clone(),
        url: webhook.url.clone(),
        events: webhook.events.clone(),
        standing: webhook.standing.as_str().to_owned(),
        failures_in_a_row: webhook.failures_in_a_row,
        former_secret_until: webhook.former_secret_until,
        created_at: webhook.created_at,
        revision: webhook.revision,
    }
}

pub fn with_secret(made: &WithSecret) -> v1::WebhookWithSecret {
    v1::WebhookWithSecret { webhook: webhook(&made.webhook), secret: made.secret.expose().clone() }
}

pub fn delivery(delivery: Delivery) -> v1::WebhookDelivery {
    v1::WebhookDelivery {
        id: delivery.id.uuid(),
        webhook_id: delivery.webhook.uuid(),
        event: delivery.event,
        body: delivery.body,
        state: delivery.state.as_str().to_owned(),
        attempts: delivery.attempts,
        answer: delivery.answer.map(|answer| v1::WebhookAnswer {
            status: answer.status,
            text: answer.text,
            took_ms: answer.took_ms,
        }),
        created_at: delivery.created_at,
        finished_at: delivery.finished_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_at_fault_is_named() {
        let body = v1::UpdateWebhook {
            name: Some(" ".into()),
            url: None,
            events: Some(vec!["device.*".into(), "dev*".into()]),
            standing: Some("given_up".into()),
        };
        let AppError::Invalid(errors) = read_change(body).unwrap_err() else { panic!("another error") };
        let errors: Vec<_> = errors.iter().map(|error| (error.field.as_ref(), error.invalid.code())).collect();
        assert_eq!(
            errors,
            [("name", "invalid-empty"), ("events.1", "invalid-unknown"), ("standing", "invalid-unknown")]
        );
    }
}
