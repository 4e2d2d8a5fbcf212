//! Who asks, from where, in which request, and in which organisation: the first argument of every use case.

use std::sync::Arc;

use uuid::Uuid;
use warren_auth::{Authorized, Insider, Permission, Subject, permission::Operate};
use warren_model::{
    AccountId, Invalid, OrganisationSlug, RequestId,
    audit::{Actor, Source},
    organisation::{Organisation, OrganisationState},
};
use warren_storage::{SystemModels, TenantModels, WorkContext};

use crate::{App, AppError, Thing};

/// How bytes stand in texts that are stored.
pub(crate) const BASE64: base64::engine::GeneralPurpose = base64::engine::general_purpose::STANDARD;

/// One request, or one piece of Warren's own work.
#[derive(Debug, Clone)]
pub struct OpContext {
    pub app: App,
    pub subject: Subject,
    pub source: Source,
    pub request: RequestId,
    /// Makes a creation that is sent twice happen once.
    pub idempotency: Option<IdempotencyKey>,
}

impl OpContext {
    /// Steps into the organisation that `slug` names.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for everybody who does not belong there, [`AppError::Suspended`] for all but operators while
    /// it is suspended.
    pub async fn enter(&self, slug: &OrganisationSlug) -> Result<Inside<'_>, AppError> {
        let system = self.system();
        let missing = AppError::NotFound(Thing::Organisation);
        let organisation = system.organisations().by_slug(slug).await?.ok_or(missing)?;
        let role = match self.subject.account() {
            Some(account) => system.memberships().role_of(account, organisation.id).await?,
            None => None,
        };
        let insider = self.subject.enter(organisation.id, role)?;
        if organisation.state == OrganisationState::Suspended && !self.subject.is_operator() {
            return Err(AppError::Suspended);
        }
        let tenant = match self.app.databases().tenant_models(organisation.id).await {
            Ok(tenant) => tenant.within(self.work()),
            Err(cause) => return Err(self.app.damaged(organisation.id, cause).into()),
        };
        Ok(Inside { cx: self, organisation, insider, tenant })
    }

    /// The system's models, whose reads see what the caller wrote before, in this request and in earlier ones.
    pub(crate) fn system(&self) -> SystemModels {
        self.app.system().within(self.work())
    }

    /// The same for what is done in the name of `account`, who is not the caller yet, as at sign-in.
    pub(crate) fn system_of(&self, account: AccountId) -> SystemModels {
        self.app.system().within(WorkContext::of_request(self.request, Some(account.uuid())))
    }

    pub(crate) fn work(&self) -> WorkContext {
        work_of(self.request, &self.subject.actor())
    }

    /// The proof that the caller operates the installation.
    pub(crate) fn operate(&self) -> Result<Authorized<Operate>, AppError> {
        Ok(self.subject.operate()?)
    }
}

/// What `actor` does in `request`, as storage sees it.
pub(crate) fn work_of(request: RequestId, actor: &Actor) -> WorkContext {
    let author = match actor {
        Actor::Account { id, .. } => Some(id.uuid()),
        Actor::LocalOperator { .. } => Some(LOCAL_OPERATORS),
        Actor::LinkHolder | Actor::System => None,
    };
    WorkContext::of_request(request, author)
}

/// Local operators are one author: what one command wrote the next one sees, whoever calls it.
const LOCAL_OPERATORS: Uuid = Uuid::nil();

/// A request inside one organisation, with that organisation's database in hand.
#[derive(Debug)]
pub struct Inside<'c> {
    pub cx: &'c OpContext,
    pub organisation: Organisation,
    pub insider: Insider,
    pub(crate) tenant: TenantModels,
}

impl Inside<'_> {
    pub(crate) fn app(&self) -> &App {
        &self.cx.app
    }
    pub(crate) fn authorise<P: Permission>(&self, permission: P) -> Result<Authorized<P>, AppError> {
        Ok(self.insider.authorise(permission)?)
    }
}

/// What the caller believes a thing's revision to be (`If-Match`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is now.
    Any,
    Revision(i64),
}

impl Expected {
    /// The revision to expect of a thing that stands at `current`.
    pub(crate) fn or_current(self, current: i64) -> i64 {
        match self {
            Self::Any => current,
            Self::Revision(revision) => revision,
        }
    }
}

/// The caller's name for one creation, and what was asked for under it.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: Arc<str>,
    fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// The longest key, in characters.
    pub const CHARACTERS_MAX: usize = 200;
    /// How long a key is remembered, in hours.
    pub const REMEMBERED_HOURS: i64 = 24;

    /// The key that a caller sent with a request of this `fingerprint` (SHA-256 over method, path and body).
    ///
    /// # Errors
    /// [`Invalid`] for a key that is empty, too long or not of visible ASCII characters.
    pub fn new(key: &str, fingerprint: [u8; 32]) -> Result<Self, Invalid> {
        if key.is_empty() {
            return Err(Invalid::Empty);
        }
        if key.len() > Self::CHARACTERS_MAX {
            return Err(Invalid::TooLong { length: key.len(), max: Self::CHARACTERS_MAX });
        }
        if !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Invalid::ControlCharacter);
        }
        Ok(Self { key: key.into(), fingerprint })
    }
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
    pub(crate) const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}
