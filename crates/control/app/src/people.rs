//! The people of an organisation.

use time::Duration;
use warren_auth::{
    Authorized, SecretToken,
    permission::{ManagePeople, Oversee, Reach},
};
use warren_courier::Letter;
use warren_model::{
    AccountId, Email, Invalid, JobId, LinkId, OrganisationId, PersonName, Role, Timestamp,
    audit::{Action, Actor, AuditEntry},
    page::{Page, PageRequest},
    person::{MembershipStanding, Person},
};
use warren_storage::{Account, Link, LinkPurpose, Membership, Staleness, StorageError, SystemTransaction};

use crate::{
    App, AppError, Contradiction, Expected, Inside, Thing, audit::Changes, devices, devices::Effect, jobs::Asked,
};

/// How long an invitation works.
const INVITATION_LASTS: Duration = Duration::days(7);

/// Whom to invite.
#[derive(Debug, Clone)]
pub struct Invite {
    pub name: PersonName,
    pub email: Email,
    pub role: Role,
}

/// A person and the link to hand over, which is shown this once.
#[derive(Debug, Clone)]
pub struct Invited {
    pub person: Person,
    pub link: String,
    pub expires_at: Timestamp,
    /// The job that sends the link to the person; none where mail is off.
    pub letter: Option<JobId>,
}

/// The people of the organisation. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn page(inside: &Inside<'_>, request: &PageRequest) -> Result<Page<Person>, AppError> {
    inside.authorise(Oversee)?;
    let system = inside.cx.system().allowing(Staleness::Bounded);
    Ok(system.memberships().page_of_people(inside.organisation.id, request).await?)
}

/// One of them. Admins, and everybody of themselves.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn show(inside: &Inside<'_>, person: AccountId) -> Result<Person, AppError> {
    if inside.insider.account() != Some(person) {
        inside.authorise(Oversee)?;
    }
    find(inside, person).await
}

/// Invites a person by a link, which the admin is shown to hand over, and which goes to the person by mail where mail is on.
/// Admins.
///
/// # Errors
/// [`AppError::Forbidden`] or [`Contradiction::PersonAlreadyThere`]
pub async fn invite(inside: &Inside<'_>, input: Invite) -> Result<Invited, AppError> {
    let invitation = Invitation::prepare(inside, input)?;
    let done = inside
        .cx
        .system()
        .transaction(async |tx| -> Result<Option<(AccountId, Option<JobId>)>, AppError> {
            let known = tx.accounts().by_email(&invitation.account.email).await?;
            let account = known.clone().unwrap_or_else(|| invitation.account.clone());
            if inside.cx.claim(&tx.idempotency(), account.id.uuid()).await?.is_some() {
                return Ok(None);
            }
            invitation.carry_out(tx, known).await?;
            let to = (&account.email, &account.name);
            Ok(Some((account.id, invitation.link.send(inside, tx, to, invitation.role).await?)))
        })
        .await?;
    let (account, letter) = done.ok_or(AppError::SecretGone)?;
    inside.app().relay_audit_soon();
    Ok(Invited {
        person: find(inside, account).await?,
        link: invitation.link.address(inside.app()),
        expires_at: invitation.link.expires_at(),
        letter,
    })
}

/// An invitation that is allowed and settled, but for what the database decides.
#[derive(Debug)]
pub(crate) struct Invitation {
    /// The account, unless somebody has this address already.
    pub account: Account,
    role: Role,
    pub link: InvitationLink,
    proof: Authorized<ManagePeople>,
    entry: AuditEntry,
}

impl Invitation {
    /// Settles everything that needs no transaction.
    ///
    /// # Errors
    /// [`AppError::Forbidden`]
    pub(crate) fn prepare(inside: &Inside<'_>, input: Invite) -> Result<Self, AppError> {
        let proof = inside.authorise(ManagePeople)?;
        let (app, now) = (inside.app(), inside.app().clock().now());
        let account = Account {
            id: AccountId::generate(now, app.random()),
            email: input.email,
            name: input.name,
            reach: Reach::OwnOrganisations,
            created_at: now,
            revision: 1,
        };
        let link = InvitationLink::new(app, account.id, inside.organisation.id);
        let entry = inside.cx.entry(&proof, Action::PersonInvited, account.id.uuid(), &account.name);
        let entry = Changes::default().first("role", input.role.as_str()).into_entry(entry);
        Ok(Self { account, role: input.role, link, proof, entry })
    }

    /// Adds the membership, the link and the audit entry. Somebody who is `known` from another organisation keeps the account and
    /// the name that they have.
    ///
    /// # Errors
    /// [`Contradiction::PersonAlreadyThere`]. What was done stays to be undone.
    pub(crate) async fn carry_out(
        &self,
        tx: &SystemTransaction,
        known: Option<Account>,
    ) -> Result<AccountId, AppError> {
        let organisation = self.proof.organisation().ok_or(StorageError::WrongTenant)?;
        let (account, name) = match known {
            Some(known) => (known.id, known.name),
            None => {
                tx.accounts().insert(&self.proof, &self.account, None).await?;
                (self.account.id, self.account.name.clone())
            }
        };
        let membership = Membership {
            account,
            organisation,
            role: self.role,
            standing: MembershipStanding::Invited,
            created_at: self.account.created_at,
        };
        tx.memberships().insert(&self.proof, &membership).await?;
        self.link.insert(tx, account).await?;
        let entry = AuditEntry { subject: account.uuid(), subject_name: name.to_string(), ..self.entry.clone() };
        tx.audit_outbox().push(&entry, organisation).await?;
        Ok(account)
    }
}

/// Makes a new link for somebody who has not joined yet; earlier ones stop working. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] or [`Contradiction::AlreadyJoined`]
pub async fn renew_invitation(inside: &Inside<'_>, person: AccountId) -> Result<Invited, AppError> {
    let proof = inside.authorise(ManagePeople)?;
    let found = find(inside, person).await?;
    if found.standing == MembershipStanding::Joined {
        return Err(Contradiction::AlreadyJoined.into());
    }
    let (app, organisation) = (inside.app(), inside.organisation.id);
    let link = InvitationLink::new(app, person, organisation);
    let entry = inside.cx.entry(&proof, Action::PersonInvited, person.uuid(), &found.name);
    let letter = inside
        .cx
        .system()
        .transaction(async |tx| -> Result<Option<JobId>, AppError> {
            link.insert(tx, person).await?;
            tx.audit_outbox().push(&entry, organisation).await?;
            link.send(inside, tx, (&found.email, &found.name), found.role).await
        })
        .await?;
    app.relay_audit_soon();
    Ok(Invited { link: link.address(app), expires_at: link.expires_at(), person: found, letter })
}

/// Changes a person's role. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`] or [`Contradiction::LastAdmin`]
pub async fn change_role(
    inside: &Inside<'_>,
    person: AccountId,
    expected: Expected,
    role: Role,
) -> Result<Person, AppError> {
    make_role_change(inside, person, expected, role).await?;
    find(inside, person).await
}

/// Changes a role as [`change_role`] does, without looking at the person afterwards.
pub(crate) async fn make_role_change(
    inside: &Inside<'_>,
    person: AccountId,
    expected: Expected,
    role: Role,
) -> Result<Effect, AppError> {
    let proof = inside.authorise(ManagePeople)?;
    let found = find(inside, person).await?;
    let (app, organisation) = (inside.app(), inside.organisation.id);
    let changes = Changes::default().compare("role", &found.role, &role, |role| role.as_str().to_owned());
    if changes.is_empty() {
        return Ok(Effect::None);
    }
    let entry = changes.into_entry(inside.cx.entry(&proof, Action::PersonChanged, person.uuid(), &found.name));
    inside
        .cx
        .system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.memberships().set_role(&proof, person, role, expected.or_current(found.revision)).await?;
            keep_an_admin(tx, organisation).await?;
            tx.audit_outbox().push(&entry, organisation).await?;
            Ok(())
        })
        .await?;
    app.relay_audit_soon();
    Ok(Effect::Changed)
}

/// Removes a person from the organisation and revokes their devices in it. The account itself stays. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`] or [`Contradiction::LastAdmin`]
pub async fn remove(inside: &Inside<'_>, person: AccountId, expected: Expected) -> Result<(), AppError> {
    let proof = inside.authorise(ManagePeople)?;
    let found = find(inside, person).await?;
    let (app, organisation) = (inside.app(), inside.organisation.id);
    let entry = inside.cx.entry(&proof, Action::PersonRemoved, person.uuid(), &found.name);
    if found.role == Role::Admin
        && found.standing == MembershipStanding::Joined
        && inside.cx.system().memberships().joined_admins(organisation).await? == 1
    {
        return Err(Contradiction::LastAdmin.into());
    }
    // The tunnels first: killed in between, this leaves somebody who is still listed and can be removed again. Then the door,
    // then whatever came in between.
    devices::revoke_all_of(inside, person).await?;
    inside
        .cx
        .system()
        .transaction(async |tx| -> Result<(), AppError> {
            let now = tx.memberships().person(organisation, person).await?.ok_or(AppError::NotFound(Thing::Person))?;
            if expected.or_current(now.revision) != now.revision {
                return Err(AppError::Stale);
            }
            tx.memberships().remove(&proof, person).await?;
            keep_an_admin(tx, organisation).await?;
            tx.audit_outbox().push(&entry, organisation).await?;
            Ok(())
        })
        .await?;
    app.relay_audit_soon();
    devices::revoke_all_of(inside, person).await
}

async fn find(inside: &Inside<'_>, person: AccountId) -> Result<Person, AppError> {
    let system = inside.cx.system();
    system.memberships().person(inside.organisation.id, person).await?.ok_or(AppError::NotFound(Thing::Person))
}

async fn keep_an_admin(tx: &SystemTransaction, organisation: OrganisationId) -> Result<(), AppError> {
    match tx.memberships().joined_admins(organisation).await? {
        0 => Err(Contradiction::LastAdmin.into()),
        _ => Ok(()),
    }
}

/// The link of an invitation, and its token, which is shown once.
#[derive(Debug)]
pub(crate) struct InvitationLink {
    link: Link,
    token: SecretToken,
}

impl InvitationLink {
    pub(crate) fn new(app: &App, account: AccountId, organisation: OrganisationId) -> Self {
        let now = app.clock().now();
        let link = Link {
            id: LinkId::generate(now, app.random()),
            purpose: LinkPurpose::Invitation,
            account: Some(account),
            organisation: Some(organisation),
            created_at: now,
            expires_at: now + INVITATION_LASTS,
            used_at: None,
        };
        Self { link, token: SecretToken::generate(app.random()) }
    }

    /// Puts it in place of earlier ones of `account`.
    pub(crate) async fn insert(&self, tx: &SystemTransaction, account: AccountId) -> Result<(), AppError> {
        Ok(tx.links().insert(&Link { account: Some(account), ..self.link }, &self.token.hash()).await?)
    }

    /// Has it brought to somebody by mail once `tx` is committed. Nothing where mail is off.
    pub(crate) async fn send(
        &self,
        inside: &Inside<'_>,
        tx: &SystemTransaction,
        (email, name): (&Email, &PersonName),
        role: Role,
    ) -> Result<Option<JobId>, AppError> {
        let app = inside.app();
        let letter = Letter::Invitation {
            organisation: inside.organisation.name.to_string(),
            role,
            link: self.address(app).parse().map_err(|fault: Invalid| AppError::Internal(Box::new(fault)))?,
            expires: self.expires_at(),
            from: match inside.cx.subject.actor() {
                Actor::Account { name, .. } => Some(name),
                Actor::LocalOperator { .. } | Actor::LinkHolder | Actor::System => None,
            },
        };
        let asked = Asked::by(inside.cx, Some(inside.organisation.id));
        app.send_with(tx, (email, Some(name.to_string())), letter, asked).await
    }

    /// What is handed over.
    pub(crate) fn address(&self, app: &App) -> String {
        format!("{}/invitation#{}", app.public_url(), self.token.expose())
    }

    pub(crate) const fn expires_at(&self) -> Timestamp {
        self.link.expires_at
    }
}
