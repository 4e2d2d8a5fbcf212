//! `/sign-in` and `/sign-out`.

use askama::Template;
use axum::{
    extract::State,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use http::header;
use serde::Deserialize;
use warren_app::{installation, sessions};
use warren_wire::rest::v1;

use super::{
    super::{
        form::{Refusal, Submitted},
        page::Page,
        reader::{Reader, own_path},
        shown_as,
    },
    welcome,
};
use crate::{
    PortalState,
    caller::{MaybeSession, UserAgent, Visitor},
    conversions::access,
    paging::Asked,
    problem::Rejection,
    request::RequestFacts,
    session,
};

#[derive(Template)]
#[template(path = "door/sign_in.html")]
struct SignIn {
    page: Page,
    refusal: Refusal,
    email: String,
    next: String,
    signed_out: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Query {
    next: Option<String>,
    #[serde(rename = "signed-out")]
    signed_out: Option<String>,
}

/// The form; who is signed in already is led on, and an installation that nobody has set up yet is set up first.
pub(super) async fn show(
    State(state): State<PortalState>,
    facts: RequestFacts,
    MaybeSession(session): MaybeSession,
    Asked(query): Asked<Query>,
) -> Result<Response, Rejection> {
    let next = own_path(query.next.as_deref().unwrap_or("/")).to_owned();
    if session.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    if !installation::is_set_up(state.app()).await? {
        return Ok(Redirect::to("/set-up").into_response());
    }
    let signed_out = query.signed_out.is_some();
    let form = SignIn {
        page: Page::door(&facts, "/sign-in"),
        refusal: Refusal::default(),
        email: String::new(),
        next,
        signed_out,
    };
    shown_as(form.refusal.status(), &form)
}

pub(super) async fn submit(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Visitor(cx): Visitor,
    UserAgent(browser): UserAgent,
    form: Submitted,
) -> Result<Response, Rejection> {
    let (email, password) = (form.values.get("email").to_owned(), form.values.get("password").to_owned());
    let outcome = match access::read_sign_in(v1::SignIn { email: email.clone(), password }) {
        Ok((email, password)) => state.prove(&facts, sessions::sign_in(&cx, email, password, browser)).await,
        Err(error) => Err(error.into()),
    };
    let next = form.values.get("next").to_owned();
    let rejection = match outcome {
        Ok(signed_in) => return Ok(welcome(&state, &signed_in, &next)),
        Err(rejection) => rejection,
    };
    let refusal = Refusal::of(rejection, &facts.locale)?;
    let form = SignIn { page: Page::door(&facts, "/sign-in"), refusal, email, next, signed_out: false };
    shown_as(form.refusal.status(), &form)
}

pub(super) async fn sign_out(reader: Reader) -> Result<Response, Rejection> {
    sessions::sign_out(&reader, reader.session.id).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, session::no_cookie())]), Redirect::to("/sign-in?signed-out"))
        .into_response())
}
