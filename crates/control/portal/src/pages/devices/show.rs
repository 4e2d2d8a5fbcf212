//! `/o/{organisation}/devices/{device}`: one device, its state, and what may be changed.

use std::time::Duration;

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use warren_app::{
    Inside,
    devices::{self, DeviceView},
    networks,
};
use warren_model::{DeviceId, DeviceState};
use warren_wire::rest::v1;

use super::{
    super::{
        form::{Refusal, Submitted, Values},
        page::Page,
        reader::Reader,
        shown_as,
        views::{Device, Network},
    },
    day_of,
    enrol::expiry_text,
};
use crate::{
    conversions::devices as convert,
    path::{Id, Slug},
    problem::Rejection,
};

/// How soon a device that was just added is thought to be late; the style sheet waits as long.
const LATE_AFTER: Duration = Duration::from_secs(20);

#[derive(Template)]
#[template(path = "devices/show.html")]
struct Shown {
    page: Page,
    view: Device,
    /// Of devices that may connect.
    network: Option<Network>,
    /// Whether its first handshake is late.
    long_since: bool,
    refusal: Refusal,
    values: Values,
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<DeviceId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let view = devices::show(&inside, id).await?;
    let values = Values::of([("name", view.device.name.to_string()), ("expires_at", day_of(view.device.expires_at))]);
    page(&reader, &inside, &view, values, Refusal::default()).await
}

pub(super) async fn submit(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<DeviceId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let view = devices::show(&inside, id).await?;
    let day = sent.values.present("expires_at");
    // The form knows days; a moment within the day that nobody touched stays as it is.
    let is_same_day = day.clone().unwrap_or_default() == day_of(view.device.expires_at);
    let body = v1::UpdateDevice {
        name: Some(sent.values.get("name").to_owned()),
        standing: None,
        expires_at: (!is_same_day).then(|| expiry_text(day.as_deref())),
    };
    let outcome = match convert::read_change(&body) {
        Ok(change) => devices::change(&inside, id, sent.values.expected(), change).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => Ok(Redirect::to(&format!("/o/{slug}/devices/{id}")).into_response()),
        Err(error) => {
            let refusal = Refusal::of(error.into(), &reader.facts.locale)?;
            page(&reader, &inside, &view, sent.values, refusal).await
        }
    }
}

/// Keeps the device out for now, or lets it in again.
pub(super) async fn submit_standing(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<DeviceId>,
    sent: Submitted,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let body = v1::UpdateDevice { standing: Some(sent.values.get("standing").to_owned()), ..Default::default() };
    let change = convert::read_change(&body)?;
    devices::change(&inside, id, sent.values.expected(), change).await?;
    Ok(Redirect::to(&format!("/o/{slug}/devices/{id}")).into_response())
}

/// The configuration file without its secrets.
pub(super) async fn configuration(
    reader: Reader,
    Slug(slug): Slug,
    Id(id): Id<DeviceId>,
) -> Result<Response, Rejection> {
    let file = devices::configuration(&reader.enter(&slug).await?, id).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.file_name)),
    ];
    Ok((headers, file.text).into_response())
}

async fn page(
    reader: &Reader,
    inside: &Inside<'_>,
    view: &DeviceView,
    values: Values,
    refusal: Refusal,
) -> Result<Response, Rejection> {
    let network = match view.state {
        DeviceState::Active => Some(Network::from(&networks::show(inside, view.device.network).await?)),
        _ => None,
    };
    let shown = Shown {
        page: reader.page(inside, "devices").await?,
        view: Device::from(view),
        network,
        long_since: reader.app.clock().now() - view.device.created_at >= LATE_AFTER,
        refusal,
        values,
    };
    shown_as(shown.refusal.status(), &shown)
}
