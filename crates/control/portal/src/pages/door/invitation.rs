//! `/invitation`: from the link to the organisation.

use askama::Template;
use axum::{extract::State, response::Response};
use warren_app::invitations::{self, InvitationInfo};
use warren_model::Timestamp;

use super::{
    super::{
        form::{Refusal, Submitted},
        page::Page,
        shown, shown_as,
    },
    pasted_token, welcome,
};
use crate::{
    PortalState,
    caller::{UserAgent, Visitor},
    conversions::access,
    problem::Rejection,
    request::RequestFacts,
};

#[derive(Template)]
#[template(path = "door/invitation.html")]
struct Ask {
    page: Page,
    refusal: Refusal,
    token: String,
}

#[derive(Template)]
#[template(path = "door/accept.html")]
struct Accept {
    page: Page,
    refusal: Refusal,
    token: String,
    organisation: String,
    name: String,
    email: String,
    has_password: bool,
    expires_at: Timestamp,
}

impl Accept {
    fn of(info: &InvitationInfo, token: String, refusal: Refusal, facts: &RequestFacts) -> Self {
        Self {
            page: Page::door(facts, "/invitation"),
            refusal,
            token,
            organisation: info.organisation_name.to_string(),
            name: info.name.to_string(),
            email: info.email.to_string(),
            has_password: info.has_password,
            expires_at: info.expires_at,
        }
    }
}

pub(super) async fn show(facts: RequestFacts) -> Result<Response, Rejection> {
    shown(&Ask { page: Page::door(&facts, "/invitation"), refusal: Refusal::default(), token: String::new() })
}

/// Shows what the link is for, and asks for the password.
pub(super) async fn inspect(
    State(state): State<PortalState>,
    facts: RequestFacts,
    form: Submitted,
) -> Result<Response, Rejection> {
    let token = pasted_token(form.values.get("token"));
    match look_up(&state, &facts, &token).await {
        Ok(info) => shown(&Accept::of(&info, token, Refusal::default(), &facts)),
        Err(rejection) => ask_again(rejection, &facts),
    }
}

pub(super) async fn accept(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Visitor(cx): Visitor,
    UserAgent(browser): UserAgent,
    form: Submitted,
) -> Result<Response, Rejection> {
    let (token, password) = (form.values.get("token").to_owned(), form.values.get("password").to_owned());
    let work = async { invitations::accept(&cx, access::read_token(&token)?, password, browser).await };
    let rejection = match state.prove(&facts, work).await {
        Ok(signed_in) => return Ok(welcome(&state, &signed_in, "/")),
        Err(rejection) => rejection,
    };
    match look_up(&state, &facts, &token).await {
        Ok(info) => {
            let form = Accept::of(&info, token, Refusal::of(rejection, &facts.locale)?, &facts);
            shown_as(form.refusal.status(), &form)
        }
        Err(_) => ask_again(rejection, &facts),
    }
}

async fn look_up(state: &PortalState, facts: &RequestFacts, token: &str) -> Result<InvitationInfo, Rejection> {
    let work = async { invitations::inspect(state.app(), &access::read_token(token)?).await };
    state.prove(facts, work).await
}

fn ask_again(rejection: Rejection, facts: &RequestFacts) -> Result<Response, Rejection> {
    let refusal = Refusal::of(rejection, &facts.locale)?;
    let form = Ask { page: Page::door(facts, "/invitation"), refusal, token: String::new() };
    shown_as(form.refusal.status(), &form)
}
