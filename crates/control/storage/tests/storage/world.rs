//! A fresh installation on a ground of its own, and things to put into it.

use std::{path::Path, sync::Arc, time::Duration};

use rstest_reuse::template;
use time::macros::datetime;
use warren_auth::{
    Authorized, SecretToken, TokenHash,
    permission::{ManageDevicesOf, ManageNetworks, ManagePeople, Operate, Reach},
};
use warren_model::{
    AccountId, AuditId, Device, DeviceId, GatewayId, MembershipStanding, Network, NetworkId, Organisation,
    OrganisationId, OrganisationState, PublicKey, RequestId, Role, Timestamp, Tunnel,
    address::{HostIndex, Prefixes},
    ambient::random_bytes,
    audit::{Action, Actor, AuditEntry, FieldChange, Source},
    device::{PresharedKeyUse, Standing},
    gateway::{Enrolment, Gateway},
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{Account, Config, Databases, Engine, Membership, StorageError, TenantModels};
use warren_testkit::ground::{Database, Ground};

pub const NOW: Timestamp = datetime!(2026-11-21 12:00 UTC);

/// A test on each kind of database.
#[template]
#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::mariadb(Engine::MariaDb)]
#[case::postgresql(Engine::PostgreSql)]
pub fn on_every_database(#[case] engine: Engine) {}

/// A fresh installation and the ground it stands on.
pub struct World {
    // Closed before the ground goes.
    pub databases: Databases,
    pub ground: Ground,
}

pub fn ground(engine: Engine) -> Ground {
    let database = match engine {
        Engine::Sqlite => Database::Sqlite,
        Engine::MariaDb => Database::MariaDb,
        Engine::PostgreSql => Database::PostgreSql,
    };
    Ground::of(database).unwrap()
}

/// The usual bounds on this ground.
pub fn config(ground: &Ground) -> Config {
    match ground.database_url() {
        None => Config::new(ground.folder().to_owned()),
        Some(url) => Config::on_server(url.parse().unwrap()),
    }
}

pub async fn world(engine: Engine) -> World {
    world_with(ground(engine), |config| config).await
}

/// A world whose bounds differ from the usual ones.
pub async fn world_with(ground: Ground, change: impl FnOnce(Config) -> Config) -> World {
    let databases = open_with(change(config(&ground))).await.unwrap();
    World { databases, ground }
}

/// Opens SQLite files in a folder.
pub async fn open(folder: &Path) -> Result<Databases, StorageError> {
    open_with(Config::new(folder.to_owned())).await
}

pub async fn open_with(config: Config) -> Result<Databases, StorageError> {
    Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await
}

impl World {
    /// An organisation with its database.
    pub async fn organisation(&self, slug: &str) -> (Organisation, TenantModels) {
        let organisation = organisation(slug);
        self.databases.create_tenant(organisation.id).await.unwrap();
        self.databases
            .system_models()
            .transaction(async |tx| tx.organisations().insert(&operate(), &organisation).await)
            .await
            .unwrap();
        let tenant = self.databases.tenant_models(organisation.id).await.unwrap();
        (organisation, tenant)
    }

    pub async fn account(&self, email: &str) -> Account {
        let account = account(email);
        self.databases
            .system_models()
            .transaction(async |tx| tx.accounts().insert(&operate(), &account, None).await)
            .await
            .unwrap();
        account
    }
}

pub fn operate() -> Authorized<Operate> {
    Authorized::for_installation()
}

pub fn networks_of(id: OrganisationId) -> Authorized<ManageNetworks> {
    Authorized::for_system(id, ManageNetworks)
}

pub fn people_of(id: OrganisationId) -> Authorized<ManagePeople> {
    Authorized::for_system(id, ManagePeople)
}

pub fn devices_of(id: OrganisationId, owner: AccountId) -> Authorized<ManageDevicesOf> {
    Authorized::for_system(id, ManageDevicesOf { owner })
}

macro_rules! fresh_ids {
    ($($name:ident -> $id:ident),+ $(,)?) => {
        $(pub fn $name() -> $id { $id::generate(warren_model::Clock::now(&SystemClock), &SystemRandom) })+
    };
}

fresh_ids!(account_id -> AccountId, organisation_id -> OrganisationId, network_id -> NetworkId, device_id -> DeviceId);

pub fn organisation(slug: &str) -> Organisation {
    Organisation {
        id: organisation_id(),
        slug: slug.parse().unwrap(),
        name: format!("The {slug} company").parse().unwrap(),
        state: OrganisationState::Active,
        created_at: NOW,
        revision: 1,
    }
}

pub fn account(email: &str) -> Account {
    Account {
        id: account_id(),
        email: email.parse().unwrap(),
        name: "Anna Example".parse().unwrap(),
        reach: Reach::OwnOrganisations,
        created_at: NOW,
        revision: 1,
    }
}

pub fn membership(account: AccountId, organisation: OrganisationId, role: Role) -> Membership {
    Membership { account, organisation, role, standing: MembershipStanding::Joined, created_at: NOW }
}

pub fn gateway(name: &str) -> Gateway {
    Gateway {
        id: GatewayId::generate(NOW, &SystemRandom),
        name: name.parse().unwrap(),
        endpoint: "vpn.example.org".parse().unwrap(),
        first_port: 51820,
        enrolment: Enrolment::Pending,
        created_at: NOW,
        revision: 1,
    }
}

pub fn prefixes(ipv4: &str, ipv6: &str) -> Prefixes {
    Prefixes::new(Some(ipv4.parse().unwrap()), Some(ipv6.parse().unwrap())).unwrap()
}

pub fn network(name: &str, prefixes: Prefixes) -> Network {
    Network {
        id: network_id(),
        settings: NetworkSettings {
            name: name.parse().unwrap(),
            prefixes,
            dns: Dns::new(vec!["10.0.0.53".parse().unwrap()], vec!["corp.example".parse().unwrap()]).unwrap(),
            tunnel: Tunnel::split(vec!["192.168.7.0/24".parse().unwrap()]).unwrap(),
            device_traffic: DeviceTraffic::Blocked,
            mtu: Mtu::default(),
            keepalive: Keepalive::default(),
        },
        gateway: GatewayId::generate(NOW, &SystemRandom),
        listen_port: 51820,
        public_key: public_key(),
        created_at: NOW,
        revision: 1,
    }
}

pub async fn add_network(tenant: &TenantModels, network: &Network) {
    tenant
        .transaction(async |tx| tx.networks().insert(&networks_of(tenant.organisation()), network, b"sealed").await)
        .await
        .unwrap();
}

pub fn device(network: &Network, owner: AccountId, index: HostIndex, name: &str) -> Device {
    Device {
        id: device_id(),
        network: network.id,
        owner,
        name: name.parse().unwrap(),
        public_key: public_key(),
        preshared_key: PresharedKeyUse::Unused,
        host_index: Some(index),
        addresses: Some(network.settings.prefixes.at(index)),
        standing: Standing::Enabled,
        expires_at: None,
        created_at: NOW,
        revision: 1,
    }
}

/// Leases a place and adds a device there, as enrolment does.
pub async fn enrol(
    tenant: &TenantModels,
    network: &Network,
    owner: AccountId,
    name: &str,
) -> Result<Device, StorageError> {
    let proof = devices_of(tenant.organisation(), owner);
    tenant
        .transaction(async |tx| {
            let index = tx.devices().lease(network.id).await?;
            let device = device(network, owner, index, name);
            tx.devices().insert(&proof, &device, None).await?;
            Ok(device)
        })
        .await
}

pub async fn revoke(tenant: &TenantModels, device: &Device) -> Result<i64, StorageError> {
    let proof = devices_of(tenant.organisation(), device.owner);
    tenant.transaction(async |tx| tx.devices().revoke(&proof, device.id, device.revision).await).await
}

pub fn public_key() -> PublicKey {
    PublicKey::from_bytes(random_bytes(&SystemRandom)).unwrap()
}

pub fn token_hash() -> TokenHash {
    SecretToken::generate(&SystemRandom).hash()
}

pub fn entry(action: Action, actor: Actor) -> AuditEntry {
    AuditEntry {
        id: AuditId::generate(warren_model::Clock::now(&SystemClock), &SystemRandom),
        at: NOW,
        actor,
        action,
        subject: uuid::Uuid::from_u128(7),
        subject_name: "Anna's laptop".into(),
        changes: vec![FieldChange { field: "name".into(), before: None, after: Some("Anna's laptop".into()) }],
        source: Source::Address("2001:db8::7".parse().unwrap()),
        request: RequestId::generate(NOW, &SystemRandom),
    }
}

pub fn by_account(id: AccountId) -> Actor {
    Actor::Account { id, name: "Anna Example".into() }
}

pub const fn hours(count: i64) -> time::Duration {
    time::Duration::hours(count)
}

pub const IDLE: Duration = Duration::from_secs(3600);
