//! The installation as a whole: its first use and its state.

use time::Duration;
use uuid::Uuid;
use warren_auth::{Authorized, Password, SecretToken, permission::Reach};
use warren_model::{
    AccountId, Email, LinkId, PersonName, Role, Timestamp,
    audit::{Action, Actor},
    person::MembershipStanding,
};
use warren_storage::{Account, Link, LinkPurpose, Membership, Staleness};

use crate::{
    App, AppError, Contradiction, OpContext, database, organisations,
    sessions::{Browser, SignedIn, start_session},
};

/// How long a set-up link works.
const SET_UP_LINK_LASTS: Duration = Duration::hours(24);

/// The link by which the first operator comes in.
#[derive(Debug, Clone)]
pub struct SetUpLink {
    /// The token stands behind `#`, which browsers do not send: it stays out of every log.
    pub link: String,
    pub expires_at: Timestamp,
}

/// What the first operator says.
#[derive(Debug)]
pub struct SetUp {
    pub token: SecretToken,
    pub name: PersonName,
    pub email: Email,
    pub password: Password,
    pub organisation: organisations::Create,
}

/// How the installation is.
#[derive(Debug, Clone)]
pub struct Status {
    pub uptime: Duration,
    pub organisations: u64,
    pub open_organisations: u64,
    pub gateways: u64,
    pub gateways_online: u64,
    /// What is not as it should be, one English sentence each.
    pub notices: Vec<String>,
}

/// Whether an operator exists.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn is_set_up(app: &App) -> Result<bool, AppError> {
    Ok(app.system().accounts().is_set_up().await?)
}

/// A new set-up link, which makes earlier ones worthless; none once the installation is set up.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn issue_set_up_link(app: &App) -> Result<Option<SetUpLink>, AppError> {
    if is_set_up(app).await? {
        return Ok(None);
    }
    let token = SecretToken::generate(app.random());
    let now = app.clock().now();
    let link = Link {
        id: LinkId::generate(now, app.random()),
        purpose: LinkPurpose::SetUp,
        account: None,
        organisation: None,
        created_at: now,
        expires_at: now + SET_UP_LINK_LASTS,
        used_at: None,
    };
    let hash = token.hash();
    app.system().transaction(async |tx| -> Result<(), AppError> { Ok(tx.links().insert(&link, &hash).await?) }).await?;
    let address = format!("{}/set-up#{}", app.public_url(), token.expose());
    Ok(Some(SetUpLink { link: address, expires_at: link.expires_at }))
}

/// Makes the operator, the first organisation with the operator as its admin, and signs the operator in. Everything or
/// nothing: a killed set-up leaves the link working.
///
/// # Errors
/// [`AppError::LinkSpent`], or [`Contradiction::AlreadySetUp`].
pub async fn set_up(cx: &OpContext, input: SetUp, browser: Browser) -> Result<SignedIn, AppError> {
    let app = &cx.app;
    let now = app.clock().now();
    let Some(link) = cx.system().links().by_token_hash(&input.token.hash()).await? else {
        return Err(AppError::LinkSpent);
    };
    if link.purpose != LinkPurpose::SetUp || !link.is_open(now) {
        return Err(AppError::LinkSpent);
    }
    let hash = app.hashing().hash(input.password).await?;
    let account = Account {
        id: AccountId::generate(now, app.random()),
        email: input.email,
        name: input.name,
        reach: Reach::Installation,
        created_at: now,
        revision: 1,
    };
    let actor = Actor::Account { id: account.id, name: account.name.to_string() };
    let operate = Authorized::for_installation();
    let organisation = organisations::new(app, input.organisation);
    let membership = Membership {
        account: account.id,
        organisation: organisation.id,
        role: Role::Admin,
        standing: MembershipStanding::Joined,
        created_at: now,
    };
    let installed = cx.entry_by(actor.clone(), Action::InstallationSetUp, Uuid::nil(), app.public_url());
    let created = cx.entry_by(actor.clone(), Action::OrganisationCreated, organisation.id.uuid(), &organisation.name);
    let joined = cx.entry_by(actor, Action::PersonJoined, account.id.uuid(), &account.name);
    app.databases().create_tenant(organisation.id).await?;
    cx.system_of(account.id)
        .transaction(async |tx| -> Result<(), AppError> {
            if tx.accounts().is_set_up().await? {
                return Err(Contradiction::AlreadySetUp.into());
            }
            consume(tx.links().consume(link.id, now).await)?;
            tx.accounts().insert(&operate, &account, Some(&hash)).await?;
            tx.organisations().insert(&operate, &organisation).await?;
            tx.memberships().insert(&operate, &membership).await?;
            tx.audit().append(&installed, None).await?;
            tx.audit().append(&created, Some(organisation.id)).await?;
            tx.audit_outbox().push(&created, organisation.id).await?;
            tx.audit_outbox().push(&joined, organisation.id).await?;
            Ok(())
        })
        .await?;
    app.relay_audit_soon();
    tracing::info!(account = %account.id, organisation = %organisation.id, "the installation was set up");
    start_session(cx, account, browser).await
}

/// How the installation is. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::Unavailable`]
pub async fn status(cx: &OpContext) -> Result<Status, AppError> {
    cx.operate()?;
    let system = cx.system().allowing(Staleness::Bounded);
    Ok(Status {
        uptime: cx.app.uptime(),
        organisations: system.organisations().count().await?,
        open_organisations: cx.app.databases().open_tenants() as u64,
        gateways: system.gateways().count().await?,
        gateways_online: cx.app.hub().online(),
        notices: cx.app.notices().into_iter().chain(database::notices(&cx.app).await).collect(),
    })
}

/// A link that was used or has expired meanwhile is spent, not missing.
pub(crate) fn consume(outcome: Result<(), warren_storage::StorageError>) -> Result<(), AppError> {
    match outcome {
        Err(warren_storage::StorageError::NotFound) => Err(AppError::LinkSpent),
        other => Ok(other?),
    }
}
