//! `/o/{organisation}/webhooks/{webhook}/deliveries/{delivery}`: what was sent, what was answered, and sending it again.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{
    Inside,
    webhooks::{self, DeliveryAnswer, DeliveryState},
};
use warren_model::{DeliveryId, Timestamp, WebhookId};

use super::{
    super::{form::Refusal, page::Page, reader::Reader, shown_as},
    show::Sent,
};
use crate::{
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "webhooks/delivery.html")]
struct One {
    page: Page,
    refusal: Refusal,
    webhook_id: String,
    webhook: String,
    delivery: Sent,
    /// The message, indented to be read.
    body: String,
    answer: Option<DeliveryAnswer>,
    finished_at: Option<Timestamp>,
    /// Whether it may be sent again.
    ended: bool,
}

pub(super) async fn show(
    reader: Reader,
    Slug(slug): Slug,
    Id(webhook): Id<WebhookId>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Rejection> {
    page(&reader, &reader.enter(&slug).await?, webhook, id, Refusal::default()).await
}

pub(super) async fn replay(
    reader: Reader,
    Slug(slug): Slug,
    Id(webhook): Id<WebhookId>,
    Id(id): Id<DeliveryId>,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    match webhooks::replay(&inside, webhook, id).await {
        Ok(_) => Ok(Redirect::to(&format!("/o/{slug}/webhooks/{webhook}/deliveries/{id}")).into_response()),
        Err(error) => {
            let refusal = Refusal::of(error.into(), &reader.facts.locale)?;
            page(&reader, &inside, webhook, id, refusal).await
        }
    }
}

async fn page(
    reader: &Reader,
    inside: &Inside<'_>,
    webhook: WebhookId,
    id: DeliveryId,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let delivery = webhooks::show_delivery(inside, webhook, id).await?;
    let name = webhooks::show(inside, webhook).await?.name;
    let one = One {
        page: reader.page(inside, "webhooks").await?,
        refusal,
        webhook_id: webhook.to_string(),
        webhook: name,
        delivery: Sent::from(&delivery),
        body: indented(&delivery.body),
        answer: delivery.answer,
        finished_at: delivery.finished_at,
        ended: delivery.state != DeliveryState::Pending,
    };
    shown_as(one.refusal.status(), &one)
}

/// JSON as people read it; what is none stays as it is.
fn indented(json: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(json);
    value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| json.to_owned())
}
