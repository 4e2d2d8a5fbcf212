//! `/o/{organisation}/webhooks/{webhook}`: one webhook and what was sent to it.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{
    Inside,
    webhooks::{self, Delivery, DeliveryState},
};
use warren_model::{Timestamp, WebhookId, page::PageRequest};

use super::{
    super::{
        form::Refusal,
        page::Page,
        pager::{CursorGiven, Pager},
        reader::Reader,
        shown_as,
    },
    Shown,
};
use crate::{
    paging::Paging,
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "webhooks/show.html")]
struct One {
    page: Page,
    refusal: Refusal,
    webhook: Shown,
    deliveries: Vec<Sent>,
    pager: Pager,
}

/// A delivery as templates show it.
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) state: &'static str,
    pub(super) tone: &'static str,
    pub(super) attempts: u32,
    /// The HTTP status; none without an answer.
    pub(super) status: Option<u16>,
    pub(super) created_at: Timestamp,
}

impl From<&Delivery> for Sent {
    fn from(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.to_string(),
            event: delivery.event.clone(),
            state: delivery.state.as_str(),
            tone: match delivery.state {
                DeliveryState::Pending => "",
                DeliveryState::Delivered => "good",
                DeliveryState::Failed => "bad",
            },
            attempts: delivery.attempts,
            status: delivery.answer.as_ref().and_then(|answer| answer.status),
            created_at: delivery.created_at,
        }
    }
}

pub(super) async fn show(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<WebhookId>,
    Paging(request): Paging,
) -> Result<Response, Rejection> {
    page(&reader, &reader.enter(&slug).await?, id, &request, Refusal::default()).await
}

/// Sends an event that says that the webhook works.
pub(super) async fn test(reader: Reader, Slug(slug): Slug, Id(id): Id<WebhookId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    match webhooks::test(&inside, id).await {
        Ok(delivery) => {
            Ok(Redirect::to(&format!("/o/{slug}/webhooks/{id}/deliveries/{}", delivery.id)).into_response())
        }
        Err(error) => {
            let refusal = Refusal::of(error.into(), &reader.facts.locale)?;
            page(&reader, &inside, id, &PageRequest::first_of_most(), refusal).await
        }
    }
}

async fn page(
    reader: &Reader,
    inside: &Inside<'_>,
    id: WebhookId,
    request: &PageRequest,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let webhook = webhooks::show(inside, id).await?;
    let found = webhooks::deliveries(inside, id, request).await?;
    let page = reader.page(inside, "webhooks").await?;
    let path = format!("/o/{}/webhooks/{id}", page.slug);
    let one = One {
        refusal,
        webhook: Shown::from(&webhook),
        pager: Pager::of(&found, &path, &[], CursorGiven::of(request)),
        deliveries: found.items.iter().map(Sent::from).collect(),
        page,
    };
    shown_as(one.refusal.status(), &one)
}
