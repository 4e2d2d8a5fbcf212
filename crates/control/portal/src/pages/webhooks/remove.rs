//! `/o/{organisation}/webhooks/{webhook}/remove`: asks, and removes.

use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{Inside, webhooks};
use warren_model::WebhookId;

use super::super::{
    confirm::Confirm,
    form::{Refusal, Submitted},
    reader::Reader,
    shown_as,
};
use crate::{
    path::{Id, Slug},
    problem::Rejection,
};

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<WebhookId>) -> Result<Response, Rejection> {
    ask(&reader, &reader.enter(&slug).await?, id, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    match webhooks::remove(&inside, id, sent.values.expected()).await {
        Ok(()) => Ok(Redirect::to(&format!("/o/{slug}/webhooks")).into_response()),
        Err(error) => ask(&reader, &inside, id, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

async fn ask(reader: &Reader, inside: &Inside<'_>, id: WebhookId, refusal: Refusal) -> Result<Response, Rejection> {
    let webhook = webhooks::show(inside, id).await?;
    let page = reader.page(inside, "webhooks").await?;
    let question = Confirm {
        heading: page.text_with("webhook-remove-question", "name", &webhook.name),
        consequence: page.text("webhook-remove-consequence"),
        action: page.text("webhook-remove-do"),
        back: format!("/o/{}/webhooks/{id}", page.slug),
        back_name: webhook.name,
        revision: webhook.revision,
        refusal,
        page,
    };
    shown_as(question.refusal.status(), &question)
}
