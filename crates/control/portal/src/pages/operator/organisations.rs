//! `/operator/organisations`: all of them, a new one, and what the operator decides about one.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::organisations;
use warren_model::{OrganisationSlug, Timestamp, organisation::Organisation};
use warren_wire::rest::v1;

use super::super::{
    form::{Refusal, Submitted, Values},
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown, shown_as,
};
use crate::{conversions::organisations as convert, paging::Paging, path::Slug, problem::Rejection};

#[derive(Template)]
#[template(path = "operator/organisations.html")]
struct List {
    page: Page,
    organisations: Vec<Entry>,
    pager: Pager,
}

struct Entry {
    slug: String,
    name: String,
    state: &'static str,
    created_at: Timestamp,
}

#[derive(Template)]
#[template(path = "operator/organisation.html")]
struct Edit {
    page: Page,
    refusal: Refusal,
    values: Values,
    heading: String,
    making: bool,
}

pub(super) async fn list(reader: Reader, Paging(request): Paging) -> Result<Response, Rejection> {
    let page = reader.operator_page("organisations").await?;
    let found = organisations::page(&reader, &request).await?;
    let pager = Pager::of(&found, "/operator/organisations", &[], CursorGiven::of(&request));
    let entries = found.items.into_iter().map(|membership| Entry {
        slug: membership.organisation.slug.to_string(),
        name: membership.organisation.name.to_string(),
        state: membership.organisation.state.as_str(),
        created_at: membership.organisation.created_at,
    });
    shown(&List { page, organisations: entries.collect(), pager })
}

pub(super) async fn show_new(reader: Reader) -> Result<Response, Rejection> {
    let values = Values::default().once(reader.app.random());
    making(&reader, values, Refusal::default()).await
}

pub(super) async fn submit_new(reader: Reader, sent: Submitted) -> Result<Response, Rejection> {
    let cx = reader.creating(sent.idempotency);
    let get = |name| sent.values.get(name).to_owned();
    let outcome = match convert::read_create(&v1::CreateOrganisation { slug: get("slug"), name: get("name") }) {
        Ok(input) => organisations::create(&cx, input).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(organisation) => Ok(Redirect::to(&format!("/o/{}", organisation.slug)).into_response()),
        Err(error) => making(&reader, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let organisation = reader.enter(&slug).await?.organisation;
    let values = Values::of([("name", organisation.name.to_string())]);
    changing(&reader, &organisation, values, Refusal::default()).await
}

pub(super) async fn submit(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let body = v1::UpdateOrganisation { name: Some(sent.values.get("name").to_owned()), state: None };
    apply(&reader, &slug, sent, body).await
}

/// Suspends the organisation or resumes it.
pub(super) async fn submit_state(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let body = v1::UpdateOrganisation { name: None, state: Some(sent.values.get("state").to_owned()) };
    apply(&reader, &slug, sent, body).await
}

async fn apply(
    reader: &Reader,
    slug: &OrganisationSlug,
    sent: Submitted,
    body: v1::UpdateOrganisation,
) -> Result<Response, Rejection> {
    let inside = reader.enter(slug).await?;
    let outcome = match convert::read_change(&body) {
        Ok(change) => organisations::change(&inside, sent.values.expected(), change).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(Redirect::to("/operator/organisations").into_response()),
        Err(error) => {
            let refusal = Refusal::of(error.into(), &reader.facts.locale)?;
            let name = body.name.unwrap_or_else(|| inside.organisation.name.to_string());
            changing(reader, &inside.organisation, Values::of([("name", name)]), refusal).await
        }
    }
}

async fn making(reader: &Reader, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    let page = reader.operator_page("organisations").await?;
    let form = Edit { heading: page.text("organisation-add"), page, refusal, values, making: true };
    shown_as(form.refusal.status(), &form)
}

async fn changing(
    reader: &Reader,
    organisation: &Organisation,
    values: Values,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let page = reader.operator_page("organisations").await?;
    let values = values
        .with("slug", &organisation.slug)
        .with("state", organisation.state.as_str())
        .with("revision", organisation.revision);
    let heading = page.text_with("organisation-change-heading", "name", &organisation.name);
    let form = Edit { page, refusal, values, heading, making: false };
    shown_as(form.refusal.status(), &form)
}
