//! Calls every method of every repository once, so that all statements are seen.

mod jobs;

use warren_auth::{Password, PasswordHash};
use warren_model::{
    AccountId, Device, LinkId, Period, Role, SessionId,
    audit::{Action, Actor},
    device::UsageRecord,
    page::PageRequest,
};
use warren_runtime::SystemRandom;
use warren_storage::{AuditFilter, DeviceFilter, Link, LinkPurpose, Session, StorageError, TenantModels};

use crate::world::*;

/// The first page and one after it.
pub fn requests() -> [PageRequest; 2] {
    let cursor = warren_model::page::Page::from_rows(&PageRequest::new(Some(1), None).unwrap(), vec![1, 2], |n| {
        uuid::Uuid::from_u128(*n)
    });
    [PageRequest::new(Some(9), None).unwrap(), PageRequest::new(Some(9), cursor.next_cursor.as_deref()).unwrap()]
}

/// A while around now.
fn period() -> Period {
    Period::new(NOW - hours(24), NOW + hours(24)).unwrap()
}

pub async fn everything(world: &World) {
    let (organisation, tenant) = world.organisation("acme").await;
    let account = world.account("anna@example.org").await;
    identities(world, &organisation, account.id).await;
    gateways_and_trail(world, organisation.id).await;
    networks_and_devices(&tenant, account.id).await;
    jobs::everything(world, &tenant).await;
}

async fn identities(world: &World, organisation: &warren_model::Organisation, account: AccountId) {
    let system = world.databases.system_models();
    let proof = people_of(organisation.id);
    let hash = PasswordHash::of(&Password::to_set("correct horse battery".into()).unwrap(), &SystemRandom);
    let link = Link {
        id: LinkId::generate(NOW, &SystemRandom),
        purpose: LinkPurpose::Invitation,
        account: Some(account),
        organisation: Some(organisation.id),
        created_at: NOW,
        expires_at: NOW + hours(1),
        used_at: None,
    };
    let set_up = Link { id: LinkId::generate(NOW, &SystemRandom), account: None, organisation: None, ..link };
    let session = Session {
        id: SessionId::generate(NOW, &SystemRandom),
        account,
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW + hours(1),
        source_address: "192.0.2.1".parse().unwrap(),
        user_agent: String::new(),
    };
    system
        .transaction(async |tx| {
            tx.organisations().update(&operate(), organisation, 1).await?;
            tx.accounts().set_password(account, &hash, &"Anna".parse().unwrap()).await?;
            tx.memberships().insert(&proof, &membership(account, organisation.id, Role::Member)).await?;
            tx.memberships().set_role(&proof, account, Role::Admin, 1).await?;
            tx.memberships().join(account, organisation.id).await?;
            tx.sessions().insert(&session, &token_hash()).await?;
            tx.sessions().touch(session.id, NOW + hours(1)).await?;
            tx.links().insert(&link, &token_hash()).await?;
            tx.links().insert(&set_up, &token_hash()).await?;
            tx.links().consume(link.id, NOW).await?;
            tx.idempotency().claim("s", "k", &[1; 32], uuid::Uuid::from_u128(1), NOW).await?;
            tx.idempotency().forget_before(NOW).await?;
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    for request in requests() {
        system.organisations().page(&request).await.unwrap();
        system.organisations().page_of_account(account, &request).await.unwrap();
        system.memberships().page_of_people(organisation.id, &request).await.unwrap();
    }
    system.organisations().by_slug(&organisation.slug).await.unwrap();
    system.organisations().all_ids().await.unwrap();
    system.organisations().count().await.unwrap();
    system.tenant_migrations().of(organisation.id).await.unwrap();
    system.tenant_migrations().all().await.unwrap();
    system.accounts().by_email(&"anna@example.org".parse().unwrap()).await.unwrap();
    system.accounts().by_emails(&["anna@example.org".parse().unwrap()]).await.unwrap();
    system.accounts().by_id(account).await.unwrap();
    system.accounts().names(&[account, account_id(), account_id()]).await.unwrap();
    system.accounts().is_set_up().await.unwrap();
    system.memberships().role_of(account, organisation.id).await.unwrap();
    system.memberships().person(organisation.id, account).await.unwrap();
    system.memberships().of_account(account, 9).await.unwrap();
    system.sessions().of_account(account, 9).await.unwrap();
    system.memberships().people(organisation.id, &[account, account_id()]).await.unwrap();
    system.memberships().joined_admins(organisation.id).await.unwrap();
    system.memberships().count(organisation.id).await.unwrap();
    system.sessions().by_token_hash(&token_hash(), NOW, IDLE).await.unwrap();
    system.links().by_token_hash(&token_hash()).await.unwrap();
    system.idempotency().look_up("s", "k", &[1; 32]).await.unwrap();
    system
        .transaction(async |tx| {
            tx.sessions().remove_ended(NOW + hours(9), IDLE, 10).await?;
            tx.sessions().remove(session.id).await?;
            tx.sessions().remove_of_account(account).await?;
            tx.links().remove_ended(NOW + hours(9)).await?;
            tx.memberships().remove(&proof, account).await
        })
        .await
        .unwrap();
}

async fn gateways_and_trail(world: &World, organisation: warren_model::OrganisationId) {
    let system = world.databases.system_models();
    let (east, join, credential, network) = (gateway("east"), token_hash(), token_hash(), network_id());
    let entry = entry(Action::GatewayCreated, Actor::System);
    system
        .transaction(async |tx| {
            tx.gateways().insert(&operate(), &east, None).await?;
            tx.gateways().update(&operate(), &east, 1).await?;
            tx.gateways().renew_join_token(&operate(), east.id, (&join, NOW + hours(1))).await?;
            tx.gateways().enrol(&join, &credential, NOW).await?;
            tx.gateways().set_credential(&operate(), east.id, &credential, NOW).await?;
            tx.gateway_networks().reserve_port(&networks_of(organisation), east.id, organisation, network).await?;
            tx.audit().append(&entry, None).await?;
            tx.audit_outbox().push(&entry, organisation).await
        })
        .await
        .unwrap();
    for request in requests() {
        system.gateways().page(&request).await.unwrap();
        system.audit().page(&request).await.unwrap();
        system.audit().page_of_period(period(), &request).await.unwrap();
    }
    system.gateways().all().await.unwrap();
    system.gateways().by_name(&east.name).await.unwrap();
    system.gateways().count().await.unwrap();
    system.gateways().join_expires_at(east.id).await.unwrap();
    system.gateways().by_credential_hash(&credential).await.unwrap();
    system.gateway_networks().networks_of(east.id).await.unwrap();
    system.gateway_networks().gateway_of(network).await.unwrap();
    system.gateway_networks().port_of(network).await.unwrap();
    system.gateway_networks().all().await.unwrap();
    system.audit_outbox().take(5).await.unwrap();
    system
        .transaction(async |tx| {
            tx.audit_outbox().remove(&[entry.id]).await?;
            tx.gateway_networks().release(network).await?;
            tx.gateways().remove(&operate(), east.id).await
        })
        .await
        .unwrap();
}

async fn networks_and_devices(tenant: &TenantModels, owner: AccountId) {
    let (id, other) = (tenant.organisation(), account_id());
    let office = network("office", prefixes("10.20.0.0/30", "fd00:1::/64"));
    add_network(tenant, &office).await;
    let laptop = enrol(tenant, &office, owner, "laptop").await.unwrap();
    let changed = Device { expires_at: Some(NOW), ..laptop.clone() };
    let entry = entry(Action::DeviceEnrolled, by_account(owner));
    let holds = tenant
        .transaction(async |tx| {
            tx.networks().update(&networks_of(id), &office.settings, office.id, 1).await?;
            tx.devices().update(&devices_of(id, owner), &changed, 1).await?;
            tx.devices().give(&devices_of(id, owner), &devices_of(id, other), laptop.id, 2).await?;
            tx.devices().give(&devices_of(id, other), &devices_of(id, owner), laptop.id, 3).await?;
            tx.usage().store_many(&[(laptop.id, UsageRecord::default())]).await?;
            tx.audit().append(&entry).await?;
            tx.audit().holds(entry.id).await
        })
        .await
        .unwrap();
    assert!(holds);
    let any = DeviceFilter::default();
    let filters = [
        any.clone(),
        DeviceFilter { network: Some(office.id), ..any.clone() },
        DeviceFilter { owner: Some(owner), ..any.clone() },
        DeviceFilter { network: Some(office.id), owner: Some(owner), ..any.clone() },
        DeviceFilter { text: Some("10.20.0.2".into()), ..any.clone() },
        DeviceFilter { text: Some("lap".into()), ..any },
    ];
    for request in requests() {
        tenant.networks().page(&request).await.unwrap();
        tenant.audit().page_of_period(period(), &request).await.unwrap();
        for filter in &filters {
            tenant.devices().page(filter, &request).await.unwrap();
        }
        for actor in [None, Some(owner)] {
            for action_prefix in [None, Some("device.".to_owned())] {
                tenant.audit().page(&AuditFilter { actor, action_prefix }, &request).await.unwrap();
            }
        }
    }
    tenant.networks().all().await.unwrap();
    tenant.networks().count().await.unwrap();
    tenant.networks().private_key_sealed(office.id).await.unwrap();
    tenant.networks().count_devices(office.id).await.unwrap();
    tenant.devices().peer(laptop.id).await.unwrap();
    tenant.devices().of_owner(owner).await.unwrap();
    tenant.devices().holding(office.id, &[laptop.public_key]).await.unwrap();
    tenant.devices().all_live_of_network(office.id).await.unwrap();
    tenant.devices().next_expiry(NOW).await.unwrap();
    tenant.devices().expiring(NOW, NOW).await.unwrap();
    tenant.devices().counts(NOW).await.unwrap();
    tenant.usage().of_many(&[laptop.id]).await.unwrap();
    tenant.usage().records_of(&[laptop.id]).await.unwrap();
    revoke(tenant, &Device { revision: 4, ..laptop }).await.unwrap();
    let reused = enrol(tenant, &office, owner, "reused").await.unwrap();
    revoke(tenant, &reused).await.unwrap();
    let removal = tenant.transaction(async |tx| tx.networks().remove(&networks_of(id), office.id, 2).await);
    removal.await.unwrap();
}
