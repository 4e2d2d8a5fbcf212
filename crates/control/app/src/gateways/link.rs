//! The link that a gateway holds: the desired state out, observations in.

use std::collections::HashSet;

use tokio::sync::mpsc;
use uuid::Uuid;
use warren_auth::{SealError, SecretToken};
use warren_model::{
    DeviceId, GatewayId, Network, NetworkId, OrganisationId, PresharedKey, PrivateKey, PublicKey, Timestamp,
    address::{Addresses, HostIndex},
    ambient::random_bytes,
    device::{DeviceState, Standing},
    gateway::Gateway,
    organisation::OrganisationState,
};
use warren_storage::{DevicePeer, TenantModels};

use super::{Fault, Hello, hub::Touched};
use crate::{App, AppError, devices::preshared_key_context, live::PeerObservation, networks::private_key_context};

/// The most touches that are answered with one batch of changes.
const CHANGES_PER_BATCH_MAX: usize = 256;

/// A network as a gateway is to serve it.
#[derive(Debug, Clone)]
pub struct DesiredNetwork {
    pub organisation: OrganisationId,
    pub network: Network,
    pub private_key: PrivateKey,
}

/// A device as a gateway is to let it in.
#[derive(Debug, Clone)]
pub struct DesiredPeer {
    pub network: NetworkId,
    pub device: DeviceId,
    pub public_key: PublicKey,
    pub preshared_key: Option<PresharedKey>,
    pub addresses: Addresses,
    pub expires_at: Option<Timestamp>,
}

/// One step of the desired state.
#[derive(Debug, Clone)]
pub enum DesiredChange {
    NetworkSet(DesiredNetwork),
    NetworkRemoved(NetworkId),
    PeerSet(DesiredPeer),
    PeerRemoved { network: NetworkId, device: DeviceId },
}

/// Why a link has to end.
#[derive(Debug, thiserror::Error)]
pub enum LinkEnd {
    /// The gateway connected again, was removed, or fell too far behind.
    #[error("the link was replaced, its gateway was removed, or it fell behind")]
    Superseded,
    /// The state could not be read; the gateway keeps what it has and connects again.
    #[error(transparent)]
    App(#[from] AppError),
}

/// The gateway that holds `credential`.
///
/// # Errors
/// [`AppError::Unavailable`]
pub async fn authenticate(app: &App, credential: &SecretToken) -> Result<Option<Gateway>, AppError> {
    Ok(app.system().gateways().by_credential_hash(&credential.hash()).await?)
}

/// One link, from its `Hello` until it is dropped.
#[derive(Debug)]
pub struct LinkSession {
    app: App,
    gateway: Gateway,
    link: Uuid,
    boot: Uuid,
    touches: mpsc::Receiver<Touched>,
    /// Taken from `touches` and not answered yet.
    noticed: Vec<Touched>,
    /// The networks that the gateway was told of, and whose they are.
    told: std::collections::HashMap<NetworkId, OrganisationId>,
}

impl LinkSession {
    /// Takes the gateway's place in the hub; from here on no change is missed.
    pub fn open(app: &App, gateway: Gateway, hello: Hello) -> Self {
        let link = Uuid::from_bytes(random_bytes(app.random()));
        let boot = hello.boot;
        tracing::info!(gateway = %gateway.id, software = %hello.software, backend = hello.backend.as_str(), "gateway connected");
        let touches = app.hub().connect(gateway.id, link, hello, app.clock().now());
        app.live().gateway(gateway.id, true);
        Self { app: app.clone(), gateway, link, boot, touches, noticed: Vec::new(), told: Default::default() }
    }

    /// The gateway at the other end.
    pub const fn gateway(&self) -> GatewayId {
        self.gateway.id
    }

    /// Every network that the gateway is to serve, without its peers. Suspended organisations' are left out.
    ///
    /// # Errors
    /// [`AppError`] when a database cannot be read; a tenant whose database is damaged is left out and logged, so that it
    /// does not take the others with it.
    pub async fn snapshot(&mut self) -> Result<Vec<DesiredNetwork>, AppError> {
        let mut networks = Vec::new();
        for (organisation, network) in self.app.system().gateway_networks().networks_of(self.gateway.id).await? {
            match self.read_network(organisation, network).await {
                Ok(Some(desired)) => networks.push(desired),
                Ok(None) => {}
                Err(cause) => {
                    tracing::error!(%organisation, %network, %cause, "a network is left out of a gateway's snapshot");
                }
            }
        }
        self.told = networks.iter().map(|desired| (desired.network.id, desired.organisation)).collect();
        Ok(networks)
    }

    /// The peers of a network that follow `after`, at most 1,000; none at the end.
    ///
    /// # Errors
    /// [`AppError`]
    pub async fn peers(&self, network: &DesiredNetwork, after: Option<HostIndex>) -> Result<PeerChunk, AppError> {
        let tenant = self.tenant(network.organisation).await?;
        let rows = tenant.devices().live_of_network(network.network.id, after).await?;
        let last = rows.last().and_then(|row| row.device.host_index);
        let peers = rows.iter().map(|row| self.desired_peer(network.organisation, row));
        Ok(PeerChunk { peers: peers.filter_map(Result::transpose).collect::<Result<_, _>>()?, last })
    }

    /// Waits until something changed; [`LinkSession::changes`] then says how it stands. Cancel-safe.
    ///
    /// # Errors
    /// [`LinkEnd::Superseded`]
    pub async fn touched(&mut self) -> Result<(), LinkEnd> {
        if self.noticed.is_empty() && self.touches.recv_many(&mut self.noticed, CHANGES_PER_BATCH_MAX).await == 0 {
            return Err(LinkEnd::Superseded);
        }
        Ok(())
    }

    /// How what changed stands now; waits until something did. Not cancel-safe once it reads: await it to its end, after
    /// [`LinkSession::touched`].
    ///
    /// # Errors
    /// [`LinkEnd`]
    pub async fn changes(&mut self) -> Result<Vec<DesiredChange>, LinkEnd> {
        self.touched().await?;
        let touched = std::mem::take(&mut self.noticed);
        let mut seen = HashSet::new();
        let mut changes = Vec::with_capacity(touched.len());
        for touched in touched.into_iter().filter(|touched| seen.insert(*touched)) {
            match touched {
                Touched::Network { organisation, network } => {
                    self.network_changes(organisation, network, &mut changes).await?
                }
                Touched::Device { organisation, network, device } => {
                    // A network that the gateway does not serve yet brings its peers along when it is touched itself.
                    if self.told.contains_key(&network) {
                        changes.push(self.device_change(organisation, network, device).await?);
                    }
                }
            }
        }
        Ok(changes)
    }

    /// The gateway has brought the state up to `version` into force, but for `faults`.
    pub fn applied(&self, version: u64, faults: Vec<Fault>) {
        for fault in &faults {
            tracing::warn!(gateway = %self.gateway.id, network = %fault.network, reason = %fault.reason, "a gateway reports a fault");
        }
        let now = self.app.clock().now();
        self.app.hub().update(self.gateway.id, self.link, |presence| {
            presence.applied_version = version;
            presence.faults = faults;
            presence.last_seen_at = now;
        });
    }

    /// Something was heard of the gateway.
    pub fn heard(&self) {
        let now = self.app.clock().now();
        self.app.hub().update(self.gateway.id, self.link, |presence| presence.last_seen_at = now);
    }

    /// Takes in what the gateway observed of its peers. Devices that it does not serve are passed over: a gateway cannot
    /// write into organisations that are not its own.
    ///
    /// # Errors
    /// [`AppError`] when what is stored of a device cannot be read.
    pub async fn report(&self, seen: Vec<PeerObservation>) -> Result<(), AppError> {
        self.heard();
        let mut by_organisation: std::collections::HashMap<OrganisationId, Vec<PeerObservation>> = Default::default();
        for observation in seen {
            if let Some(organisation) = self.told.get(&observation.network) {
                by_organisation.entry(*organisation).or_default().push(observation);
            }
        }
        let now = self.app.clock().now();
        for (organisation, seen) in by_organisation {
            let unknown = self.app.live().unknown(organisation, seen.iter().map(|observation| observation.device));
            if !unknown.is_empty() {
                let tenant = self.tenant(organisation).await?;
                for (device, network, owner, record) in tenant.usage().records_of(&unknown).await? {
                    self.app.live().remember(organisation, device, network, owner, record);
                }
            }
            self.app.live().observe(organisation, self.boot, &seen, now);
        }
        Ok(())
    }

    async fn tenant(&self, organisation: OrganisationId) -> Result<TenantModels, AppError> {
        Ok(self.app.databases().tenant_models(organisation).await?)
    }

    /// The network as it stands, unless it is gone, moved to another gateway, or its organisation is suspended.
    async fn read_network(
        &self,
        organisation: OrganisationId,
        id: NetworkId,
    ) -> Result<Option<DesiredNetwork>, AppError> {
        let owner = self.app.system().organisations().by_id(organisation).await?;
        if owner.is_none_or(|owner| owner.state == OrganisationState::Suspended) {
            return Ok(None);
        }
        let tenant = self.tenant(organisation).await?;
        let Some(network) = tenant.networks().by_id(id).await? else { return Ok(None) };
        if network.gateway != self.gateway.id {
            return Ok(None);
        }
        let Some(sealed) = tenant.networks().private_key_sealed(id).await? else { return Ok(None) };
        let opened = self.app.sealing().open(&private_key_context(organisation, id), &sealed)?;
        let private_key = key_bytes(&opened).map(PrivateKey::from_bytes)?;
        Ok(Some(DesiredNetwork { organisation, network, private_key }))
    }

    async fn network_changes(
        &mut self,
        organisation: OrganisationId,
        id: NetworkId,
        changes: &mut Vec<DesiredChange>,
    ) -> Result<(), AppError> {
        let Some(desired) = self.read_network(organisation, id).await? else {
            if self.told.remove(&id).is_some() {
                changes.push(DesiredChange::NetworkRemoved(id));
            }
            return Ok(());
        };
        changes.push(DesiredChange::NetworkSet(desired.clone()));
        if self.told.insert(id, organisation).is_some() {
            return Ok(());
        }
        // A network that is new to the gateway brings its devices along.
        let mut after = None;
        loop {
            let chunk = self.peers(&desired, after).await?;
            changes.extend(chunk.peers.into_iter().map(DesiredChange::PeerSet));
            if chunk.last.is_none() {
                return Ok(());
            }
            after = chunk.last;
        }
    }

    async fn device_change(
        &self,
        organisation: OrganisationId,
        network: NetworkId,
        device: DeviceId,
    ) -> Result<DesiredChange, AppError> {
        let row = self.tenant(organisation).await?.devices().peer(device).await?;
        let peer = row.map(|row| self.desired_peer(organisation, &row)).transpose()?.flatten();
        Ok(peer.map_or(DesiredChange::PeerRemoved { network, device }, DesiredChange::PeerSet))
    }

    /// The peer that a device is to be, or none while it is kept out.
    fn desired_peer(&self, organisation: OrganisationId, row: &DevicePeer) -> Result<Option<DesiredPeer>, AppError> {
        let device = &row.device;
        let (Standing::Enabled, Some(addresses)) = (device.standing, device.addresses) else { return Ok(None) };
        if device.state(self.app.clock().now()) != DeviceState::Active {
            return Ok(None);
        }
        let preshared_key = match &row.sealed_psk {
            None => None,
            Some(sealed) => {
                let opened = self.app.sealing().open(&preshared_key_context(organisation, device.id), sealed)?;
                Some(PresharedKey::from_bytes(key_bytes(&opened)?))
            }
        };
        Ok(Some(DesiredPeer {
            network: device.network,
            device: device.id,
            public_key: device.public_key,
            preshared_key,
            addresses,
            expires_at: device.expires_at,
        }))
    }
}

impl Drop for LinkSession {
    fn drop(&mut self) {
        if self.app.hub().disconnect(self.gateway.id, self.link, self.app.clock().now()) {
            tracing::info!(gateway = %self.gateway.id, "gateway disconnected");
            self.app.live().gateway(self.gateway.id, false);
        }
    }
}

/// Some of a network's peers, and the last place that was looked at; none at the end.
#[derive(Debug)]
pub struct PeerChunk {
    pub peers: Vec<DesiredPeer>,
    pub last: Option<HostIndex>,
}

fn key_bytes(opened: &[u8]) -> Result<[u8; 32], AppError> {
    opened.try_into().map_err(|_| AppError::from(SealError::DoesNotOpen))
}
