//! `/o/{organisation}/devices/{device}/revoke`: asks, and revokes.

use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{Inside, devices};
use warren_model::DeviceId;

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

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<DeviceId>) -> Result<Response, Rejection> {
    ask(&reader, &reader.enter(&slug).await?, id, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<DeviceId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    match devices::revoke(&inside, id, sent.values.expected()).await {
        Ok(_) => Ok(Redirect::to(&format!("/o/{slug}/devices/{id}")).into_response()),
        Err(error) => ask(&reader, &inside, id, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

async fn ask(reader: &Reader, inside: &Inside<'_>, id: DeviceId, refusal: Refusal) -> Result<Response, Rejection> {
    let view = devices::show(inside, id).await?;
    let page = reader.page(inside, "devices").await?;
    let question = Confirm {
        heading: page.text_with("device-revoke-question", "name", &view.device.name),
        consequence: page.text("device-revoke-consequence"),
        action: page.text("device-revoke-do"),
        back: format!("/o/{}/devices/{id}", page.slug),
        back_name: view.device.name.to_string(),
        revision: view.device.revision,
        refusal,
        page,
    };
    shown_as(question.refusal.status(), &question)
}
