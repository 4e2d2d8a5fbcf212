//! `/o/{organisation}/networks/new` and `…/{network}/edit`: one form for both.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{
    AppError, Inside, gateways,
    networks::{self, Change, Create, NetworkView},
};
use warren_model::{
    GatewayId, NetworkId,
    network::{Keepalive, Mtu},
};
use warren_wire::rest::v1;

use super::super::{
    form::{Refusal, Submitted, Values, both},
    page::Page,
    reader::Reader,
    shown_as,
    views::{Choice, Network},
};
use crate::{
    conversions::networks as convert,
    fields::Fields,
    path::{Id, Slug},
    problem::Rejection,
};

/// The limits that the refusal of something that is no number names; the domain checks every number itself.
const MTU_BYTES: (i64, i64) = (1280, 9000);
const KEEPALIVE_SECONDS: (i64, i64) = (0, 600);

#[derive(Template)]
#[template(path = "networks/edit.html")]
struct Edit {
    page: Page,
    refusal: Refusal,
    values: Values,
    heading: String,
    back: String,
    back_name: String,
    making: bool,
    gateways: Vec<Choice>,
    /// Whether the fine tuning is open.
    unfolded: bool,
}

pub(super) async fn show_new(reader: Reader, Slug(slug): Slug) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let (ipv4, ipv6) = networks::suggest_prefixes(&inside).await?;
    let values = Values::of([
        ("ipv4_prefix", ipv4.to_string()),
        ("ipv6_prefix", ipv6.to_string()),
        ("tunnel", "split".into()),
        ("device_traffic", "allowed".into()),
        ("mtu", Mtu::default().bytes().to_string()),
        ("keepalive_seconds", Keepalive::default().seconds().to_string()),
    ]);
    let values = values.once(reader.app.random());
    making(&reader, &inside, values, Refusal::default()).await
}

pub(super) async fn submit_new(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let cx = reader.creating(sent.idempotency);
    let inside = cx.enter(&slug).await?;
    let outcome = match read_create(&sent.values) {
        Ok(input) => networks::create(&inside, input).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(view) => Ok(Redirect::to(&format!("/o/{slug}/networks/{}", view.network.id)).into_response()),
        Err(error) => making(&reader, &inside, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await,
    }
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<NetworkId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let view = networks::show(&inside, id).await?;
    let shown = Network::from(&view);
    let lines = |items: &[String]| items.join("\n");
    let prefixes = view.network.settings.prefixes;
    let values = Values::of([
        ("name", shown.name.clone()),
        ("ipv4_prefix", prefixes.ipv4().map(|net| net.to_string()).unwrap_or_default()),
        ("ipv6_prefix", prefixes.ipv6().map(|net| net.to_string()).unwrap_or_default()),
        ("tunnel", shown.tunnel.to_owned()),
        ("tunnel.routes", lines(&shown.routes)),
        ("dns_servers", lines(&shown.dns_servers)),
        ("search_domains", lines(&shown.search_domains)),
        ("device_traffic", if shown.device_traffic == "allowed" { "allowed".into() } else { String::new() }),
        ("mtu", shown.mtu.to_string()),
        ("keepalive_seconds", shown.keepalive_seconds.to_string()),
    ]);
    changing(&reader, &inside, &view, values, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<NetworkId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let view = networks::show(&inside, id).await?;
    let outcome = match read_change(&sent.values) {
        Ok(change) => networks::change(&inside, id, sent.values.expected(), change).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("/o/{slug}/networks/{id}")).into_response()),
        Err(error) => {
            changing(&reader, &inside, &view, sent.values, Refusal::of(error.into(), &reader.facts.locale)?).await
        }
    }
}

async fn making(reader: &Reader, inside: &Inside<'_>, values: Values, refusal: Refusal) -> Result<Response, Rejection> {
    let page = reader.page(inside, "networks").await?;
    let gateways = gateways::choices(inside).await?;
    let gateways = gateways.into_iter().map(|(id, name)| (id.to_string(), name.to_string()));
    let form = Edit {
        heading: page.text("network-add"),
        back: format!("/o/{}/networks", page.slug),
        back_name: page.text("networks"),
        making: true,
        gateways: Choice::list(gateways, values.get("gateway_id")),
        unfolded: concerns_fine_tuning(&refusal),
        page,
        refusal,
        values,
    };
    shown_as(form.refusal.status(), &form)
}

async fn changing(
    reader: &Reader,
    inside: &Inside<'_>,
    view: &NetworkView,
    values: Values,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let page = reader.page(inside, "networks").await?;
    if !page.admin {
        return Err(AppError::Forbidden.into());
    }
    let name = view.network.settings.name.to_string();
    let form = Edit {
        heading: page.text_with("network-change-heading", "name", &name),
        back: format!("/o/{}/networks/{}", page.slug, view.network.id),
        back_name: name,
        making: false,
        gateways: Vec::new(),
        unfolded: concerns_fine_tuning(&refusal) || !values.get("dns_servers").is_empty(),
        values: values.with("revision", view.network.revision),
        page,
        refusal,
    };
    shown_as(form.refusal.status(), &form)
}

fn concerns_fine_tuning(refusal: &Refusal) -> bool {
    ["dns_servers", "search_domains", "mtu", "keepalive_seconds"].iter().any(|field| refusal.at(field).is_some())
}

fn read_create(values: &Values) -> Result<Create, AppError> {
    let mut fields = Fields::default();
    let gateway = fields.read_optional("gateway_id", values.present("gateway_id").map(|id| id.parse::<GatewayId>()));
    let mine = if fields.errors().is_empty() { Ok(gateway.flatten()) } else { Err(fields.refuse()) };
    let (gateway, (mtu, keepalive)) = both(mine, numbers(values))?;
    convert::read_create(v1::CreateNetwork {
        name: values.get("name").to_owned(),
        ipv4_prefix: values.present("ipv4_prefix"),
        ipv6_prefix: values.present("ipv6_prefix"),
        dns_servers: values.lines("dns_servers"),
        search_domains: values.lines("search_domains"),
        tunnel: Some(tunnel(values)),
        device_traffic: Some(device_traffic(values)),
        mtu,
        keepalive_seconds: keepalive,
        gateway_id: gateway.map(GatewayId::uuid),
    })
}

fn read_change(values: &Values) -> Result<Change, AppError> {
    let (mtu, keepalive) = numbers(values)?;
    convert::read_change(v1::UpdateNetwork {
        name: Some(values.get("name").to_owned()),
        ipv4_prefix: Some(values.get("ipv4_prefix").trim().to_owned()),
        ipv6_prefix: Some(values.get("ipv6_prefix").trim().to_owned()),
        dns_servers: Some(values.lines("dns_servers")),
        search_domains: Some(values.lines("search_domains")),
        tunnel: Some(tunnel(values)),
        device_traffic: Some(device_traffic(values)),
        mtu,
        keepalive_seconds: keepalive,
    })
}

fn numbers(values: &Values) -> Result<(Option<i64>, Option<i64>), AppError> {
    both(values.number("mtu", MTU_BYTES), values.number("keepalive_seconds", KEEPALIVE_SECONDS))
}

fn tunnel(values: &Values) -> v1::Tunnel {
    match values.get("tunnel") {
        "full" => v1::Tunnel::Full,
        _ => v1::Tunnel::Split { routes: values.lines("tunnel.routes") },
    }
}

fn device_traffic(values: &Values) -> String {
    if values.get("device_traffic").is_empty() { "blocked".into() } else { "allowed".into() }
}
