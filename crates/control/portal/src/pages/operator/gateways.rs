//! `/operator/gateways`: all of them, and one of them.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::gateways::{self, GatewayView};
use warren_model::GatewayId;
use warren_wire::rest::v1;

use super::super::{
    confirm::Confirm,
    form::{Refusal, Submitted, Values},
    page::Page,
    pager::{CursorGiven, Pager},
    reader::Reader,
    shown, shown_as,
    views::Gateway,
};
use crate::{conversions::gateways as convert, paging::Paging, path::Id, problem::Rejection};

#[derive(Template)]
#[template(path = "operator/gateways.html")]
struct List {
    page: Page,
    gateways: Vec<Gateway>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "operator/gateway.html")]
struct Shown {
    page: Page,
    refusal: Refusal,
    values: Values,
    gateway: Gateway,
}

pub(super) async fn list(reader: Reader, Paging(request): Paging) -> Result<Response, Rejection> {
    let page = reader.operator_page("gateways").await?;
    let found = gateways::page(&reader, &request).await?;
    let pager = Pager::of(&found, "/operator/gateways", &[], CursorGiven::of(&request));
    shown(&List { page, gateways: found.items.iter().map(Gateway::from).collect(), pager })
}

pub(super) async fn show(reader: Reader, Id(id): Id<GatewayId>) -> Result<Response, Rejection> {
    let view = gateways::show(&reader, id).await?;
    let values =
        Values::of([("name", view.gateway.name.to_string()), ("endpoint_host", view.gateway.endpoint.to_string())]);
    page(&reader, &view, values, Refusal::default()).await
}

pub(super) async fn submit(reader: Reader, Id(id): Id<GatewayId>, sent: Submitted) -> Result<Response, Rejection> {
    let get = |name| Some(sent.values.get(name).to_owned());
    let outcome =
        match convert::read_change(&v1::UpdateGateway { name: get("name"), endpoint_host: get("endpoint_host") }) {
            Ok(change) => gateways::change(&reader, id, sent.values.expected(), change).await,
            Err(error) => Err(error),
        };
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("/operator/gateways/{id}")).into_response()),
        Err(error) => {
            let refusal = Refusal::of(error.into(), &reader.facts.locale)?;
            page(&reader, &gateways::show(&reader, id).await?, sent.values, refusal).await
        }
    }
}

pub(super) async fn ask_removal(reader: Reader, Id(id): Id<GatewayId>) -> Result<Response, Rejection> {
    ask(&reader, id, Refusal::default()).await
}

pub(super) async fn submit_removal(
    reader: Reader,
    Id(id): Id<GatewayId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    match gateways::remove(&reader, id, sent.values.expected()).await {
        Ok(()) => Ok(Redirect::to("/operator/gateways").into_response()),
        Err(error) => ask(&reader, id, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

async fn page(reader: &Reader, view: &GatewayView, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    let shown = Shown { page: reader.operator_page("gateways").await?, refusal, values, gateway: Gateway::from(view) };
    shown_as(shown.refusal.status(), &shown)
}

async fn ask(reader: &Reader, id: GatewayId, refusal: Refusal) -> Result<Response, Rejection> {
    let view = gateways::show(reader, id).await?;
    let page = reader.operator_page("gateways").await?;
    let question = Confirm {
        heading: page.text_with("gateway-remove-question", "name", &view.gateway.name),
        consequence: page.text("gateway-remove-consequence"),
        action: page.text("gateway-remove-do"),
        back: format!("/operator/gateways/{id}"),
        back_name: view.gateway.name.to_string(),
        revision: view.gateway.revision,
        refusal,
        page,
    };
    shown_as(question.refusal.status(), &question)
}
