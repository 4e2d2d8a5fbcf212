//! Files of an organisation: what is uploaded to be imported, and what jobs made.

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::files;
use warren_model::FileId;
use warren_wire::rest::v1;

use super::{
    parameters::{InOrganisation, OneFile, PageParameters},
    problems::{Finding, Uploading},
};
use crate::{
    PortalState,
    attachment::attachment,
    caller::Caller,
    conversions::records as convert,
    paging::{self, Asked, Paging},
    path::{Id, Slug},
    problem::Rejection,
    upload,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(list, upload)).routes(routes!(show, remove)).routes(routes!(fetch))
}

/// Which files are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// `upload`, `outcome`, `export` or `report`.
    #[param(required, example = "export")]
    purpose: Option<String>,
}

/// What an uploaded file is called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct UploadQuery {
    /// The file's name, 1 to 200 characters.
    #[param(required, example = "people.csv", max_length = 200)]
    name: Option<String>,
}

/// List files
///
/// Those of one purpose, the newest first. Admins.
#[utoipa::path(
    get, path = "/organisations/{organisation}/files", operation_id = "listFiles", tag = "Files",
    params(InOrganisation, FileQuery, PageParameters),
    responses((status = 200, description = "A page of files.", body = v1::Page<v1::File>), Finding),
)]
async fn list(
    caller: Caller,
    Slug(slug): Slug,
    Asked(query): Asked<FileQuery>,
    Paging(page): Paging,
) -> Result<Json<v1::Page<v1::File>>, Rejection> {
    let inside = caller.enter(&slug).await?;
    let purpose = convert::read_purpose(query.purpose.as_deref())?;
    let page = files::page(&inside, purpose, &page).await?;
    Ok(Json(paging::on_the_wire(page, |file| convert::file(&file))))
}

/// Upload a file
///
/// The body is the file itself, at most 256 MiB, under the name that the query gives. It is kept for a day, to be imported.
/// Admins.
#[utoipa::path(
    post, path = "/organisations/{organisation}/files", operation_id = "uploadFile", tag = "Files",
    params(InOrganisation, UploadQuery),
    request_body(content = String, content_type = "text/csv", example = "email,name\r\nben@example.org,Ben Carter\r\n"),
    responses((status = 201, description = "Uploaded.", body = v1::File, headers(("Location" = String))), Uploading),
)]
async fn upload(
    caller: Caller,
    Slug(slug): Slug,
    Asked(query): Asked<UploadQuery>,
    State(state): State<PortalState>,
    request: Request,
) -> Result<impl IntoResponse, Rejection> {
    let inside = caller.enter(&slug).await?;
    let _place = upload::admit(&state, request.headers())?;
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("application/octet-stream").to_owned();
    let sink = files::upload(&inside, query.name.as_deref().unwrap_or_default(), &media_type).await?;
    let file = upload::receive(sink, request.into_body().into_data_stream()).await?;
    let location = [(header::LOCATION, format!("/api/v1/organisations/{slug}/files/{}", file.id))];
    Ok((StatusCode::CREATED, location, Json(convert::file(&file))))
}

/// Show a file
///
/// What is known of it. Admins, and whoever it belongs to.
#[utoipa::path(
    get, path = "/organisations/{organisation}/files/{file}", operation_id = "showFile", tag = "Files",
    params(InOrganisation, OneFile),
    responses((status = 200, description = "The file.", body = v1::File), Finding),
)]
async fn show(caller: Caller, Slug(slug): Slug, Id(id): Id<FileId>) -> Result<Json<v1::File>, Rejection> {
    Ok(Json(convert::file(&files::show(&caller.enter(&slug).await?, id).await?)))
}

/// Download a file
///
/// Written into the activity, as what is in it leaves the installation. Admins, and whoever it belongs to.
#[utoipa::path(
    get, path = "/organisations/{organisation}/files/{file}/content", operation_id = "downloadFile", tag = "Files",
    params(InOrganisation, OneFile),
    responses(
        (
            status = 200, description = "The file itself.", body = String, content_type = "application/octet-stream",
            headers(("Content-Disposition" = String), ("Content-Length" = u64)),
        ),
        Finding,
    ),
)]
async fn fetch(caller: Caller, Slug(slug): Slug, Id(id): Id<FileId>) -> Result<Response, Rejection> {
    Ok(attachment(files::fetch(&caller.enter(&slug).await?, id).await?))
}

/// Remove a file
///
/// Before its time. Admins, and whoever it belongs to.
#[utoipa::path(
    delete, path = "/organisations/{organisation}/files/{file}", operation_id = "removeFile", tag = "Files",
    params(InOrganisation, OneFile),
    responses((status = 204, description = "Removed."), Finding),
)]
async fn remove(caller: Caller, Slug(slug): Slug, Id(id): Id<FileId>) -> Result<StatusCode, Rejection> {
    files::remove(&caller.enter(&slug).await?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
