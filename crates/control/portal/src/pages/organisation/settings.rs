//! `/o/{organisation}/settings`: what admins decide about the organisation itself.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{AppError, Inside, organisations};
use warren_model::{Role, Timestamp};
use warren_wire::rest::v1;

use super::super::{
    form::{Refusal, Submitted, Values},
    page::Page,
    reader::Reader,
    shown_as,
};
use crate::{conversions::organisations as convert, path::Slug, problem::Rejection};

#[derive(Template)]
#[template(path = "organisation/settings.html")]
struct Shown {
    page: Page,
    refusal: Refusal,
    values: Values,
    created_at: Timestamp,
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let values = Values::of([("name", inside.organisation.name.to_string())]);
    page(&reader, &inside, values, Refusal::default()).await
}

pub(super) async fn submit(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let body = v1::UpdateOrganisation { name: Some(sent.values.get("name").to_owned()), state: None };
    let outcome = match convert::read_change(&body) {
        Ok(change) => organisations::change(&inside, sent.values.expected(), change).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("/o/{slug}")).into_response()),
        Err(error) => page(&reader, &inside, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

async fn page(reader: &Reader, inside: &Inside<'_>, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    if inside.insider.role() != Role::Admin {
        return Err(AppError::Forbidden.into());
    }
    let organisation = &inside.organisation;
    let shown = Shown {
        page: reader.page(inside, "settings").await?,
        refusal,
        values: values.with("revision", organisation.revision),
        created_at: organisation.created_at,
    };
    shown_as(shown.refusal.status(), &shown)
}
