//! `/operator/gateways/new`: a gateway on another host, and the command that makes that host the gateway.

use askama::Template;
use axum::response::Response;
use warren_app::{
    AppError,
    gateways::{self, JoinToken},
};
use warren_model::{GatewayId, Timestamp, gateway::Gateway};
use warren_wire::rest::v1;

use super::super::{
    form::{Refusal, Submitted, Values},
    page::Page,
    reader::Reader,
    shown, shown_as,
};
use crate::{conversions::gateways as convert, path::Id, problem::Rejection};

/// The limits that the refusal of something that is no number names.
const PORTS: (i64, i64) = (1, 65_535);

#[derive(Template)]
#[template(path = "operator/gateway_new.html")]
struct New {
    page: Page,
    refusal: Refusal,
    values: Values,
}

#[derive(Template)]
#[template(path = "operator/gateway_join.html")]
struct Join {
    page: Page,
    id: GatewayId,
    name: String,
    command: String,
    expires_at: Timestamp,
}

pub(super) async fn show_new(reader: Reader) -> Result<Response, Rejection> {
    let values = Values::of([("first_port", Gateway::FIRST_PORT_DEFAULT.to_string())]).once(reader.app.random());
    form(&reader, values, Refusal::default()).await
}

pub(super) async fn submit_new(reader: Reader, sent: Submitted) -> Result<Response, Rejection> {
    let cx = reader.creating(sent.idempotency);
    let outcome = match read(&sent.values) {
        Ok(input) => gateways::create(&cx, input).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok((view, join)) => command(&reader, view.gateway.id, view.gateway.name.to_string(), join).await,
        Err(error) => form(&reader, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

/// A new command in place of one that was lost or has expired.
pub(super) async fn renew(reader: Reader, Id(id): Id<GatewayId>) -> Result<Response, Rejection> {
    let name = gateways::show(&reader, id).await?.gateway.name.to_string();
    let join = gateways::renew_join(&reader, id).await?;
    command(&reader, id, name, join).await
}

fn read(values: &Values) -> Result<gateways::Create, AppError> {
    let first_port = values.number("first_port", PORTS)?;
    let get = |name| values.get(name).to_owned();
    convert::read_create(&v1::CreateGateway { name: get("name"), endpoint_host: get("endpoint_host"), first_port })
}

async fn form(reader: &Reader, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    let form = New { page: reader.operator_page("gateways").await?, refusal, values };
    shown_as(form.refusal.status(), &form)
}

/// Shown at once: the token in it is kept nowhere to be shown later.
async fn command(reader: &Reader, id: GatewayId, name: String, join: JoinToken) -> Result<Response, Rejection> {
    let page = reader.operator_page("gateways").await?;
    shown(&Join { page, id, name, command: join.command, expires_at: join.expires_at })
}
