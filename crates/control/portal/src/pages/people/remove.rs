//! `/o/{organisation}/people/{person}/remove`: asks, and removes.

use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{AppError, Inside, people};
use warren_model::AccountId;

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

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<AccountId>) -> Result<Response, Rejection> {
    ask(&reader, &reader.enter(&slug).await?, id, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<AccountId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    match people::remove(&inside, id, sent.values.expected()).await {
        // Who removed themselves has no place here any more.
        Ok(()) if id == reader.session.account.id => Ok(Redirect::to("/").into_response()),
        Ok(()) => Ok(Redirect::to(&format!("/o/{slug}/people")).into_response()),
        Err(error) => ask(&reader, &inside, id, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

async fn ask(reader: &Reader, inside: &Inside<'_>, id: AccountId, refusal: Refusal) -> Result<Response, Rejection> {
    let person = people::show(inside, id).await?;
    let page = reader.page(inside, "people").await?;
    if !page.admin {
        return Err(AppError::Forbidden.into());
    }
    let question = Confirm {
        heading: page.text_with("person-remove-question", "name", &person.name),
        consequence: page.text("person-remove-consequence"),
        action: page.text("person-remove-do"),
        back: format!("/o/{}/people/{id}", page.slug),
        back_name: person.name.to_string(),
        revision: person.revision,
        refusal,
        page,
    };
    shown_as(question.refusal.status(), &question)
}
