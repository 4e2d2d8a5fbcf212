//! One organisation's database with devices in it, and everybody's way to it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, ensure};
use tempfile::TempDir;
use uuid::Uuid;
use warren_auth::{
    Authorized,
    permission::{ManageDevicesOf, ManageNetworks},
};
use warren_model::{
    AccountId, Clock, Device, DeviceId, GatewayId, Network, NetworkId, OrganisationId, PublicKey, Tunnel,
    address::{HostIndex, Prefixes},
    ambient::random_bytes,
    device::{PresharedKeyUse, Standing},
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
    page::PageRequest,
};
use warren_runtime::{SystemClock, SystemRandom};
use warren_schema::tenant::device;
use warren_storage::{Config, Databases, DeviceFilter, Engine, StorageError, TenantModels};
use warren_testkit::servers::{DatabaseServer, Durability, ServerKind, Settings};

use super::{
    DEVICES, PAGE,
    orm::Orm,
    plain::{Plain, PlainTexts},
    texts::Texts,
};

/// The name of the system database on servers.
const SYSTEM: &str = "warren_bench";

pub struct Ground {
    databases: Databases,
    tenant: TenantModels,
    network: Network,
    known: Vec<Uuid>,
    last_place: AtomicU32,
    pub texts: PlainTexts,
    pub plain: Plain,
    pub orm: Orm,
    // Gone after everything that uses them.
    _folder: TempDir,
    _server: Option<DatabaseServer>,
}

/// What one call needs, made before it is timed.
pub struct Prepared {
    /// A device that is there.
    pub known: Uuid,
    /// One that is not.
    device: Device,
    pub row: device::Model,
}

impl Ground {
    /// Fresh ones. Servers bring what they acknowledge to the disk, as SQLite does.
    ///
    /// # Errors
    /// When a server does not start.
    pub async fn of(engine: Engine) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let kind = match engine {
            Engine::Sqlite => None,
            Engine::MariaDb => Some(ServerKind::MariaDb),
            Engine::PostgreSql => Some(ServerKind::PostgreSql),
        };
        let settings = Settings { durability: Durability::Real, ..Settings::default() };
        let server = kind.map(|kind| DatabaseServer::start_with(kind, &settings)).transpose()?;
        let config = match &server {
            None => standing_of_sqlite(folder.path()),
            Some(server) => Config::on_server(server.url(SYSTEM).parse()?),
        };
        let databases = Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
        let organisation = OrganisationId::generate(SystemClock.now(), &SystemRandom);
        databases.create_tenant(organisation).await?;
        let tenant = databases.tenant_models(organisation).await?;
        let network = network()?;
        let proof = Authorized::for_system(organisation, ManageNetworks);
        tenant.transaction(async |tx| tx.networks().insert(&proof, &network, b"sealed").await).await?;
        let place = AtomicU32::new(HostIndex::GATEWAY.0);
        let mut known = Vec::new();
        for _ in 0..DEVICES {
            known.push(new_device(&network, &place)?);
        }
        tenant
            .transaction(async |tx| {
                for device in &known {
                    tx.devices().insert(&proof_of(organisation, device), device, None).await?;
                }
                Ok::<_, StorageError>(())
            })
            .await?;
        let known: Vec<Uuid> = known.iter().map(|device| device.id.uuid()).collect();
        let first = DeviceId::from_uuid(known[0]);
        tenant.devices().by_id(first).await?.context("a device is not there")?;
        tenant.devices().page(&DeviceFilter::default(), &page()).await?;
        let texts = PlainTexts::of(&Texts::sent(&databases))?;
        let (plain, orm) = match &server {
            None => {
                let file = folder.path().join("tenants").join(format!("{organisation}.sqlite"));
                (Plain::of_file(&file), Orm::of_file(&file))
            }
            Some(server) => {
                let url = server.url(&format!("{SYSTEM}_{}", organisation.uuid().simple()));
                (Plain::of_server(server.kind(), &url)?, Orm::of_server(server.kind(), &url)?)
            }
        };
        Ok(Self {
            databases,
            tenant,
            network,
            known,
            last_place: place,
            texts,
            plain,
            orm,
            _folder: folder,
            _server: server,
        })
    }

    /// What the call numbered `at` needs.
    ///
    /// # Errors
    /// When the kernel's random bytes are a weak key.
    pub fn prepare(&self, at: usize) -> anyhow::Result<Prepared> {
        const STRIDE: usize = 379;
        let device = new_device(&self.network, &self.last_place)?;
        Ok(Prepared { known: self.known[at * STRIDE % self.known.len()], row: row(&device), device })
    }

    pub async fn get(&self, prepared: &Prepared) -> anyhow::Result<usize> {
        let found = self.tenant.devices().by_id(DeviceId::from_uuid(prepared.known)).await?;
        Ok(found.into_iter().count())
    }

    pub async fn insert(&self, Prepared { device, .. }: &Prepared) -> anyhow::Result<usize> {
        let proof = proof_of(self.tenant.organisation(), device);
        self.tenant.transaction(async |tx| tx.devices().insert(&proof, device, None).await).await?;
        Ok(1)
    }

    pub async fn list(&self) -> anyhow::Result<usize> {
        Ok(self.tenant.devices().page(&DeviceFilter::default(), &page()).await?.items.len())
    }

    /// Makes sure that everybody does the same.
    ///
    /// # Errors
    /// When somebody does not.
    pub async fn answers_alike(&self) -> anyhow::Result<()> {
        let prepared = self.prepare(0)?;
        let got = [
            self.get(&prepared).await?,
            self.plain.get(&self.texts, prepared.known).await?,
            self.orm.get(prepared.known).await?,
        ];
        ensure!(got == [1; 3], "the device is found {got:?} times");
        // Ours asks for one more than the page, to know whether another follows.
        let listed = [self.list().await? + 1, self.plain.list(&self.texts).await?, self.orm.list().await?];
        ensure!(listed == [usize::from(PAGE) + 1; 3], "the page has {listed:?} devices");
        Ok(())
    }

    /// Attempts of Warren's transactions that the database refused up to now.
    pub fn refused(&self) -> u64 {
        self.databases.status().tenants.transactions.retries.iter().map(|(_, count)| count).sum()
    }

    pub async fn close(self) {
        self.plain.close().await;
        self.orm.close().await;
        drop(self.tenant);
        self.databases.close().await;
    }
}

/// SQLite as it is by itself.
pub fn standing_of_sqlite(folder: &Path) -> Config {
    Config::new(folder.to_owned())
}

/// A network with room for many devices.
///
/// # Errors
/// When the kernel's random bytes are a weak key.
pub fn network() -> anyhow::Result<Network> {
    let now = SystemClock.now();
    Ok(Network {
        id: NetworkId::generate(now, &SystemRandom),
        settings: NetworkSettings {
            name: "Office".parse()?,
            prefixes: Prefixes::new(Some("10.0.0.0/8".parse()?), None)?,
            dns: Dns::default(),
            tunnel: Tunnel::Full,
            device_traffic: DeviceTraffic::Blocked,
            mtu: Mtu::default(),
            keepalive: Keepalive::default(),
        },
        gateway: GatewayId::generate(now, &SystemRandom),
        listen_port: 51820,
        public_key: PublicKey::from_bytes(random_bytes(&SystemRandom))?,
        created_at: now,
        revision: 1,
    })
}

fn page() -> PageRequest {
    PageRequest::new(Some(PAGE.into()), None).expect("a page is within the limits")
}

fn proof_of(organisation: OrganisationId, device: &Device) -> Authorized<ManageDevicesOf> {
    Authorized::for_system(organisation, ManageDevicesOf { owner: device.owner })
}

fn new_device(network: &Network, last_place: &AtomicU32) -> anyhow::Result<Device> {
    let (now, index) = (SystemClock.now(), HostIndex(last_place.fetch_add(1, Ordering::Relaxed) + 1));
    Ok(Device {
        id: DeviceId::generate(now, &SystemRandom),
        network: network.id,
        owner: AccountId::generate(now, &SystemRandom),
        name: "laptop".parse()?,
        public_key: PublicKey::from_bytes(random_bytes(&SystemRandom))?,
        preshared_key: PresharedKeyUse::Unused,
        host_index: Some(index),
        addresses: Some(network.settings.prefixes.at(index)),
        standing: Standing::Enabled,
        expires_at: None,
        created_at: now,
        revision: 1,
    })
}

/// The same as a row.
fn row(device: &Device) -> device::Model {
    let key = device.public_key.as_bytes().to_vec();
    let microseconds = device.created_at.unix_timestamp_nanos() / 1000;
    device::Model {
        id: device.id.uuid(),
        network_id: device.network.uuid(),
        owner_id: device.owner.uuid(),
        name: device.name.as_str().to_owned(),
        public_key: key.clone(),
        live_public_key: Some(key),
        preshared_key_sealed: None,
        host_index: device.host_index.and_then(|index| i32::try_from(index.0).ok()),
        standing: "enabled".to_owned(),
        expires_at: None,
        created_at: i64::try_from(microseconds).unwrap_or(i64::MAX),
        revision: device.revision,
    }
}
