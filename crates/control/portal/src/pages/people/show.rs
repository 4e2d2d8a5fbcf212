//! `/o/{organisation}/people/{person}`: one person and the role held.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{AppError, Inside, people};
use warren_model::{AccountId, Person};
use warren_wire::rest::v1;

use super::super::{
    form::{Refusal, Submitted, Values},
    page::Page,
    reader::Reader,
    shown_as,
    views::Member,
};
use crate::{
    conversions::people as convert,
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "people/show.html")]
struct Shown {
    page: Page,
    refusal: Refusal,
    person: Member,
    values: Values,
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<AccountId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let person = people::show(&inside, id).await?;
    let values = Values::of([("role", person.role.as_str().into())]);
    page(&reader, &inside, &person, values, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<AccountId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let outcome = match convert::read_role(&v1::UpdatePerson { role: sent.values.get("role").to_owned() }) {
        Ok(role) => people::change_role(&inside, id, sent.values.expected(), role).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("/o/{slug}/people")).into_response()),
        Err(error) => {
            let refusal = Refusal::of(error.into(), &reader.facts.locale)?;
            let person = people::show(&inside, id).await?;
            page(&reader, &inside, &person, sent.values, refusal).await
        }
    }
}

async fn page(
    reader: &Reader,
    inside: &Inside<'_>,
    person: &Person,
    values: Values,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let page = reader.page(inside, "people").await?;
    if !page.admin {
        return Err(AppError::Forbidden.into());
    }
    let shown = Shown { page, refusal, person: Member::from(person), values };
    shown_as(shown.refusal.status(), &shown)
}
