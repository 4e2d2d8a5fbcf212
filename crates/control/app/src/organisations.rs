//! Organisations.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;
use warren_auth::permission::{ManageNetworks, Oversee};
use warren_model::{
    OrganisationId, OrganisationName, OrganisationSlug, Role,
    audit::Action,
    organisation::{Organisation, OrganisationState},
    page::{Page, PageRequest},
};
use warren_storage::Staleness;

use crate::{App, AppError, Contradiction, Expected, Inside, OpContext, Thing, audit::Changes, gateways::Touched};

/// A new organisation.
#[derive(Debug, Clone)]
pub struct Create {
    pub slug: OrganisationSlug,
    pub name: OrganisationName,
}

/// What is to change.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<OrganisationName>,
    /// Takes an operator.
    pub state: Option<OrganisationState>,
}

/// An organisation and what the reader is in it.
#[derive(Debug, Clone)]
pub struct Membership {
    pub organisation: Organisation,
    pub role: Role,
}

/// An organisation in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overview {
    pub people: u64,
    pub networks: u64,
    pub devices: DeviceCounts,
}

/// Devices by state; `online` counts the active ones that hold a session now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCounts {
    pub active: u64,
    pub online: u64,
    pub disabled: u64,
    pub expired: u64,
    pub revoked: u64,
}

/// The organisations that the caller may enter: operators all, others their own.
///
/// # Errors
/// [`AppError::NotSignedIn`] or [`AppError::Unavailable`]
pub async fn page(cx: &OpContext, request: &PageRequest) -> Result<Page<Membership>, AppError> {
    let system = cx.system().allowing(Staleness::Bounded);
    let organisations = system.organisations();
    if cx.subject.is_operator() {
        let all = organisations.page(request).await?;
        return Ok(all.map(|organisation| Membership { organisation, role: Role::Admin }));
    }
    let account = cx.subject.account().ok_or(AppError::NotSignedIn)?;
    let own = organisations.page_of_account(account, request).await?;
    Ok(own.map(|(organisation, role)| Membership { organisation, role }))
}

/// The first of them, at most 200.
///
/// # Errors
/// As [`page`].
pub async fn mine(cx: &OpContext) -> Result<Vec<Membership>, AppError> {
    Ok(page(cx, &PageRequest::first_of_most()).await?.items)
}

/// The names of organisations that something speaks of. Those that are gone have none. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn named(
    cx: &OpContext,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<HashMap<OrganisationId, Organisation>, AppError> {
    cx.operate()?;
    let ids: HashSet<OrganisationId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<OrganisationId> = ids.into_iter().collect();
    let found = cx.system().organisations().by_ids(&ids).await?;
    Ok(found.into_iter().map(|organisation| (organisation.id, organisation)).collect())
}

/// The organisation that was entered.
pub fn show(inside: &Inside<'_>) -> Membership {
    Membership { organisation: inside.organisation.clone(), role: inside.insider.role() }
}

/// Makes an organisation with an empty database of its own. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`crate::Contradiction::SlugTaken`]
pub async fn create(cx: &OpContext, input: Create) -> Result<Organisation, AppError> {
    let proof = cx.operate()?;
    let app = &cx.app;
    let organisation = new(app, input);
    let entry = cx.entry(&proof, Action::OrganisationCreated, organisation.id.uuid(), &organisation.name);
    if let Some(earlier) = cx.earlier(&cx.system().idempotency()).await? {
        return replay(app, earlier).await;
    }
    if cx.system().organisations().by_slug(&organisation.slug).await?.is_some() {
        return Err(Contradiction::SlugTaken.into());
    }
    // The database first: one without a row is removed at the next start, a row without one would be a broken promise.
    app.databases().create_tenant(organisation.id).await?;
    let earlier = cx
        .system()
        .transaction(async |tx| -> Result<Option<Uuid>, AppError> {
            if let Some(earlier) = cx.claim(&tx.idempotency(), organisation.id.uuid()).await? {
                return Ok(Some(earlier));
            }
            tx.organisations().insert(&proof, &organisation).await?;
            tx.audit().append(&entry, Some(organisation.id)).await?;
            tx.audit_outbox().push(&entry, organisation.id).await?;
            Ok(None)
        })
        .await?;
    if let Some(earlier) = earlier {
        return replay(app, earlier).await;
    }
    app.relay_audit_soon();
    Ok(organisation)
}

/// The organisation that the same request made before.
async fn replay(app: &App, earlier: Uuid) -> Result<Organisation, AppError> {
    let found = app.system().organisations().by_id(OrganisationId::from_uuid(earlier)).await?;
    found.ok_or(AppError::NotFound(Thing::Organisation))
}

/// Renames, suspends or resumes the organisation.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::Stale`]
pub async fn change(inside: &Inside<'_>, expected: Expected, change: Change) -> Result<Organisation, AppError> {
    let proof = inside.authorise(ManageNetworks)?;
    if change.state.is_some() {
        inside.cx.operate()?;
    }
    let before = &inside.organisation;
    let mut after = before.clone();
    after.name = change.name.unwrap_or(after.name);
    after.state = change.state.unwrap_or(after.state);
    let changes = Changes::default().compare("name", &before.name, &after.name, ToString::to_string).compare(
        "state",
        &before.state,
        &after.state,
        |state| state.as_str().to_owned(),
    );
    let expected = expected.or_current(before.revision);
    if expected != before.revision {
        return Err(AppError::Stale);
    }
    if changes.is_empty() {
        return Ok(after);
    }
    let entry = changes.into_entry(inside.cx.entry(&proof, Action::OrganisationChanged, after.id.uuid(), &after.name));
    let app = inside.app();
    let stored = inside
        .cx
        .system()
        .transaction(async |tx| -> Result<Organisation, AppError> {
            let revision = tx.organisations().update(&proof, &after, expected).await?;
            tx.audit().append(&entry, Some(after.id)).await?;
            tx.audit_outbox().push(&entry, after.id).await?;
            if before.state != after.state {
                let (app, here) = (app.clone(), after.id);
                // Read in this transaction: a network that is reserved later is told with the new state anyway.
                let networks = tx.gateway_networks().all().await?;
                tx.after_commit(move || {
                    for (gateway, organisation, network) in networks.into_iter().filter(|(_, of, _)| *of == here) {
                        app.hub().touch(gateway, Touched::Network { organisation, network });
                    }
                });
            }
            Ok(Organisation { revision, ..after.clone() })
        })
        .await?;
    app.relay_audit_soon();
    Ok(stored)
}

/// The organisation in numbers. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn overview(inside: &Inside<'_>) -> Result<Overview, AppError> {
    inside.authorise(Oversee)?;
    let (id, now) = (inside.organisation.id, inside.app().clock().now());
    let (system, tenant) =
        (inside.cx.system().allowing(Staleness::Bounded), inside.tenant.allowing(Staleness::Bounded));
    let counts = tenant.devices().counts(now).await?;
    Ok(Overview {
        people: system.memberships().count(id).await?,
        networks: tenant.networks().count().await?,
        devices: DeviceCounts {
            active: counts.active,
            online: inside.app().live().online(id, now).min(counts.active),
            disabled: counts.disabled,
            expired: counts.expired,
            revoked: counts.revoked,
        },
    })
}

/// The organisation as it will be stored.
pub(crate) fn new(app: &App, input: Create) -> Organisation {
    let now = app.clock().now();
    Organisation {
        id: OrganisationId::generate(now, app.random()),
        slug: input.slug,
        name: input.name,
        state: OrganisationState::Active,
        created_at: now,
        revision: 1,
    }
}
