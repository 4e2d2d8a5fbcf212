//! Signing in and out, and finding the session that a request belongs to.

use uuid::Uuid;
use warren_auth::{Password, SecretToken, Subject};
use warren_model::{
    Email, SessionId, Timestamp,
    audit::{Action, Actor, Source},
};
use warren_storage::{Account, Session};

use crate::{App, AppError, OpContext};

/// A session is marked as used at most this often, so that reading does not become writing.
const TOUCH_AFTER: time::Duration = time::Duration::minutes(1);

/// What a browser says of itself.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// Cut to what storage keeps.
    pub user_agent: String,
}

/// A session that has just begun. The token goes into the browser's cookie.
#[derive(Debug)]
pub struct SignedIn {
    pub token: SecretToken,
    pub session: CurrentSession,
}

/// The session of a request.
#[derive(Debug, Clone)]
pub struct CurrentSession {
    pub id: SessionId,
    pub account: Account,
    /// It ends then, however much it is used.
    pub expires_at: Timestamp,
}

impl CurrentSession {
    /// Who the session speaks for.
    pub fn subject(&self) -> Subject {
        Subject::Account { id: self.account.id, name: self.account.name.to_string(), reach: self.account.reach }
    }
}

/// Checks the password and begins a session. An unknown address is refused like a wrong password, and as slowly.
///
/// # Errors
/// [`AppError::SignInRefused`], or [`AppError::Busy`] when too many passwords are being checked.
pub async fn sign_in(cx: &OpContext, email: Email, password: Password, browser: Browser) -> Result<SignedIn, AppError> {
    let found = cx.system().accounts().for_sign_in(&email).await?;
    let (account, stored) = found.map_or((None, None), |(account, hash)| (Some(account), hash));
    let matches = cx.app.hashing().matches(stored, password).await?;
    match account {
        Some(account) if matches => start_session(cx, account, browser).await,
        account => {
            cx.app.metrics().sign_ins_refused.inc();
            // An address that nobody here has may be anybody's; it is not written down.
            let (id, name) = account.map_or((Uuid::nil(), String::new()), |a| (a.id.uuid(), a.name.to_string()));
            let entry = cx.entry_by(Actor::LinkHolder, Action::SessionRefused, id, name);
            cx.system()
                .transaction(async |tx| -> Result<(), AppError> { Ok(tx.audit().append(&entry, None).await?) })
                .await?;
            Err(AppError::SignInRefused)
        }
    }
}

/// Begins a session for `account`, whose identity has been shown.
pub(crate) async fn start_session(cx: &OpContext, account: Account, browser: Browser) -> Result<SignedIn, AppError> {
    let now = cx.app.clock().now();
    let token = SecretToken::generate(cx.app.random());
    let session = Session {
        id: SessionId::generate(now, cx.app.random()),
        account: account.id,
        created_at: now,
        last_used_at: now,
        expires_at: now + cx.app.config().session_absolute,
        source_address: source_address(cx.source),
        user_agent: browser.user_agent,
    };
    let actor = Actor::Account { id: account.id, name: account.name.to_string() };
    let entry = cx.entry_by(actor, Action::SessionStarted, account.id.uuid(), &account.name);
    let hash = token.hash();
    cx.system_of(account.id)
        .transaction(async |tx| -> Result<(), AppError> {
            tx.sessions().insert(&session, &hash).await?;
            tx.audit().append(&entry, None).await?;
            Ok(())
        })
        .await?;
    cx.app.metrics().sign_ins.inc();
    let current = CurrentSession { id: session.id, account, expires_at: session.expires_at };
    Ok(SignedIn { token, session: current })
}

/// The live session that `token` belongs to, which counts as used by this.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn resolve(app: &App, token: &SecretToken) -> Result<Option<CurrentSession>, AppError> {
    let now = app.clock().now();
    let Some((session, account)) = live(app, token).await? else { return Ok(None) };
    if now - session.last_used_at >= TOUCH_AFTER {
        let touch = app
            .system()
            .transaction(async |tx| -> Result<(), AppError> { Ok(tx.sessions().touch(session.id, now).await?) });
        // A full disk must not sign everybody out; the session merely looks idle for longer.
        if let Err(cause) = touch.await {
            tracing::warn!(%cause, session = %session.id, "a session's use could not be noted");
        }
    }
    Ok(Some(CurrentSession { id: session.id, account, expires_at: session.expires_at }))
}

/// The same without counting as use: a page that is left open does not keep its session from ending.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn watch(app: &App, token: &SecretToken) -> Result<Option<CurrentSession>, AppError> {
    let found = live(app, token).await?;
    Ok(found.map(|(session, account)| CurrentSession { id: session.id, account, expires_at: session.expires_at }))
}

async fn live(app: &App, token: &SecretToken) -> Result<Option<(Session, Account)>, AppError> {
    let idle_max = app.config().session_idle;
    Ok(app.system().sessions().by_token_hash(&token.hash(), app.clock().now(), idle_max).await?)
}

/// Ends the session.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn sign_out(cx: &OpContext, session: SessionId) -> Result<(), AppError> {
    let entry = cx.entry_by(cx.subject.actor(), Action::SessionEnded, session.uuid(), "");
    cx.system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.sessions().remove(session).await?;
            tx.audit().append(&entry, None).await?;
            Ok(())
        })
        .await
}

/// Where a session began; one begun on the server's own host came from there.
fn source_address(source: Source) -> std::net::IpAddr {
    match source {
        Source::Address(address) => address,
        Source::Local | Source::Internal => std::net::Ipv4Addr::LOCALHOST.into(),
    }
}
