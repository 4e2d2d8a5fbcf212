//! Coming in and going out: signing in, setting up, accepting an invitation, and the choice of a language.

mod invitation;
mod set_up;
mod sign_in;

use axum::{
    Router,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::header;
use warren_app::sessions::SignedIn;

use super::{form::Submitted, reader::own_path};
use crate::{PortalState, locale::Locale, session};

pub(super) fn router() -> Router<PortalState> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/set-up", get(set_up::show).post(set_up::submit))
        .route("/invitation", get(invitation::show).post(invitation::inspect))
        .route("/invitation/accept", post(invitation::accept))
        .route("/locale", post(choose_locale))
}

/// Remembers the language and goes back to where the reader was.
async fn choose_locale(form: Submitted) -> Response {
    let back = Redirect::to(own_path(form.values.get("back")));
    match Locale::from_tag(form.values.get("locale")) {
        Some(locale) => (AppendHeaders([(header::SET_COOKIE, locale.cookie())]), back).into_response(),
        None => back.into_response(),
    }
}

/// Hands the new session to the browser and leads on.
fn welcome(state: &PortalState, signed_in: &SignedIn, next: &str) -> Response {
    let cookie = session::cookie_of(state.app(), signed_in);
    (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to(own_path(next))).into_response()
}

/// The token in what somebody pasted: the token itself, or the whole link with the token behind `#`.
fn pasted_token(text: &str) -> String {
    let text = text.trim();
    text.rsplit_once('#').map_or(text, |(_, token)| token).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_link_is_as_good_as_its_token() {
        assert_eq!(pasted_token(" https://vpn.example.org/set-up#abc \n"), "abc");
        assert_eq!(pasted_token("abc"), "abc");
    }
}
