//! Naming, changing and removing gateways, and how they are now.

use warren_auth::permission::ManageNetworks;
use warren_model::{
    GatewayId, GatewayName, Timestamp,
    audit::Action,
    gateway::{EndpointHost, Enrolment, Gateway},
    page::{Page, PageRequest},
};

use super::{Backend, Fault, JoinToken, membership::new_join_token};
use warren_storage::Staleness;

use crate::{App, AppError, Contradiction, Expected, Inside, OpContext, Thing, audit::Changes};

/// A gateway that is to be made.
#[derive(Debug, Clone)]
pub struct Create {
    pub name: GatewayName,
    pub endpoint: EndpointHost,
    pub first_port: u16,
}

/// What is to change; none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<GatewayName>,
    pub endpoint: Option<EndpointHost>,
}

/// A gateway and how it is now.
#[derive(Debug, Clone)]
pub struct GatewayView {
    pub gateway: Gateway,
    pub state: GatewayState,
    pub software: Option<String>,
    pub backend: Option<Backend>,
    /// When it was last heard of, since this process started.
    pub last_seen_at: Option<Timestamp>,
    pub networks: u64,
    pub faults: Vec<Fault>,
}

/// Whether a gateway can be told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayState {
    /// Its join token has not been used.
    Pending,
    Online,
    /// It holds no link now; what it was told last stays in force.
    Offline,
}

impl GatewayState {
    /// The word for it in the API and the catalogues.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }
}

/// All gateways. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn page(cx: &OpContext, request: &PageRequest) -> Result<Page<GatewayView>, AppError> {
    cx.operate()?;
    let page = cx.system().allowing(Staleness::Bounded).gateways().page(request).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for gateway in page.items {
        items.push(view(&cx.app, gateway).await?);
    }
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// The gateways that a new network can use. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn choices(inside: &Inside<'_>) -> Result<Vec<(GatewayId, GatewayName)>, AppError> {
    inside.authorise(ManageNetworks)?;
    let all = inside.cx.system().gateways().all().await?;
    Ok(all.into_iter().map(|gateway| (gateway.id, gateway.name)).collect())
}

/// One gateway. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn show(cx: &OpContext, id: GatewayId) -> Result<GatewayView, AppError> {
    cx.operate()?;
    view(&cx.app, find(&cx.app, id).await?).await
}

/// Makes a gateway and the token by which its host enrols. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`Contradiction::GatewayNameTaken`]
pub async fn create(cx: &OpContext, input: Create) -> Result<(GatewayView, JoinToken), AppError> {
    let proof = cx.operate()?;
    let app = &cx.app;
    let now = app.clock().now();
    let gateway = Gateway {
        id: GatewayId::generate(now, app.random()),
        name: input.name,
        endpoint: input.endpoint,
        first_port: input.first_port,
        enrolment: Enrolment::Pending,
        created_at: now,
        revision: 1,
    };
    let join = new_join_token(app);
    let entry = cx.entry(&proof, Action::GatewayCreated, gateway.id.uuid(), &gateway.name);
    let entry = Changes::default().first("endpoint_host", &gateway.endpoint).into_entry(entry);
    let replayed = cx
        .system()
        .transaction(async |tx| -> Result<bool, AppError> {
            if cx.claim(&tx.idempotency(), gateway.id.uuid()).await?.is_some() {
                return Ok(true);
            }
            tx.gateways().insert(&proof, &gateway, Some((&join.token.hash(), join.expires_at))).await?;
            tx.audit().append(&entry, None).await?;
            Ok(false)
        })
        .await?;
    if replayed {
        return Err(AppError::SecretGone);
    }
    Ok((view(app, gateway).await?, join))
}

/// Renames a gateway or changes where devices find it. Operators.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`] or [`Contradiction::GatewayNameTaken`]
pub async fn change(
    cx: &OpContext,
    id: GatewayId,
    expected: Expected,
    change: Change,
) -> Result<GatewayView, AppError> {
    let proof = cx.operate()?;
    let before = find(&cx.app, id).await?;
    let mut after = before.clone();
    after.name = change.name.unwrap_or(after.name);
    after.endpoint = change.endpoint.unwrap_or(after.endpoint);
    let changes = Changes::default().compare("name", &before.name, &after.name, ToString::to_string).compare(
        "endpoint_host",
        &before.endpoint,
        &after.endpoint,
        ToString::to_string,
    );
    let expected = expected.or_current(before.revision);
    if expected != before.revision {
        return Err(AppError::Stale);
    }
    if changes.is_empty() {
        return view(&cx.app, before).await;
    }
    let entry = changes.into_entry(cx.entry(&proof, Action::GatewayChanged, id.uuid(), &after.name));
    let stored = cx
        .system()
        .transaction(async |tx| -> Result<Gateway, AppError> {
            let revision = tx.gateways().update(&proof, &after, expected).await?;
            tx.audit().append(&entry, None).await?;
            Ok(Gateway { revision, ..after.clone() })
        })
        .await?;
    view(&cx.app, stored).await
}

/// Removes a gateway that serves no network any more; its credential stops working at once. Operators.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`] or [`Contradiction::GatewayInUse`]
pub async fn remove(cx: &OpContext, id: GatewayId, expected: Expected) -> Result<(), AppError> {
    let proof = cx.operate()?;
    let gateway = find(&cx.app, id).await?;
    if expected.or_current(gateway.revision) != gateway.revision {
        return Err(AppError::Stale);
    }
    let entry = cx.entry(&proof, Action::GatewayRemoved, id.uuid(), &gateway.name);
    cx.system()
        .transaction(async |tx| -> Result<(), AppError> {
            let networks = tx.gateway_networks().networks_of(id).await?.len() as u64;
            if networks > 0 {
                return Err(Contradiction::GatewayInUse { networks }.into());
            }
            tx.gateways().remove(&proof, id).await?;
            tx.audit().append(&entry, None).await?;
            Ok(())
        })
        .await?;
    cx.app.hub().forget(id);
    Ok(())
}

/// A new join token for a gateway; the earlier token and credential stop working. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn renew_join(cx: &OpContext, id: GatewayId) -> Result<JoinToken, AppError> {
    let proof = cx.operate()?;
    let gateway = find(&cx.app, id).await?;
    let join = new_join_token(&cx.app);
    let hash = join.token.hash();
    let entry = cx.entry(&proof, Action::GatewayChanged, id.uuid(), &gateway.name);
    cx.system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.gateways().renew_join_token(&proof, id, (&hash, join.expires_at)).await?;
            tx.audit().append(&entry, None).await?;
            Ok(())
        })
        .await?;
    cx.app.hub().forget(id);
    Ok(join)
}

async fn find(app: &App, id: GatewayId) -> Result<Gateway, AppError> {
    app.system().gateways().by_id(id).await?.ok_or(AppError::NotFound(Thing::Gateway))
}

/// Whether the gateway can be told anything now.
pub(crate) fn state_of(app: &App, gateway: &Gateway) -> GatewayState {
    match gateway.enrolment {
        _ if app.hub().presence(gateway.id).is_some_and(|presence| presence.online) => GatewayState::Online,
        Enrolment::Pending => GatewayState::Pending,
        Enrolment::Enrolled { .. } => GatewayState::Offline,
    }
}

async fn view(app: &App, gateway: Gateway) -> Result<GatewayView, AppError> {
    let presence = app.hub().presence(gateway.id);
    let networks = app.system().gateway_networks().networks_of(gateway.id).await?.len() as u64;
    let state = state_of(app, &gateway);
    let last_seen_at = presence.as_ref().map(|presence| presence.last_seen_at);
    let online = presence.filter(|presence| presence.online);
    let (hello, faults) = online.map_or((None, Vec::new()), |presence| (Some(presence.hello), presence.faults));
    Ok(GatewayView {
        gateway,
        state,
        software: hello.as_ref().map(|hello| hello.software.clone()),
        backend: hello.map(|hello| hello.backend),
        last_seen_at,
        networks,
        faults,
    })
}
