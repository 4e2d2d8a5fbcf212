//! Stores what was made: a transaction for each organisation in the system database, and one for each network in its own.

use std::time::Duration;

use uuid::Uuid;
use warren_auth::{
    Authorized, PasswordHash,
    permission::{ManageNetworks, Operate, Reach},
};
use warren_model::{
    AccountId, GatewayId, MembershipStanding, OrganisationId, Timestamp,
    audit::{Action, Actor, AuditEntry, Source},
    gateway::{Enrolment, Gateway},
};
use warren_storage::{Account, StorageError, TransactionOptions, WorkContext};

use super::{Made, MadeNetwork, Planted, Request, SeedError, draw::Draw, history};
use crate::{App, networks::private_key_context};

/// The gateway that `warren up` takes for its own.
const FIRST_GATEWAY: &str = "local";
/// What devices dial.
const ENDPOINT: &str = "vpn.example.org";
const OPERATOR: (&str, &str) = ("operator@warren.example", "Maja Lindholm");
/// How long it may take to store a network with its devices, 100,000 at most.
const NETWORK_WITHIN: Duration = Duration::from_secs(300);
/// Entries that one transaction adds to a trail, so that none takes long.
const ENTRIES_PER_TRANSACTION: usize = 20_000;

/// Stores the operator, if there is none, and the beginning of the installation's trail.
pub(super) async fn begin(
    app: &App,
    request: &Request,
    draw: &Draw,
    at: Timestamp,
    hash: &PasswordHash,
) -> Result<Planted, SeedError> {
    let mut planted = Planted {
        organisations: 0,
        people: 0,
        networks: 0,
        devices: 0,
        entries: 0,
        operator: None,
        admins: Vec::new(),
        password: String::new(),
    };
    if app.system().accounts().is_set_up().await? {
        return Ok(planted);
    }
    let at = draw.between(at, at + time::Duration::hours(1)).min(request.until);
    let operator = Account {
        id: AccountId::generate(at, draw),
        email: OPERATOR.0.parse().expect("an address"),
        name: OPERATOR.1.parse().expect("a name"),
        reach: Reach::Installation,
        created_at: at,
        revision: 1,
    };
    let actor = Actor::Account { id: operator.id, name: operator.name.to_string() };
    let installed = history::entry(draw, at, actor, (Uuid::nil(), app.public_url().to_owned()));
    let installed = AuditEntry { action: Action::InstallationSetUp, source: Source::Local, ..installed };
    let operate: Authorized<Operate> = Authorized::for_installation();
    app.system()
        .transaction(async |tx| -> Result<(), StorageError> {
            tx.accounts().insert(&operate, &operator, Some(hash)).await?;
            tx.audit().append(&installed, None).await
        })
        .await?;
    planted.operator = Some(operator.email);
    planted.people += 1;
    planted.entries += 1;
    Ok(planted)
}

/// Stores one organisation.
pub(super) async fn organisation(
    app: &App,
    mut made: Made,
    draw: &Draw,
    hash: &PasswordHash,
    planted: &mut Planted,
) -> Result<(), SeedError> {
    let id = made.organisation.id;
    app.databases().create_tenant(id).await?;
    store_in_system(app, &mut made, draw, hash, planted.networks).await?;
    let tenant = app.databases().tenant_models(id).await?;
    let proof = Authorized::for_system(id, ManageNetworks);
    let options = TransactionOptions { time_limit: NETWORK_WITHIN, ..TransactionOptions::default() };
    for one in &made.networks {
        let MadeNetwork { network, private_key, devices, released } = one;
        let sealed = app.sealing().seal(&private_key_context(id, network.id), private_key.expose_bytes(), app.random());
        tenant
            .with_transaction(&WorkContext::BACKGROUND, options, async |tx| -> Result<(), StorageError> {
                tx.networks().insert(&proof, network, &sealed).await?;
                tx.devices().insert_many(&proof, network, devices, released).await
            })
            .await?;
        planted.devices += devices.len() as u64;
    }
    for entries in made.trail.chunks(ENTRIES_PER_TRANSACTION) {
        tenant.transaction(async |tx| tx.audit().append_many(entries).await).await?;
    }
    planted.organisations += 1;
    planted.people += made.people.len() as u64;
    planted.networks += made.networks.len() as u64;
    planted.entries += made.trail.len() as u64 + 1;
    Ok(())
}

/// Stores the organisation, its people and the ports of its networks, which learn their gateway here.
async fn store_in_system(
    app: &App,
    made: &mut Made,
    draw: &Draw,
    hash: &PasswordHash,
    networks_before: u64,
) -> Result<(), SeedError> {
    let operate: Authorized<Operate> = Authorized::for_installation();
    let organisation = &made.organisation;
    let founded = made.trail.iter().find(|entry| entry.action == Action::OrganisationCreated).cloned();
    let accounts: Vec<(Account, Option<PasswordHash>)> = made
        .people
        .iter()
        .map(|(account, membership)| {
            let has_joined = membership.standing == MembershipStanding::Joined;
            (account.clone(), has_joined.then(|| hash.clone()))
        })
        .collect();
    let memberships: Vec<_> = made.people.iter().map(|(_, membership)| *membership).collect();
    app.system()
        .transaction(async |tx| -> Result<(), StorageError> {
            tx.organisations().insert(&operate, organisation).await?;
            tx.accounts().insert_many(&operate, &accounts).await?;
            tx.memberships().insert_many(&operate, &memberships).await?;
            let entries: Vec<_> = founded.iter().map(|entry| (entry.clone(), Some(organisation.id))).collect();
            tx.audit().append_many(&entries).await
        })
        .await?;
    let id = organisation.id;
    for (at, one) in (networks_before..).zip(&mut made.networks) {
        let network = &mut one.network;
        network.gateway = gateway(app, at, network.created_at, draw).await?;
        network.listen_port = reserve(app, id, network.gateway, network.id).await?;
    }
    Ok(())
}

async fn reserve(
    app: &App,
    organisation: OrganisationId,
    gateway: GatewayId,
    network: warren_model::NetworkId,
) -> Result<u16, StorageError> {
    let proof = Authorized::for_system(organisation, ManageNetworks);
    app.system()
        .transaction(async |tx| tx.gateway_networks().reserve_port(&proof, gateway, organisation, network).await)
        .await
}

/// The gateway that carries the network of this number; made when it is not there.
async fn gateway(app: &App, network: u64, at: Timestamp, draw: &Draw) -> Result<GatewayId, StorageError> {
    let name = match network / u64::from(Gateway::NETWORKS_MAX / 4) {
        0 => FIRST_GATEWAY.to_owned(),
        further => format!("gateway {}", further + 1),
    };
    let name = name.parse().expect("a name");
    if let Some(gateway) = app.system().gateways().by_name(&name).await? {
        return Ok(gateway.id);
    }
    let gateway = Gateway {
        id: GatewayId::generate(at, draw),
        name,
        endpoint: ENDPOINT.parse().expect("a host"),
        first_port: Gateway::FIRST_PORT_DEFAULT,
        enrolment: Enrolment::Pending,
        created_at: at,
        revision: 1,
    };
    let created = history::entry(
        draw,
        at,
        Actor::LocalOperator { user: "root".into() },
        (gateway.id.uuid(), gateway.name.to_string()),
    );
    let created = AuditEntry { action: Action::GatewayCreated, source: Source::Local, ..created };
    let operate: Authorized<Operate> = Authorized::for_installation();
    app.system()
        .transaction(async |tx| -> Result<(), StorageError> {
            tx.gateways().insert(&operate, &gateway, None).await?;
            tx.audit().append(&created, None).await
        })
        .await?;
    Ok(gateway.id)
}
