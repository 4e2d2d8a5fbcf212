//! Who is calling: extractors that turn a request into an [`OpContext`].

use std::{convert::Infallible, ops::Deref};

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use tracing::Span;
use warren_app::{
    AppError, IdempotencyKey, OpContext,
    sessions::{self, Browser, CurrentSession},
};
use warren_auth::Subject;

use crate::{PortalState, problem::Rejection, request::RequestFacts, session};

/// Somebody who is known: signed in, or local on the admin socket. Everybody else is refused with 401.
#[derive(Debug)]
pub struct Caller {
    pub cx: OpContext,
    /// None on the admin socket.
    pub session: Option<CurrentSession>,
}

/// Somebody who may hold a one-time link or a password, and need not be known.
#[derive(Debug)]
pub struct Visitor(pub OpContext);

/// The session that the request's cookie stands for, if there is one.
#[derive(Debug, Clone)]
pub struct MaybeSession(pub Option<CurrentSession>);

/// What the browser says of itself, cut to [`USER_AGENT_CHARACTERS_MAX`].
#[derive(Debug)]
pub struct UserAgent(pub Browser);

/// The longest name of a browser that is kept.
const USER_AGENT_CHARACTERS_MAX: usize = 200;

impl Caller {
    /// The context of a creation that the caller gave a name.
    pub fn creating(self, idempotency: Option<IdempotencyKey>) -> OpContext {
        OpContext { idempotency, ..self.cx }
    }
}

impl Deref for Caller {
    type Target = OpContext;
    fn deref(&self) -> &OpContext {
        &self.cx
    }
}

impl FromRequestParts<PortalState> for Caller {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let facts = RequestFacts::from_request_parts(parts, state).await?;
        if let Some(user) = facts.local_user.clone() {
            return Ok(Self { cx: context(state, &facts, Subject::LocalOperator { user }), session: None });
        }
        let MaybeSession(session) = MaybeSession::from_request_parts(parts, state).await?;
        let session = session.ok_or(AppError::NotSignedIn)?;
        Ok(Self { cx: context(state, &facts, session.subject()), session: Some(session) })
    }
}

impl FromRequestParts<PortalState> for Visitor {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        let facts = RequestFacts::from_request_parts(parts, state).await?;
        Ok(Self(context(state, &facts, Subject::LinkHolder)))
    }
}

impl FromRequestParts<PortalState> for MaybeSession {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, state: &PortalState) -> Result<Self, Rejection> {
        if let Some(resolved) = parts.extensions.get::<Self>() {
            return Ok(resolved.clone());
        }
        let session = match session::token_in(&parts.headers) {
            Some(token) => sessions::resolve(state.app(), &token).await?,
            None => None,
        };
        if let Some(session) = &session {
            Span::current().record("account", tracing::field::display(session.account.id));
        }
        let resolved = Self(session);
        parts.extensions.insert(resolved.clone());
        Ok(resolved)
    }
}

impl<S: Sync> FromRequestParts<S> for UserAgent {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let text = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(Self(Browser { user_agent: text.chars().take(USER_AGENT_CHARACTERS_MAX).collect() }))
    }
}

fn context(state: &PortalState, facts: &RequestFacts, subject: Subject) -> OpContext {
    OpContext { app: state.app().clone(), subject, source: facts.source, request: facts.id, idempotency: None }
}
