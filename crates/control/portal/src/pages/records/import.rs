//! Sending a table, trying it, and doing it for real.

use axum::{
    extract::{
        Multipart, State,
        multipart::{Field, MultipartError, MultipartRejection},
    },
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, StatusCode};
use uuid::Uuid;
use warren_app::{AppError, Inside, files, imports};
use warren_model::{FileId, Invalid, JobId};
use warren_wire::rest::v1;

use super::{
    super::{
        form::{Refusal, Submitted, Values},
        reader::Reader,
    },
    overview,
};
use crate::{
    PortalState,
    conversions::records as convert,
    path::Slug,
    problem::{MEDIA_TYPE, Rejection},
    upload,
};

/// The inputs of the form, with room for what a browser adds.
const INPUTS_MAX: usize = 16;
const VALUE_BYTES_MAX: usize = 256;

/// Takes the form with the file in it, and starts the import.
pub(super) async fn upload(
    reader: Reader,
    Slug(slug): Slug,
    State(state): State<PortalState>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let form = form.map_err(|_| {
        Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, MEDIA_TYPE).with("expected", "multipart/form-data")
    })?;
    let mut values = Values::default();
    let outcome = match upload::admit(&state, &headers) {
        Err(rejection) => Err(rejection),
        Ok(_place) => match read(&inside, form, &mut values).await {
            Ok(file) => start(&reader, &inside, &values, file.uuid()).await,
            Err(rejection) => Err(rejection),
        },
    };
    match outcome {
        Ok(job) => Ok(Redirect::to(&format!("/o/{slug}/records/jobs/{job}")).into_response()),
        Err(rejection) => {
            let locale = reader.facts.locale;
            let mut refusal = Refusal::of(rejection, &locale)?;
            refusal.say("file", &locale.text("import-file-missing", &[]));
            overview::page(&reader, &inside, values, refusal).await
        }
    }
}

/// Starts an import of what was uploaded before, as the page of a result offers it.
pub(super) async fn again(reader: Reader, Slug(slug): Slug, sent: Submitted) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let file: FileId = sent.values.get("file_id").parse().map_err(|invalid| Rejection::from(("file_id", invalid)))?;
    let job = start(&reader, &inside, &sent.values, file.uuid()).await?;
    Ok(Redirect::to(&format!("/o/{slug}/records/jobs/{job}")).into_response())
}

async fn start(reader: &Reader, inside: &Inside<'_>, values: &Values, file_id: Uuid) -> Result<JobId, Rejection> {
    let get = |name| values.get(name).to_owned();
    let body = v1::StartImport {
        file_id,
        kind: get("kind"),
        mode: get("mode"),
        renew_pending: values.present("renew_pending").is_some(),
        language: None,
    };
    let start = convert::read_import(&body, reader.facts.locale.of_files())?;
    Ok(imports::start(inside, start).await?)
}

/// Reads the inputs into `values`, and the file into the organisation's database as it comes.
async fn read(inside: &Inside<'_>, mut form: Multipart, values: &mut Values) -> Result<FileId, Rejection> {
    let mut file = None;
    for _ in 0..INPUTS_MAX {
        let Some(mut field) = form.next_field().await.map_err(refused)? else { break };
        match (field.name().map(str::to_owned), field.file_name().map(str::to_owned)) {
            (Some(name), Some(file_name)) if name == "file" && !file_name.is_empty() && file.is_none() => {
                let media_type = field.content_type().unwrap_or("text/csv").to_owned();
                let sink = files::upload(inside, &file_name, &media_type).await?;
                file = Some(upload::receive(sink, field).await?.id);
            }
            (Some(name), None) => values.put(name, text(&mut field).await?),
            _ => {}
        }
    }
    file.ok_or_else(|| AppError::field("file", Invalid::Empty).into())
}

async fn text(field: &mut Field<'_>) -> Result<String, Rejection> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(refused)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > VALUE_BYTES_MAX {
            return Err(upload::broken());
        }
    }
    String::from_utf8(bytes).map_err(|_| upload::broken())
}

fn refused(error: MultipartError) -> Rejection {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE { upload::too_large() } else { upload::broken() }
}
