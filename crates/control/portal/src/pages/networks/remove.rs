//! `/o/{organisation}/networks/{network}/remove`: asks, and removes.

use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{AppError, Inside, networks};
use warren_model::NetworkId;

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

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<NetworkId>) -> Result<Response, Rejection> {
    ask(&reader, &reader.enter(&slug).await?, id, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<NetworkId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    match networks::remove(&inside, id, sent.values.expected()).await {
        Ok(()) => Ok(Redirect::to(&format!("/o/{slug}/networks")).into_response()),
        Err(error) => ask(&reader, &inside, id, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

async fn ask(reader: &Reader, inside: &Inside<'_>, id: NetworkId, refusal: Refusal) -> Result<Response, Rejection> {
    let view = networks::show(inside, id).await?;
    let page = reader.page(inside, "networks").await?;
    if !page.admin {
        return Err(AppError::Forbidden.into());
    }
    let name = view.network.settings.name.to_string();
    let question = Confirm {
        heading: page.text_with("network-remove-question", "name", &name),
        consequence: page.text("network-remove-consequence"),
        action: page.text("network-remove-do"),
        back: format!("/o/{}/networks/{id}", page.slug),
        back_name: name,
        revision: view.network.revision,
        refusal,
        page,
    };
    shown_as(question.refusal.status(), &question)
}
