//! `/set-up`: the first account and the first organisation.

use askama::Template;
use axum::{extract::State, response::Response};
use warren_app::installation;
use warren_wire::rest::v1;

use super::{
    super::{
        form::{Refusal, Submitted, Values},
        page::Page,
        rejection::Words,
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
#[template(path = "door/set_up.html")]
struct SetUp {
    page: Page,
    refusal: Refusal,
    values: Values,
}

pub(super) async fn show(State(state): State<PortalState>, facts: RequestFacts) -> Result<Response, Rejection> {
    let page = Page::door(&facts, "/set-up");
    if installation::is_set_up(state.app()).await? {
        let (heading, detail) = (page.text("set-up-done"), page.text("set-up-done-detail"));
        let way = ("/sign-in", "error-sign-in");
        return shown(&Words { page, status: None, heading, detail, fields: Vec::new(), way });
    }
    shown(&SetUp { page, refusal: Refusal::default(), values: Values::default() })
}

pub(super) async fn submit(
    State(state): State<PortalState>,
    facts: RequestFacts,
    Visitor(cx): Visitor,
    UserAgent(browser): UserAgent,
    form: Submitted,
) -> Result<Response, Rejection> {
    let values = form.values;
    let get = |name| values.get(name).to_owned();
    let slug = get("organisation.slug");
    let body = v1::SetUp {
        token: pasted_token(values.get("token")),
        name: get("name"),
        email: get("email"),
        password: get("password"),
        organisation: v1::CreateOrganisation { slug: slug.clone(), name: get("organisation.name") },
    };
    let outcome = match access::read_set_up(body) {
        Ok(input) => state.prove(&facts, installation::set_up(&cx, input, browser)).await,
        Err(error) => Err(error.into()),
    };
    let rejection = match outcome {
        Ok(signed_in) => return Ok(welcome(&state, &signed_in, &format!("/o/{slug}"))),
        Err(rejection) => rejection,
    };
    let refusal = Refusal::of(rejection, &facts.locale)?;
    let form = SetUp { page: Page::door(&facts, "/set-up"), refusal, values };
    shown_as(form.refusal.status(), &form)
}
