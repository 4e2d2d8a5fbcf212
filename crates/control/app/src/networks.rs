//! The networks of an organisation.

use std::net::IpAddr;

use ipnet::{Ipv4Net, Ipv6Net};
use uuid::Uuid;
use warren_auth::{
    Authorized,
    permission::{Enter, ManageNetworks},
};
use warren_model::{
    GatewayId, Network, NetworkId, NetworkName, OrganisationId, Tunnel,
    address::Prefixes,
    ambient::random_bytes,
    audit::Action,
    gateway::Gateway,
    name::DomainName,
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
    page::{Page, PageRequest},
};
use warren_storage::{TenantModels, TenantTransaction};

use crate::{
    App, AppError, Contradiction, Expected, Inside, Thing,
    audit::Changes,
    devices::generate_key_pair,
    gateways::{GatewayState, Touched, state_of},
};

/// A network that is to be made.
#[derive(Debug, Clone)]
pub struct Create {
    pub settings: NetworkSettings,
    /// Needed when the installation has several.
    pub gateway: Option<GatewayId>,
}

/// What is to change; none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub name: Option<NetworkName>,
    pub ipv4: Option<Option<Ipv4Net>>,
    pub ipv6: Option<Option<Ipv6Net>>,
    pub dns_servers: Option<Vec<IpAddr>>,
    pub search_domains: Option<Vec<DomainName>>,
    pub tunnel: Option<Tunnel>,
    pub device_traffic: Option<DeviceTraffic>,
    pub mtu: Option<Mtu>,
    pub keepalive: Option<Keepalive>,
}

/// A network and where its devices connect to.
#[derive(Debug, Clone)]
pub struct NetworkView {
    pub network: Network,
    /// `host:port`
    pub endpoint: String,
    /// Whether that names only the gateway's own machine.
    pub is_loopback: bool,
    /// How its gateway is now.
    pub gateway: GatewayState,
    /// Why the gateway cannot carry the network, in one English sentence of its own.
    pub fault: Option<String>,
}

/// The networks of the organisation. Everybody in it.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn page(inside: &Inside<'_>, request: &PageRequest) -> Result<Page<NetworkView>, AppError> {
    inside.authorise(Enter)?;
    let page = inside.tenant.networks().page(request).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for network in page.items {
        items.push(view(inside, network).await?);
    }
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// One of them. Everybody in the organisation.
///
/// # Errors
/// [`AppError::NotFound`]
pub async fn show(inside: &Inside<'_>, id: NetworkId) -> Result<NetworkView, AppError> {
    inside.authorise(Enter)?;
    view(inside, find(inside, id).await?).await
}

/// Makes a network: a key pair, a port on its gateway, and the gateway begins to serve it. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], or a [`Contradiction`] when its name or its addresses are taken or no gateway can serve it.
pub async fn create(inside: &Inside<'_>, input: Create) -> Result<NetworkView, AppError> {
    let proof = inside.authorise(ManageNetworks)?;
    let (app, organisation) = (inside.app(), inside.organisation.id);
    let now = app.clock().now();
    let gateway = choose_gateway(app, input.gateway).await?;
    let id = NetworkId::generate(now, app.random());
    let (private_key, public_key) = generate_key_pair(app.random());
    let sealed = app.sealing().seal(&private_key_context(organisation, id), private_key.expose_bytes(), app.random());

    // The port lives in the system's database. Reserved first and given back on failure; one that a kill leaves behind is
    // found and released at the next start.
    let reservation = Reservation::of(inside, id);
    let port = reserve_port(app, &proof, gateway.id, organisation, id).await?;
    let network = Network {
        id,
        settings: input.settings,
        gateway: gateway.id,
        listen_port: port,
        public_key,
        created_at: now,
        revision: 1,
    };
    let entry = inside.cx.entry(&proof, Action::NetworkCreated, id.uuid(), &network.settings.name);
    let entry = describe(Changes::default(), &network.settings).into_entry(entry);
    let outcome = inside
        .tenant
        .in_turn(async |tx| -> Result<Option<Uuid>, AppError> {
            if let Some(earlier) = inside.cx.claim(&tx.idempotency(), id.uuid()).await? {
                return Ok(Some(earlier));
            }
            refuse_overlap(tx, &network.settings.prefixes, None).await?;
            tx.networks().insert(&proof, &network, &sealed).await?;
            inside.record(tx, &entry).await?;
            app.touch_after(tx, gateway.id, Touched::Network { organisation, network: id });
            Ok(None)
        })
        .await;
    match outcome {
        Ok(None) => {
            reservation.keep();
            view(inside, network).await
        }
        Ok(Some(earlier)) => {
            reservation.give_back().await?;
            show(inside, NetworkId::from_uuid(earlier)).await
        }
        Err(error) => {
            reservation.give_back().await?;
            Err(error)
        }
    }
}

/// Changes a network. Devices notice new settings when they fetch their configuration again. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`], or a [`Contradiction`].
pub async fn change(
    inside: &Inside<'_>,
    id: NetworkId,
    expected: Expected,
    change: Change,
) -> Result<NetworkView, AppError> {
    let proof = inside.authorise(ManageNetworks)?;
    let stored = inside
        .tenant
        .transaction(async |tx| -> Result<Network, AppError> {
            let before = tx.networks().by_id(id).await?.ok_or(AppError::NotFound(Thing::Network))?;
            let settings = apply(&before.settings, change.clone())?;
            let expected = expected.or_current(before.revision);
            if settings.prefixes != before.settings.prefixes {
                let devices = tx.networks().count_devices(id).await?;
                if devices > 0 {
                    return Err(Contradiction::PrefixesInUse { devices }.into());
                }
                refuse_overlap(tx, &settings.prefixes, Some(id)).await?;
            }
            let changes = compare(&before.settings, &settings);
            if changes.is_empty() && expected == before.revision {
                return Ok(before);
            }
            let entry = inside.cx.entry(&proof, Action::NetworkChanged, id.uuid(), &settings.name);
            let revision = tx.networks().update(&proof, &settings, id, expected).await?;
            inside.record(tx, &changes.into_entry(entry)).await?;
            let touched = Touched::Network { organisation: inside.organisation.id, network: id };
            inside.app().touch_after(tx, before.gateway, touched);
            Ok(Network { settings, revision, ..before })
        })
        .await?;
    view(inside, stored).await
}

/// Removes a network that no device uses any more. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`], [`AppError::Stale`] or [`Contradiction::NetworkInUse`]
pub async fn remove(inside: &Inside<'_>, id: NetworkId, expected: Expected) -> Result<(), AppError> {
    let proof = inside.authorise(ManageNetworks)?;
    let reservation = Reservation::of(inside, id);
    inside
        .tenant
        .transaction(async |tx| -> Result<(), AppError> {
            let network = tx.networks().by_id(id).await?.ok_or(AppError::NotFound(Thing::Network))?;
            let devices = tx.networks().count_devices(id).await?;
            if devices > 0 {
                return Err(Contradiction::NetworkInUse { devices }.into());
            }
            let entry = inside.cx.entry(&proof, Action::NetworkRemoved, id.uuid(), &network.settings.name);
            tx.networks().remove(&proof, id, expected.or_current(network.revision)).await?;
            inside.record(tx, &entry).await?;
            let touched = Touched::Network { organisation: inside.organisation.id, network: id };
            inside.app().touch_after(tx, network.gateway, touched);
            Ok(())
        })
        .await?;
    reservation.give_back().await
}

/// Prefixes that no network of the organisation uses yet: a random /24 of 10.0.0.0/8, and a unique local /64 with a random
/// global identifier (RFC 4193 section 3.2). Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn suggest_prefixes(inside: &Inside<'_>) -> Result<(Ipv4Net, Ipv6Net), AppError> {
    inside.authorise(ManageNetworks)?;
    let taken: Vec<Prefixes> = inside.tenant.networks().all().await?.iter().map(|n| n.settings.prefixes).collect();
    let random = inside.app().random();
    loop {
        let [second, third] = random_bytes(random);
        let [a, b, c, d, e] = random_bytes::<5>(random);
        let group = |high, low| u16::from_be_bytes([high, low]);
        let ipv4 = Ipv4Net::new_assert([10, second, third, 0].into(), 24);
        let ipv6 = Ipv6Net::new_assert([group(0xfd, a), group(b, c), group(d, e), 0, 0, 0, 0, 0].into(), 64);
        let suggestion =
            Prefixes::new(Some(ipv4), Some(ipv6)).map_err(|invalid| AppError::field("ipv4_prefix", invalid))?;
        // At most 1,000 networks against 65,536 prefixes: this ends after a few rounds.
        if taken.iter().all(|other| other.overlap(&suggestion).is_none()) {
            return Ok((ipv4, ipv6));
        }
    }
}

/// What binds a sealed private key to its network.
pub(crate) fn private_key_context(organisation: OrganisationId, network: NetworkId) -> String {
    format!("organisation:{organisation}:network:{network}:private-key")
}

/// Gives back ports of networks that never came to be because the process was killed in between.
pub(crate) async fn release_abandoned_ports(app: &App) -> Result<(), warren_storage::StorageError> {
    for (_, organisation, network) in app.system().gateway_networks().all().await? {
        // A database that cannot be opened now keeps its ports; its networks may well be there.
        let Ok(tenant) = app.databases().tenant_models(organisation).await else { continue };
        if tenant.networks().by_id(network).await?.is_none() {
            tracing::info!(%network, "releasing the port of a network that was never completed");
            app.system().transaction(async |tx| tx.gateway_networks().release(network).await).await?;
        }
    }
    Ok(())
}

async fn find(inside: &Inside<'_>, id: NetworkId) -> Result<Network, AppError> {
    inside.tenant.networks().by_id(id).await?.ok_or(AppError::NotFound(Thing::Network))
}

pub(crate) async fn view(inside: &Inside<'_>, network: Network) -> Result<NetworkView, AppError> {
    let gateway =
        inside.cx.system().gateways().by_id(network.gateway).await?.ok_or(AppError::NotFound(Thing::Gateway))?;
    let presence = inside.app().hub().presence(gateway.id).filter(|presence| presence.online);
    let mut faults = presence.map(|presence| presence.faults).unwrap_or_default().into_iter();
    Ok(NetworkView {
        endpoint: gateway.endpoint.with_port(network.listen_port),
        is_loopback: gateway.endpoint.is_loopback(),
        gateway: state_of(inside.app(), &gateway),
        fault: faults.find(|fault| fault.network == network.id).map(|fault| fault.reason),
        network,
    })
}

async fn choose_gateway(app: &App, wanted: Option<GatewayId>) -> Result<Gateway, AppError> {
    let gateways = app.system().gateways();
    if let Some(id) = wanted {
        return gateways.by_id(id).await?.ok_or(AppError::NotFound(Thing::Gateway));
    }
    let mut all = gateways.all().await?;
    match all.len() {
        0 => Err(Contradiction::NoGateway.into()),
        1 => Ok(all.remove(0)),
        _ => Err(Contradiction::GatewayAmbiguous.into()),
    }
}

async fn reserve_port(
    app: &App,
    proof: &Authorized<ManageNetworks>,
    gateway: GatewayId,
    organisation: OrganisationId,
    network: NetworkId,
) -> Result<u16, AppError> {
    app.system()
        .transaction(async |tx| -> Result<u16, AppError> {
            Ok(tx.gateway_networks().reserve_port(proof, gateway, organisation, network).await?)
        })
        .await
}

/// A network's port, which is given back in the background when the caller stops waiting in the middle, as when a browser hangs
/// up, unless the network is there.
struct Reservation {
    app: App,
    tenant: TenantModels,
    network: NetworkId,
    is_settled: bool,
}

impl Reservation {
    fn of(inside: &Inside<'_>, network: NetworkId) -> Self {
        Self { app: inside.app().clone(), tenant: inside.tenant.clone(), network, is_settled: false }
    }
    fn keep(mut self) {
        self.is_settled = true;
    }
    async fn give_back(mut self) -> Result<(), AppError> {
        release_port(&self.app, self.network).await?;
        self.is_settled = true;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.is_settled {
            return;
        }
        let (app, tenant, network) = (self.app.clone(), self.tenant.clone(), self.network);
        runtime.spawn(async move {
            // Looked for in turn: what was under way is over then.
            let there = tenant
                .in_turn(async |tx| -> Result<bool, AppError> { Ok(tx.networks().by_id(network).await?.is_some()) });
            let released = match there.await {
                Ok(true) => return,
                Ok(false) => release_port(&app, network).await,
                Err(cause) => Err(cause),
            };
            if let Err(cause) = released {
                tracing::warn!(%cause, %network, "a port could not be given back; the next start does so");
            }
        });
    }
}

async fn release_port(app: &App, network: NetworkId) -> Result<(), AppError> {
    app.system()
        .transaction(async |tx| -> Result<(), AppError> { Ok(tx.gateway_networks().release(network).await?) })
        .await
}

async fn refuse_overlap(
    tx: &TenantTransaction,
    prefixes: &Prefixes,
    except: Option<NetworkId>,
) -> Result<(), AppError> {
    let networks = tx.networks().all().await?;
    for other in networks.iter().filter(|other| Some(other.id) != except) {
        if let Some((_, prefix)) = prefixes.overlap(&other.settings.prefixes) {
            let other = other.settings.name.to_string();
            return Err(Contradiction::PrefixesOverlap { other, prefix: prefix.to_string() }.into());
        }
    }
    Ok(())
}

fn apply(before: &NetworkSettings, change: Change) -> Result<NetworkSettings, AppError> {
    let ipv4 = change.ipv4.unwrap_or(before.prefixes.ipv4());
    let ipv6 = change.ipv6.unwrap_or(before.prefixes.ipv6());
    let servers = change.dns_servers.unwrap_or_else(|| before.dns.servers().to_vec());
    let search_domains = change.search_domains.unwrap_or_else(|| before.dns.search_domains().to_vec());
    Ok(NetworkSettings {
        name: change.name.unwrap_or_else(|| before.name.clone()),
        prefixes: Prefixes::new(ipv4, ipv6).map_err(|invalid| AppError::field("ipv4_prefix", invalid))?,
        dns: Dns::new(servers, search_domains).map_err(|invalid| AppError::field("dns_servers", invalid))?,
        tunnel: change.tunnel.unwrap_or_else(|| before.tunnel.clone()),
        device_traffic: change.device_traffic.unwrap_or(before.device_traffic),
        mtu: change.mtu.unwrap_or(before.mtu),
        keepalive: change.keepalive.unwrap_or(before.keepalive),
    })
}

/// What a new network begins with, for the audit trail.
fn describe(changes: Changes, settings: &NetworkSettings) -> Changes {
    let prefixes: Vec<String> = settings.prefixes.iter().map(|prefix| prefix.to_string()).collect();
    changes.first("prefixes", prefixes.join(", ")).first("tunnel", show_tunnel(&settings.tunnel))
}

fn compare(before: &NetworkSettings, after: &NetworkSettings) -> Changes {
    fn join<T: ToString>(items: &[T]) -> String {
        items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
    let prefixes = |prefixes: &Prefixes| join(&prefixes.iter().collect::<Vec<_>>());
    let traffic = |traffic: &DeviceTraffic| traffic.as_str().to_owned();
    Changes::default()
        .compare("name", &before.name, &after.name, ToString::to_string)
        .compare("prefixes", &before.prefixes, &after.prefixes, prefixes)
        .compare("dns_servers", &before.dns.servers(), &after.dns.servers(), |servers| join(servers))
        .compare("search_domains", &before.dns.search_domains(), &after.dns.search_domains(), |domains| join(domains))
        .compare("tunnel", &before.tunnel, &after.tunnel, show_tunnel)
        .compare("device_traffic", &before.device_traffic, &after.device_traffic, traffic)
        .compare("mtu", &before.mtu, &after.mtu, |mtu| mtu.bytes().to_string())
        .compare("keepalive_seconds", &before.keepalive, &after.keepalive, |keepalive| keepalive.seconds().to_string())
}

fn show_tunnel(tunnel: &Tunnel) -> String {
    match tunnel {
        Tunnel::Full => "full".to_owned(),
        Tunnel::Split { routes } if routes.is_empty() => "split".to_owned(),
        Tunnel::Split { routes } => {
            format!("split: {}", routes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
    }
}
