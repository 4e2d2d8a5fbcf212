//! The API's document, and a page to read it and try it out, without a request to anywhere else.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::RawPathParams,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, header};
use utoipa_swagger_ui::Config;

use crate::{PortalState, problem::Rejection};

/// The document does not change while the process runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(super::openapi_json);

/// The page as it is served changes only with the software.
const CACHE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));

/// `/api/openapi.json` and `/api/docs/`.
pub(crate) fn router() -> Router<PortalState> {
    Router::new()
        .route("/api/openapi.json", get(document))
        .route("/api/docs", get(|| async { Redirect::permanent("/api/docs/") }))
        .route("/api/docs/", get(page))
        .route("/api/docs/{*file}", get(page))
}

async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), CACHE], DOCUMENT.as_str())
}

/// Swagger UI from the binary. It has no inline script or style of its own and runs under the portal's policy.
async fn page(params: RawPathParams) -> Result<Response, Rejection> {
    let file = params.iter().next().map_or("", |(_, file)| file);
    let config = Config::from("/api/openapi.json").use_base_layout().display_operation_id(true).validator_url("none");
    let found = utoipa_swagger_ui::serve(file, Arc::new(config)).map_err(|cause| {
        let message = cause.to_string();
        warren_app::AppError::Internal(message.into())
    })?;
    let found = found.ok_or_else(Rejection::no_such_page)?;
    let content_type = HeaderValue::from_str(&found.content_type).unwrap_or(HeaderValue::from_static("text/plain"));
    let mut response = ([(header::CONTENT_TYPE, content_type), CACHE], found.bytes.into_owned()).into_response();
    if found.gzpipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
