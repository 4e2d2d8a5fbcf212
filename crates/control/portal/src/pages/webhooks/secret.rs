//! `/o/{organisation}/webhooks/{webhook}/secret`: asks, replaces the secret, and shows the new one once.

use askama::Template;
use axum::response::Response;
use warren_app::{
    Inside,
    webhooks::{self, WithSecret},
};
use warren_model::WebhookId;

use super::super::{
    confirm::Confirm,
    form::{Refusal, Submitted},
    page::Page,
    reader::Reader,
    shown, shown_as,
};
use crate::{
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "webhooks/secret.html")]
struct Once {
    page: Page,
    id: String,
    name: String,
    secret: String,
}

pub(super) async fn ask(reader: Reader, Slug(slug): Slug, Id(id): Id<WebhookId>) -> Result<Response, Rejection> {
    question(&reader, &reader.enter(&slug).await?, id, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    match webhooks::rotate_secret(&inside, id, sent.values.expected()).await {
        Ok(made) => once(&reader, &inside, &made).await,
        Err(error) => question(&reader, &inside, id, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

/// Shown at once: the secret is kept sealed, and never shown again.
pub(super) async fn once(reader: &Reader, inside: &Inside<'_>, made: &WithSecret) -> Result<Response, Rejection> {
    shown(&Once {
        page: reader.page(inside, "webhooks").await?,
        id: made.webhook.id.to_string(),
        name: made.webhook.name.clone(),
        secret: made.secret.expose().clone(),
    })
}

async fn question(
    reader: &Reader,
    inside: &Inside<'_>,
    id: WebhookId,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let webhook = webhooks::show(inside, id).await?;
    let page = reader.page(inside, "webhooks").await?;
    let question = Confirm {
        heading: page.text_with("webhook-secret-question", "name", &webhook.name),
        consequence: page.text("webhook-secret-consequence"),
        action: page.text("webhook-secret-do"),
        back: format!("/o/{}/webhooks/{id}", page.slug),
        back_name: webhook.name,
        revision: webhook.revision,
        refusal,
        page,
    };
    shown_as(question.refusal.status(), &question)
}
