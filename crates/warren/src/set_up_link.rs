//! A new set-up link on request; served on the admin socket only, beside the API.

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use http::{StatusCode, header};
use warren_app::{App, AppError, installation};
use warren_wire::rest::v1::{InvitationLink, Problem};

/// Where it is asked for.
pub const PATH: &str = "/local/v1/set-up-link";

/// The route.
pub fn router(app: App) -> Router {
    Router::new().route(PATH, post(issue)).with_state(app)
}

async fn issue(State(app): State<App>) -> Response {
    match installation::issue_set_up_link(&app).await {
        Ok(Some(made)) => Json(InvitationLink { link: made.link, expires_at: made.expires_at }).into_response(),
        Ok(None) => problem(StatusCode::CONFLICT, "Warren is set up already; sign in at its portal."),
        Err(error) => {
            tracing::error!(cause = &error as &dyn std::error::Error, "no set-up link could be made");
            problem(status_of(&error), "The database cannot be used now; the log says why.")
        }
    }
}

const fn status_of(error: &AppError) -> StatusCode {
    match error {
        AppError::Unavailable(_) | AppError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn problem(status: StatusCode, detail: &str) -> Response {
    let body = Problem {
        kind: "about:blank".into(),
        title: status.to_string(),
        status: status.as_u16(),
        detail: detail.to_owned(),
        request_id: String::new(),
        errors: Vec::new(),
    };
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
}
