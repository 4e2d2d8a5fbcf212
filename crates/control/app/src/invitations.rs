//! Accepting an invitation.

use warren_auth::{Password, SecretToken};
use warren_model::{
    Email, OrganisationName, PersonName, Timestamp,
    audit::{Action, Actor},
};
use warren_storage::{Account, Link, LinkPurpose};

use crate::{
    App, AppError, OpContext,
    installation::consume,
    sessions::{Browser, SignedIn, start_session},
};

/// What an invitation is for, shown to the holder of its link.
#[derive(Debug, Clone)]
pub struct InvitationInfo {
    pub organisation_name: OrganisationName,
    pub email: Email,
    pub name: PersonName,
    /// Whether the password that is set already is asked for, or a new one.
    pub has_password: bool,
    pub expires_at: Timestamp,
}

/// What the link is for; consumes nothing.
///
/// # Errors
/// [`AppError::LinkSpent`]
pub async fn inspect(app: &App, token: &SecretToken) -> Result<InvitationInfo, AppError> {
    let found = find(app, token).await?;
    let organisation = app.system().organisations().by_id(found.organisation).await?.ok_or(AppError::LinkSpent)?;
    Ok(InvitationInfo {
        organisation_name: organisation.name,
        email: found.account.email,
        name: found.account.name,
        has_password: found.stored.is_some(),
        expires_at: found.link.expires_at,
    })
}

/// Joins the organisation and signs in. Who has no password yet sets this one; who has one shows it.
///
/// # Errors
/// [`AppError::LinkSpent`], [`AppError::SignInRefused`] for the wrong password, [`AppError::Invalid`] for one that may not be set.
pub async fn accept(
    cx: &OpContext,
    token: SecretToken,
    password: String,
    browser: Browser,
) -> Result<SignedIn, AppError> {
    let app = &cx.app;
    let found = find(app, &token).await?;
    let refuse = |invalid| AppError::field("password", invalid);
    let new_hash = match found.stored {
        None => Some(app.hashing().hash(Password::to_set(password).map_err(refuse)?).await?),
        Some(stored) => {
            let shown = Password::to_check(password).map_err(refuse)?;
            if !app.hashing().matches(Some(stored), shown).await? {
                app.metrics().sign_ins_refused.inc();
                return Err(AppError::SignInRefused);
            }
            None
        }
    };
    let (account, organisation, link) = (found.account, found.organisation, found.link.id);
    let now = app.clock().now();
    let actor = Actor::Account { id: account.id, name: account.name.to_string() };
    let entry = cx.entry_by(actor, Action::PersonJoined, account.id.uuid(), &account.name);
    // The account is to see at once where it belongs now.
    cx.system_of(account.id)
        .transaction(async |tx| -> Result<(), AppError> {
            consume(tx.links().consume(link, now).await)?;
            if let Some(hash) = &new_hash {
                // Another invitation of the same person may have set one meanwhile; it is not replaced by this.
                if tx.accounts().for_sign_in(&account.email).await?.is_some_and(|(_, stored)| stored.is_some()) {
                    return Err(AppError::Stale);
                }
                tx.accounts().set_password(account.id, hash, &account.name).await?;
            }
            tx.memberships().join(account.id, organisation).await?;
            tx.audit_outbox().push(&entry, organisation).await?;
            Ok(())
        })
        .await?;
    app.relay_audit_soon();
    start_session(cx, account, browser).await
}

struct Found {
    link: Link,
    account: Account,
    stored: Option<warren_auth::PasswordHash>,
    organisation: warren_model::OrganisationId,
}

async fn find(app: &App, token: &SecretToken) -> Result<Found, AppError> {
    let link = app.system().links().by_token_hash(&token.hash()).await?.ok_or(AppError::LinkSpent)?;
    let (LinkPurpose::Invitation, Some(account), Some(organisation)) = (link.purpose, link.account, link.organisation)
    else {
        return Err(AppError::LinkSpent);
    };
    if !link.is_open(app.clock().now()) {
        return Err(AppError::LinkSpent);
    }
    let account = app.system().accounts().by_id(account).await?.ok_or(AppError::LinkSpent)?;
    let stored = app.system().accounts().for_sign_in(&account.email).await?.and_then(|(_, hash)| hash);
    Ok(Found { link, account, stored, organisation })
}
