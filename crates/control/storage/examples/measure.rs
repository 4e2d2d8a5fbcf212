//! Times the statements that matter at 60,000 devices: `cargo run --release -p warren-storage --example measure`.
#![expect(clippy::print_stdout, reason = "the measurements are its output")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use warren_auth::{
    Authorized, SecretToken,
    permission::{ManageDevicesOf, ManageNetworks, Operate, Reach},
};
use warren_model::{
    AccountId, Clock, Device, DeviceId, GatewayId, Network, NetworkId, OrganisationId, PublicKey, SessionId, Tunnel,
    address::{HostIndex, Prefixes},
    ambient::random_bytes,
    device::{PresharedKeyUse, Standing, UsageRecord},
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
    page::PageRequest,
};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{Account, Config, Databases, DeviceFilter, Session, StorageError, TenantModels};

const DEVICES: u32 = 60_000;
const ROUNDS: u32 = 500;
const IDLE: Duration = Duration::from_secs(3600);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let databases =
        Databases::open(Config::new(folder.path().to_owned()), Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    sessions(&databases).await?;

    let organisation = OrganisationId::generate(SystemClock.now(), &SystemRandom);
    databases.create_tenant(organisation).await?;
    let tenant = databases.tenant_models(organisation).await?;
    let network = network()?;
    let proof = Authorized::for_system(organisation, ManageNetworks);
    tenant.transaction(async |tx| tx.networks().insert(&proof, &network, b"sealed").await).await?;
    let begun = Instant::now();
    for _ in 0..DEVICES / 1000 {
        tenant
            .transaction(async |tx| {
                for _ in 0..1000 {
                    add(tx, organisation, &network).await?;
                }
                Ok::<_, StorageError>(())
            })
            .await?;
    }
    println!("{DEVICES} devices inserted in {:.1} s", begun.elapsed().as_secs_f64());
    devices(&tenant, organisation, &network).await?;
    drop(tenant);
    databases.close().await;
    Ok(())
}

async fn sessions(databases: &Databases) -> Result<(), Box<dyn Error>> {
    let system = databases.system_models();
    let now = SystemClock.now();
    let operate: Authorized<Operate> = Authorized::for_installation();
    let account = Account {
        id: AccountId::generate(now, &SystemRandom),
        email: "anna@example.org".parse()?,
        name: "Anna".parse()?,
        reach: Reach::Installation,
        created_at: now,
        revision: 1,
    };
    system.transaction(async |tx| tx.accounts().insert(&operate, &account, None).await).await?;
    let session = || Session {
        id: SessionId::generate(now, &SystemRandom),
        account: account.id,
        created_at: now,
        last_used_at: now,
        expires_at: now + IDLE,
        source_address: std::net::Ipv4Addr::LOCALHOST.into(),
        user_agent: "Firefox".into(),
    };
    let token = SecretToken::generate(&SystemRandom).hash();
    system
        .transaction(async |tx| {
            for _ in 0..10_000 {
                tx.sessions().insert(&session(), &SecretToken::generate(&SystemRandom).hash()).await?;
            }
            tx.sessions().insert(&session(), &token).await
        })
        .await?;
    measure("session by token, among 10,000", async || {
        system.sessions().by_token_hash(&token, now, IDLE).await.map(drop)
    })
    .await?;
    let one = session();
    system
        .transaction(async |tx| tx.sessions().insert(&one, &SecretToken::generate(&SystemRandom).hash()).await)
        .await?;
    measure("one small transaction (session touched)", async || {
        system.transaction(async |tx| tx.sessions().touch(one.id, SystemClock.now()).await).await
    })
    .await?;
    measure("an empty transaction", async || system.transaction(async |_| Ok::<_, StorageError>(())).await).await?;
    Ok(())
}

async fn devices(tenant: &TenantModels, organisation: OrganisationId, network: &Network) -> Result<(), StorageError> {
    measure("lease and insert, one transaction each", async || {
        tenant.transaction(async |tx| add(tx, organisation, network).await).await.map(drop)
    })
    .await?;
    tenant
        .transaction(async |tx| {
            measure("lease and insert, within a transaction", async || add(tx, organisation, network).await.map(drop))
                .await
        })
        .await?;
    let request = PageRequest::new(Some(50), None).expect("50 is within the limits");
    let of_network = DeviceFilter { network: Some(network.id), ..DeviceFilter::default() };
    for (what, filter) in
        [("a page of 50 with usage", DeviceFilter::default()), ("the same of one network", of_network)]
    {
        measure(what, async || {
            let page = tenant.devices().page(&filter, &request).await?;
            let ids: Vec<DeviceId> = page.items.iter().map(|device| device.id).collect();
            tenant.usage().of_many(&ids).await.map(drop)
        })
        .await?;
    }
    let page = tenant.devices().page(&DeviceFilter::default(), &request).await?;
    let rows: Vec<_> = page.items.iter().map(|device| (device.id, UsageRecord::default())).collect();
    measure("usage of 50 devices stored", async || {
        tenant.transaction(async |tx| tx.usage().store_many(&rows).await).await
    })
    .await?;
    measure("counts by state", async || tenant.devices().counts(SystemClock.now()).await.map(drop)).await?;
    let begun = Instant::now();
    let live = tenant.devices().all_live_of_network(network.id).await?;
    println!(
        "{:<45} {:>9.0} ms",
        format!("all {} live devices of a network", live.len()),
        begun.elapsed().as_secs_f64() * 1e3
    );
    Ok(())
}

async fn add(
    tx: &warren_storage::TenantTransaction,
    organisation: OrganisationId,
    network: &Network,
) -> Result<HostIndex, StorageError> {
    let now = SystemClock.now();
    let owner = AccountId::generate(now, &SystemRandom);
    let index = tx.devices().lease(network.id).await?;
    let device = Device {
        id: DeviceId::generate(now, &SystemRandom),
        network: network.id,
        owner,
        name: "laptop".parse().expect("a valid name"),
        public_key: PublicKey::from_bytes(random_bytes(&SystemRandom)).expect("not a weak key"),
        preshared_key: PresharedKeyUse::Unused,
        host_index: Some(index),
        addresses: Some(network.settings.prefixes.at(index)),
        standing: Standing::Enabled,
        expires_at: None,
        created_at: now,
        revision: 1,
    };
    let proof = Authorized::for_system(organisation, ManageDevicesOf { owner });
    tx.devices().insert(&proof, &device, None).await?;
    Ok(index)
}

fn network() -> Result<Network, Box<dyn Error>> {
    let now = SystemClock.now();
    Ok(Network {
        id: NetworkId::generate(now, &SystemRandom),
        settings: NetworkSettings {
            name: "office".parse()?,
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

/// Prints the median and the 99th percentile of the times that `work` takes.
async fn measure(what: &str, work: impl AsyncFn() -> Result<(), StorageError>) -> Result<(), StorageError> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work().await?;
        times.push(begun.elapsed());
    }
    times.sort();
    let (median, slow) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what:<45} {:>9.0} µs   p99 {:>9.0} µs", median.as_secs_f64() * 1e6, slow.as_secs_f64() * 1e6);
    Ok(())
}
