//! Somebody who is signed in and looks at pages. Everybody else is led to the sign-in and back.

use std::ops::Deref;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Redirect, Response},
};
use http::{Method, StatusCode, request::Parts};
use warren_app::{AppError, IdempotencyKey, Inside, OpContext, sessions::CurrentSession};

use super::page::Page;
use crate::{PortalState, caller::Caller, problem::Rejection, request::RequestFacts};

/// A signed-in reader.
#[derive(Debug)]
pub struct Reader {
    pub caller: Caller,
    pub session: CurrentSession,
    pub facts: RequestFacts,
    /// Path and query of the page that was asked for.
    pub path: String,
}

impl Reader {
    /// The frame of a page inside of an organisation.
    pub async fn page(&self, inside: &Inside<'_>, way: &'static str) -> Result<Page, Rejection> {
        Page::inside(inside, &self.caller, &self.session, &self.facts, &self.path, way).await
    }
    /// The frame of a page of the operator.
    ///
    /// # Errors
    /// 403 for everybody else.
    pub async fn operator_page(&self, way: &'static str) -> Result<Page, Rejection> {
        if !self.caller.subject.is_operator() {
            return Err(AppError::Forbidden.into());
        }
        Page::operation(&self.caller, &self.session, &self.facts, &self.path, way).await
    }
    /// The frame of a page outside of both.
    pub async fn plain_page(&self) -> Result<Page, Rejection> {
        Page::nowhere(&self.caller, &self.session, &self.facts, &self.path).await
    }
    /// The context of a creation by a form.
    pub fn creating(&self, idempotency: Option<IdempotencyKey>) -> OpContext {
        OpContext { idempotency, ..self.caller.cx.clone() }
    }
}

impl Deref for Reader {
    type Target = OpContext;
    fn deref(&self) -> &OpContext {
        &self.caller.cx
    }
}

impl FromRequestParts<PortalState> for Reader {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Response> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let caller = match Caller::from_request_parts(parts, state).await {
            Ok(caller) => caller,
            Err(rejection) if rejection.status == StatusCode::UNAUTHORIZED => {
                return Err(to_sign_in(&parts.method, &path));
            }
            Err(rejection) => return Err(rejection.into_response()),
        };
        let facts = RequestFacts::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        match caller.session.clone() {
            Some(session) => Ok(Self { caller, session, facts, path }),
            None => Err(to_sign_in(&parts.method, &path)),
        }
    }
}

fn to_sign_in(method: &Method, path: &str) -> Response {
    // What was sent is gone; only a page can be asked for again.
    if method != Method::GET || path == "/" {
        return Redirect::to("/sign-in").into_response();
    }
    let next: String = path.bytes().map(percent_encoded).collect();
    Redirect::to(&format!("/sign-in?next={next}")).into_response()
}

fn percent_encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
        char::from(byte).into()
    } else {
        format!("%{byte:02X}")
    }
}

/// `next` if it leads to a page of ours, else the first page. `//host` and `/\host` would lead elsewhere.
pub fn own_path(next: &str) -> &str {
    let is_own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.len() <= 2000
        && next.chars().all(|c| c.is_ascii_graphic());
    if is_own { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        assert_eq!(own_path("/o/northwind/devices?q=a"), "/o/northwind/devices?q=a");
        for bad in
            ["//evil.example", "/\\evil.example", "https://evil.example", "", "javascript:alert(1)", "/a\r\nb", "o/x"]
        {
            assert_eq!(own_path(bad), "/", "{bad:?}");
        }
    }

    #[test]
    fn the_page_that_was_asked_for_is_remembered() {
        let answer = to_sign_in(&Method::GET, "/o/northwind/devices?q=a&b");
        assert_eq!(answer.headers()["location"], "/sign-in?next=/o/northwind/devices%3Fq%3Da%26b");
        assert_eq!(to_sign_in(&Method::POST, "/o/northwind/devices").headers()["location"], "/sign-in");
    }
}
