//! Setting up, signing in and out.

use axum::{
    Json,
    extract::State,
    response::{AppendHeaders, IntoResponse},
};
use http::{StatusCode, header};
use utoipa_axum::{router::OpenApiRouter, routes};
use warren_app::{
    AppError, OpContext, installation, organisations,
    sessions::{self, SignedIn},
};
use warren_wire::rest::v1;

use super::problems::{Proving, Reading};
use crate::{
    PortalState,
    body::Body,
    caller::{Caller, UserAgent, Visitor},
    conversions::access,
    problem::Rejection,
    request::RequestFacts,
    session,
};

pub(super) fn router() -> OpenApiRouter<PortalState> {
    OpenApiRouter::new().routes(routes!(set_up)).routes(routes!(sign_in, show, sign_out))
}

/// Set the installation up
///
/// Makes the operator and the first organisation with the operator as its admin, and signs the operator in. Takes the token
/// of the link that `warren up` prints; it works once and for 24 hours.
#[utoipa::path(
    post, path = "/set-up", operation_id = "setUp", tag = "Access", security(()),
    request_body = v1::SetUp,
    responses((status = 201, description = "Set up and signed in.", body = v1::Session, headers(("Set-Cookie" = String))), Proving),
)]
async fn set_up(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Visitor(cx): Visitor,
    UserAgent(browser): UserAgent,
    Body(body): Body<v1::SetUp>,
) -> Result<impl IntoResponse, Rejection> {
    let input = access::read_set_up(body)?;
    let signed_in = state.prove(&facts, installation::set_up(&cx, input, browser)).await?;
    Ok((StatusCode::CREATED, welcome(cx, signed_in).await?))
}

/// Sign in
///
/// Begins a session, which lives in the cookie that the answer sets. A wrong address and a wrong password are not told apart.
#[utoipa::path(
    post, path = "/session", operation_id = "signIn", tag = "Access", security(()),
    request_body = v1::SignIn,
    responses((status = 201, description = "Signed in.", body = v1::Session, headers(("Set-Cookie" = String))), Proving),
)]
async fn sign_in(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Visitor(cx): Visitor,
    UserAgent(browser): UserAgent,
    Body(body): Body<v1::SignIn>,
) -> Result<impl IntoResponse, Rejection> {
    let (email, password) = access::read_sign_in(body)?;
    let signed_in = state.prove(&facts, sessions::sign_in(&cx, email, password, browser)).await?;
    Ok((StatusCode::CREATED, welcome(cx, signed_in).await?))
}

/// Show the session
///
/// Who is signed in, until when, and which organisations they belong to.
#[utoipa::path(
    get, path = "/session", operation_id = "showSession", tag = "Access",
    responses((status = 200, description = "The session.", body = v1::Session), Reading),
)]
async fn show(caller: Caller) -> Result<Json<v1::Session>, Rejection> {
    // The admin socket knows its caller without a session.
    let session = caller.session.as_ref().ok_or(AppError::NotSignedIn)?;
    let memberships = organisations::mine(&caller).await?;
    Ok(Json(access::session(session, &memberships)))
}

/// Sign out
///
/// Ends the session at once, everywhere it is used.
#[utoipa::path(
    delete, path = "/session", operation_id = "signOut", tag = "Access",
    responses((status = 204, description = "Signed out."), Reading),
)]
async fn sign_out(caller: Caller) -> Result<impl IntoResponse, Rejection> {
    let session = caller.session.as_ref().ok_or(AppError::NotSignedIn)?;
    sessions::sign_out(&caller, session.id).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, session::no_cookie())])))
}

/// The answer to everybody who just signed in.
pub(super) async fn welcome(cx: OpContext, signed_in: SignedIn) -> Result<impl IntoResponse, Rejection> {
    let cookie = session::cookie_of(&cx.app, &signed_in);
    let cx = OpContext { subject: signed_in.session.subject(), ..cx };
    let memberships = organisations::mine(&cx).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(access::session(&signed_in.session, &memberships))))
}
