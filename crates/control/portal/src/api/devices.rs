//! Devices.

use axum::{Json, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::devices::{self, Filter};
use warren_model::DeviceId;
use warren_wire::rest::v1;

use super::{
    parameters::{ChangeHeaders, CreationHeaders, InOrganisation, OneDevice, PageParameters},
    problems::{Changing, Creating, Finding, Removing},
};
use crate::{
    PortalState,
    body::{Body, Creation},
    caller::Caller,
    conversions::devices as convert,
    fields::Fields,
    paging::{self, Asked, Paging},
    path::{Id, Slug},
    precondition::{IfMatch, etag},
    problem::Rejection,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new()
        .routes(routes!(list, enrol))
        .routes(routes!(show, change))
        .routes(routes!(revoke))
        .routes(routes!(configuration))
}

/// Which devices are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DeviceQuery {
    /// Only devices of this network.
    #[param(value_type = Option<uuid::Uuid>)]
    network: Option<String>,
    /// Only devices of this person. Members see their own whatever they ask for.
    #[param(value_type = Option<uuid::Uuid>)]
    owner: Option<String>,
    /// Part of a name, in any case.
    #[param(example = "laptop", max_length = 60)]
    q: Option<String>,
}

impl DeviceQuery {
    fn read(self) -> Result<Filter, Rejection> {
        let mut fields = Fields::default();
        let network = fields.read_optional("network", self.network.map(|id| id.parse()));
        let owner = fields.read_optional("owner", self.owner.map(|id| id.parse()));
        let (Some(network), Some(owner)) = (network, owner) else { return Err(fields.refuse().into()) };
        // A name has at most 60 characters; a longer text is part of none.
        Ok(Filter {
            network,
            owner,
            text: self.q.filter(|text| !text.is_empty()).map(|text| text.chars().take(61).collect()),
        })
    }
}

/// List devices
///
/// Admins see all, members their own.
#[utoipa::path(
    get, path = "/organisations/{organisation}/devices", operation_id = "listDevices", tag = "Devices",
    params(InOrganisation, DeviceQuery, PageParameters),
    responses((status = 200, description = "A page of devices.", body = v1::Page<v1::Device>), Finding),
)]
async fn list(
    caller: Caller,
    Slug(slug): Slug,
    Asked(query): Asked<DeviceQuery>,
    Paging(page): Paging,
) -> Result<Json<v1::Page<v1::Device>>, Rejection> {
    let filter = query.read()?;
    let page = devices::page(&caller.enter(&slug).await?, filter, &page).await?;
    Ok(Json(paging::on_the_wire(page, |view| convert::device(&view))))
}

/// Enrol a device
///
/// Leases its addresses and gives its configuration. With `key.made_by` `device` the private key stays where it was made; with
/// `server` it is part of the answer, this once, and stored nowhere. A request that is sent again gets 409 when its answer
/// held a secret. Members enrol devices of their own, admins anybody's.
#[utoipa::path(
    post, path = "/organisations/{organisation}/devices", operation_id = "enrolDevice", tag = "Devices",
    params(InOrganisation, CreationHeaders),
    request_body(content = v1::EnrolDevice, examples(
        ("key made by the device" = (value = json!({
            "name": "Anna's laptop", "network_id": "0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01",
            "key": {"made_by": "device", "public_key": "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="},
        }))),
        ("key made by the server" = (value = json!({
            "name": "Anna's phone", "network_id": "0192f3a4-7c1e-7b1a-9c7e-0d2f4a6b8c01",
            "key": {"made_by": "server"}, "preshared_key": true, "expires_at": "2027-01-31T00:00:00Z",
        }))),
    )),
    responses(
        (status = 201, description = "Enrolled.", body = v1::EnrolledDevice, headers(("ETag" = String), ("Location" = String))),
        Creating,
    ),
)]
async fn enrol(
    caller: Caller,
    Slug(slug): Slug,
    creation: Creation<v1::EnrolDevice>,
) -> Result<impl IntoResponse, Rejection> {
    let cx = caller.creating(creation.idempotency);
    let inside = cx.enter(&slug).await?;
    let enrolled = devices::enrol(&inside, convert::read_enrol(creation.body)?).await?;
    let device = &enrolled.view.device;
    let location = [(header::LOCATION, format!("/api/v1/organisations/{slug}/devices/{}", device.id))];
    Ok((StatusCode::CREATED, etag(device.revision), location, Json(convert::enrolled(enrolled))))
}

/// Show a device
///
/// Its owner, and admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/devices/{device}", operation_id = "showDevice", tag = "Devices",
    params(InOrganisation, OneDevice),
    responses((status = 200, description = "The device.", body = v1::Device, headers(("ETag" = String))), Finding),
)]
async fn show(caller: Caller, Slug(slug): Slug, Id(id): Id<DeviceId>) -> Result<impl IntoResponse, Rejection> {
    let view = devices::show(&caller.enter(&slug).await?, id).await?;
    Ok((etag(view.device.revision), Json(convert::device(&view))))
}

/// Change a device
///
/// Renames it, keeps it out for now or lets it in again, or changes when it expires. Its gateway follows within milliseconds and
/// disturbs no other device. Its owner, and admins.
#[utoipa::path(
    patch, path = "/organisations/{organisation}/devices/{device}", operation_id = "changeDevice", tag = "Devices",
    params(InOrganisation, OneDevice, ChangeHeaders), request_body = v1::UpdateDevice,
    responses((status = 200, description = "As it is now.", body = v1::Device, headers(("ETag" = String))), Changing),
)]
async fn change(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<DeviceId>,
    IfMatch(expected): IfMatch,
    Body(body): Body<v1::UpdateDevice>,
) -> Result<impl IntoResponse, Rejection> {
    let change = convert::read_change(&body)?;
    let view = devices::change(&caller.enter(&slug).await?, id, expected, change).await?;
    Ok((etag(view.device.revision), Json(convert::device(&view))))
}

/// Revoke a device
///
/// Keeps it out for ever and frees its addresses. Its owner, and admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/devices/{device}/revoke", operation_id = "revokeDevice", tag = "Devices",
    params(InOrganisation, OneDevice, ChangeHeaders),
    responses((status = 200, description = "As it is now.", body = v1::Device, headers(("ETag" = String))), Removing),
)]
async fn revoke(
    caller: Caller,
    Slug(slug): Slug,
    Id(id): Id<DeviceId>,
    IfMatch(expected): IfMatch,
) -> Result<impl IntoResponse, Rejection> {
    let view = devices::revoke(&caller.enter(&slug).await?, id, expected).await?;
    Ok((etag(view.device.revision), Json(convert::device(&view))))
}

/// Download a device's configuration
///
/// The WireGuard configuration file, with `REPLACE_WITH_THE_PRIVATE_KEY_OF_THIS_DEVICE` where the private key goes and without the
/// pre-shared key, both of which were shown when the device was enrolled. Its owner, and admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/devices/{device}/configuration", operation_id = "downloadConfiguration",
    tag = "Devices", params(InOrganisation, OneDevice),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/plain", headers(("Content-Disposition" = String))),
        Creating,
    ),
)]
async fn configuration(caller: Caller, Slug(slug): Slug, Id(id): Id<DeviceId>) -> Result<impl IntoResponse, Rejection> {
    let file = devices::configuration(&caller.enter(&slug).await?, id).await?;
    // The name holds only a-z, 0-9, hyphens and one dot.
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", file.file_name));
    let disposition = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, file.text))
}
