//! `/o/{organisation}/webhooks/new` and `…/{webhook}/edit`: one form for both.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{
    AppError, Inside,
    webhooks::{self, Webhook},
};
use warren_model::WebhookId;
use warren_wire::rest::v1;

use super::{
    super::{
        form::{Refusal, Submitted, Values},
        page::Page,
        reader::Reader,
        shown_as,
    },
    secret,
};
use crate::{
    conversions::webhooks as convert,
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "webhooks/edit.html")]
struct Edit {
    page: Page,
    refusal: Refusal,
    values: Values,
    heading: String,
    back: String,
    back_name: String,
    making: bool,
    /// The names that events have.
    known: Vec<&'static str>,
}

pub(super) async fn show_new(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let values = Values::of([("events", "*".into())]).once(reader.app.random());
    making(&reader, &inside, values, Refusal::default()).await
}

pub(super) async fn submit_new(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let cx = reader.creating(sent.idempotency);
    let inside = cx.enter(&slug).await?;
    let values = &sent.values;
    let body = v1::CreateWebhook {
        name: values.get("name").to_owned(),
        url: values.get("url").to_owned(),
        events: values.lines("events"),
    };
    let outcome = match convert::read_create(body) {
        Ok(input) => webhooks::create(&inside, input).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(made) => secret::once(&reader, &inside, &made).await,
        Err(error) => making(&reader, &inside, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<WebhookId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let webhook = webhooks::show(&inside, id).await?;
    let enabled = webhook.standing == webhooks::WebhookStanding::Enabled;
    let values = Values::of([
        ("name", webhook.name.clone()),
        ("url", webhook.url.clone()),
        ("events", webhook.events.join("\n")),
        ("standing", if enabled { "enabled".into() } else { String::new() }),
    ]);
    changing(&reader, &inside, &webhook, values, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let webhook = webhooks::show(&inside, id).await?;
    let outcome = match convert::read_change(read(&sent.values, &webhook)) {
        Ok(change) => webhooks::change(&inside, id, sent.values.expected(), change).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("/o/{slug}/webhooks/{id}")).into_response()),
        Err(error) => {
            changing(&reader, &inside, &webhook, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await
        }
    }
}

fn read(values: &Values, webhook: &Webhook) -> v1::UpdateWebhook {
    let standing = match (values.get("standing"), webhook.standing) {
        ("", webhooks::WebhookStanding::Enabled) => Some("disabled"),
        // One that was given up stays so until it is enabled.
        ("", _) => None,
        _ => Some("enabled"),
    };
    v1::UpdateWebhook {
        name: Some(values.get("name").to_owned()),
        url: Some(values.get("url").to_owned()),
        events: Some(values.lines("events")),
        standing: standing.map(str::to_owned),
    }
}

async fn making(reader: &Reader, inside: &Inside<'_>, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    let page = reader.page(inside, "webhooks").await?;
    if !page.admin {
        return Err(AppError::Forbidden.into());
    }
    let form = Edit {
        heading: page.text("webhook-add"),
        back: format!("/o/{}/webhooks", page.slug),
        back_name: page.text("webhooks"),
        making: true,
        known: webhooks::known_events().collect(),
        page,
        refusal,
        values,
    };
    shown_as(form.refusal.status(), &form)
}

async fn changing(
    reader: &Reader,
    inside: &Inside<'_>,
    webhook: &Webhook,
    values: Values,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let page = reader.page(inside, "webhooks").await?;
    let form = Edit {
        heading: page.text_with("webhook-change-heading", "name", &webhook.name),
        back: format!("/o/{}/webhooks/{}", page.slug, webhook.id),
        back_name: webhook.name.clone(),
        making: false,
        known: webhooks::known_events().collect(),
        values: values.with("revision", webhook.revision),
        page,
        refusal,
    };
    shown_as(form.refusal.status(), &form)
}
