//! The repositories of a tenant database.

use rstest::rstest;
use rstest_reuse::apply;
use warren_model::{
    Device,
    address::HostIndex,
    audit::{Action, Actor},
    device::{PresharedKeyUse, Standing, Usage, UsageRecord},
    network::DeviceTraffic,
    page::PageRequest,
};
use warren_storage::{AuditFilter, Claim, Conflict, DeviceCounts, DeviceFilter, Engine, StorageError, TenantModels};

use crate::world::*;

fn page(limit: i64, cursor: Option<&str>) -> PageRequest {
    PageRequest::new(Some(limit), cursor).unwrap()
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_network_reads_back_as_it_was_written(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let mut home = network("home", prefixes("10.20.0.0/24", "fd00:1::/64"));
    home.settings.tunnel = warren_model::Tunnel::Full;
    home.settings.device_traffic = DeviceTraffic::Allowed;
    add_network(&tenant, &home).await;
    let networks = tenant.networks();
    assert_eq!(networks.by_id(office.id).await.unwrap().as_ref(), Some(&office));
    assert_eq!(networks.private_key_sealed(office.id).await.unwrap().as_deref(), Some(&b"sealed"[..]));
    assert_eq!(networks.private_key_sealed(network_id()).await.unwrap(), None);
    assert_eq!(networks.all().await.unwrap().len(), 2);
    assert_eq!(networks.count().await.unwrap(), 2);
    let first = networks.page(&page(1, None)).await.unwrap();
    let second = networks.page(&page(1, first.next_cursor.as_deref())).await.unwrap();
    assert_eq!([first.items, second.items].concat(), networks.all().await.unwrap());
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_network_changes_only_from_the_revision_that_was_read(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let (office, home) = (
        network("office", prefixes("10.20.0.0/24", "fd00:1::/64")),
        network("home", prefixes("10.21.0.0/24", "fd00:2::/64")),
    );
    add_network(&tenant, &office).await;
    add_network(&tenant, &home).await;
    let mut settings = office.settings.clone();
    settings.name = "home".parse().unwrap();
    let update = async |proof, settings: &_, revision| {
        tenant.transaction(async |tx| tx.networks().update(&proof, settings, office.id, revision).await).await
    };
    let taken = update(networks_of(acme.id), &settings, 1).await;
    assert!(matches!(taken, Err(StorageError::Conflict(Conflict::NetworkNameTaken))), "{taken:?}");
    settings.name = "head office".parse().unwrap();
    assert_eq!(update(networks_of(acme.id), &settings, 1).await.unwrap(), 2);
    assert_eq!(tenant.networks().by_id(office.id).await.unwrap().unwrap().settings, settings);
    let stale = update(networks_of(acme.id), &settings, 1).await;
    assert!(matches!(stale, Err(StorageError::Stale)), "{stale:?}");
    let foreign = update(networks_of(organisation_id()), &settings, 2).await;
    assert!(matches!(foreign, Err(StorageError::WrongTenant)), "{foreign:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_network_does_not_shrink_below_the_addresses_that_are_held(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let anna = account_id();
    for n in 0..3 {
        enrol(&tenant, &office, anna, &format!("d{n}")).await.unwrap();
    }
    let shrink = async |prefix: &str, revision| {
        let settings = warren_model::network::NetworkSettings {
            prefixes: prefixes(prefix, "fd00:1::/64"),
            ..office.settings.clone()
        };
        let proof = networks_of(acme.id);
        tenant.transaction(async |tx| tx.networks().update(&proof, &settings, office.id, revision).await).await
    };
    let outside = shrink("10.20.0.0/30", 1).await;
    assert!(matches!(outside, Err(StorageError::Conflict(Conflict::AddressesOutside))), "{outside:?}");
    assert_eq!(shrink("10.20.0.0/29", 1).await.unwrap(), 2);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_network_with_devices_stays_and_one_without_goes_with_its_traces(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let laptop = enrol(&tenant, &office, account_id(), "laptop").await.unwrap();
    assert_eq!(tenant.networks().count_devices(office.id).await.unwrap(), 1);
    let remove = async |revision| {
        let proof = networks_of(acme.id);
        tenant.transaction(async |tx| tx.networks().remove(&proof, office.id, revision).await).await
    };
    assert!(matches!(remove(1).await, Err(StorageError::Referenced)));
    revoke(&tenant, &laptop).await.unwrap();
    assert!(matches!(remove(7).await, Err(StorageError::Stale)));
    remove(1).await.unwrap();
    assert!(matches!(remove(1).await, Err(StorageError::NotFound)));
    assert_eq!(tenant.devices().by_id(laptop.id).await.unwrap(), None);
    assert!(tenant.usage().of_many(&[laptop.id]).await.unwrap().is_empty());
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_device_reads_back_with_its_addresses_and_sealed_key(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let mut laptop = device(&office, account_id(), HostIndex(2), "laptop");
    laptop.preshared_key = PresharedKeyUse::Used;
    laptop.expires_at = Some(NOW + hours(5));
    let proof = devices_of(acme.id, laptop.owner);
    tenant.transaction(async |tx| tx.devices().insert(&proof, &laptop, Some(b"psk")).await).await.unwrap();
    assert_eq!(tenant.devices().by_id(laptop.id).await.unwrap(), Some(laptop.clone()));
    let peer = tenant.devices().peer(laptop.id).await.unwrap().unwrap();
    assert_eq!((peer.device, peer.sealed_psk.as_deref()), (laptop, Some(&b"psk"[..])));
    assert_eq!(tenant.devices().peer(device_id()).await.unwrap(), None);
}

#[apply(on_every_database)]
#[tokio::test]
async fn keys_and_addresses_are_held_once_and_free_again_after_revoking(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let laptop = enrol(&tenant, &office, account_id(), "laptop").await.unwrap();
    let insert = async |device: &Device| {
        let proof = devices_of(acme.id, device.owner);
        tenant.transaction(async |tx| tx.devices().insert(&proof, device, None).await).await
    };
    let mut twin = device(&office, account_id(), HostIndex(9), "twin");
    twin.public_key = laptop.public_key;
    let taken = insert(&twin).await;
    assert!(matches!(taken, Err(StorageError::Conflict(Conflict::PublicKeyTaken))), "{taken:?}");
    let squatter = device(&office, account_id(), laptop.host_index.unwrap(), "squatter");
    let taken = insert(&squatter).await;
    assert!(matches!(taken, Err(StorageError::Conflict(Conflict::AddressTaken))), "{taken:?}");
    let nowhere = device(&network("gone", office.settings.prefixes), account_id(), HostIndex(2), "nowhere");
    let nowhere = insert(&nowhere).await;
    assert!(matches!(nowhere, Err(StorageError::Referenced)), "{nowhere:?}");
    assert_eq!(revoke(&tenant, &laptop).await.unwrap(), 2);
    insert(&twin).await.unwrap();
    let revoked = tenant.devices().by_id(laptop.id).await.unwrap().unwrap();
    assert_eq!((revoked.standing, revoked.host_index, revoked.addresses), (Standing::Revoked, None, None));
    let again = revoke(&tenant, &revoked).await;
    assert!(matches!(again, Err(StorageError::Conflict(Conflict::Revoked))), "{again:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_device_changes_with_the_proof_for_its_owner_and_the_revision_that_was_read(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let (anna, ben) = (account_id(), account_id());
    let laptop = enrol(&tenant, &office, anna, "laptop").await.unwrap();
    let changed = Device {
        name: "new laptop".parse().unwrap(),
        standing: Standing::Disabled,
        expires_at: Some(NOW),
        public_key: public_key(),
        ..laptop.clone()
    };
    let update = async |proof, device: &Device, revision| {
        tenant.transaction(async |tx| tx.devices().update(&proof, device, revision).await).await
    };
    let of_ben = update(devices_of(acme.id, ben), &changed, 1).await;
    assert!(matches!(of_ben, Err(StorageError::NotFound)), "{of_ben:?}");
    let foreign = update(devices_of(organisation_id(), anna), &changed, 1).await;
    assert!(matches!(foreign, Err(StorageError::WrongTenant)), "{foreign:?}");
    assert_eq!(update(devices_of(acme.id, anna), &changed, 1).await.unwrap(), 2);
    let stale = update(devices_of(acme.id, anna), &changed, 1).await;
    assert!(matches!(stale, Err(StorageError::Stale)), "{stale:?}");
    assert_eq!(tenant.devices().by_id(laptop.id).await.unwrap(), Some(Device { revision: 2, ..changed.clone() }));
    let for_another = tenant
        .transaction(async |tx| {
            let device = device(&office, anna, HostIndex(9), "x");
            tx.devices().insert(&devices_of(acme.id, ben), &device, None).await
        })
        .await;
    assert!(matches!(for_another, Err(StorageError::WrongTenant)), "{for_another:?}");
    let revoked = Device { standing: Standing::Revoked, ..changed.clone() };
    assert_eq!(update(devices_of(acme.id, anna), &revoked, 2).await.unwrap(), 3);
    let too_late = update(devices_of(acme.id, anna), &changed, 3).await;
    assert!(matches!(too_late, Err(StorageError::Conflict(Conflict::Revoked))), "{too_late:?}");
}

async fn names(tenant: &TenantModels, filter: DeviceFilter) -> Vec<String> {
    let page = tenant.devices().page(&filter, &page(50, None)).await.unwrap();
    page.items.into_iter().map(|device| device.name.to_string()).collect()
}

#[apply(on_every_database)]
#[tokio::test]
async fn devices_are_found_by_network_owner_name_and_address(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    let home = network("home", prefixes("10.21.0.0/24", "fd00:2::/64"));
    add_network(&tenant, &office).await;
    add_network(&tenant, &home).await;
    let (anna, ben) = (account_id(), account_id());
    enrol(&tenant, &office, anna, "Anna 100% phone").await.unwrap();
    enrol(&tenant, &office, ben, "Ben phone").await.unwrap();
    enrol(&tenant, &home, anna, "Anna tablet").await.unwrap();
    let all = DeviceFilter::default();
    assert_eq!(names(&tenant, all.clone()).await, ["Anna 100% phone", "Ben phone", "Anna tablet"]);
    let in_office = DeviceFilter { network: Some(office.id), ..all.clone() };
    assert_eq!(names(&tenant, in_office.clone()).await, ["Anna 100% phone", "Ben phone"]);
    assert_eq!(names(&tenant, DeviceFilter { owner: Some(ben), ..in_office }).await, ["Ben phone"]);
    assert_eq!(
        names(&tenant, DeviceFilter { owner: Some(anna), ..all.clone() }).await,
        ["Anna 100% phone", "Anna tablet"]
    );
    for (text, found) in [
        ("PHONE", vec!["Anna 100% phone", "Ben phone"]),
        ("100%", vec!["Anna 100% phone"]),
        ("%", vec!["Anna 100% phone"]),
        ("_", vec![]),
        ("10.20.0.3", vec!["Ben phone"]),
        ("fd00:2::2", vec!["Anna tablet"]),
        ("10.20.0.77", vec![]),
        ("192.0.2.1", vec![]),
        ("  ", vec!["Anna 100% phone", "Ben phone", "Anna tablet"]),
    ] {
        assert_eq!(names(&tenant, DeviceFilter { text: Some(text.into()), ..all.clone() }).await, found, "{text}");
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn pages_of_devices_follow_each_other_without_gap(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/16", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let mut written = Vec::new();
    for n in 0..7 {
        written.push(enrol(&tenant, &office, account_id(), &format!("d{n}")).await.unwrap());
    }
    let (mut read, mut cursor) = (Vec::new(), None);
    loop {
        let next = tenant.devices().page(&DeviceFilter::default(), &page(3, cursor.as_deref())).await.unwrap();
        read.extend(next.items);
        cursor = next.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    written.sort_by_key(|device| device.id);
    assert_eq!(read, written);
}

#[apply(on_every_database)]
#[tokio::test]
async fn live_devices_are_all_but_the_revoked_also_beyond_one_chunk(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/16", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let anna = account_id();
    let proof = devices_of(acme.id, anna);
    tenant
        .transaction(async |tx| {
            for index in 2..2102 {
                let device = device(&office, anna, HostIndex(index), &format!("d{index}"));
                tx.devices().insert(&proof, &device, None).await?;
            }
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    let first = tenant.devices().page(&DeviceFilter::default(), &page(1, None)).await.unwrap().items.remove(0);
    revoke(&tenant, &first).await.unwrap();
    let live = tenant.devices().all_live_of_network(office.id).await.unwrap();
    assert_eq!(live.len(), 2099);
    assert!(live.iter().all(|peer| peer.device.id != first.id));
    assert_eq!(tenant.devices().of_owner(anna).await.unwrap().len(), 2099);
}

#[apply(on_every_database)]
#[tokio::test]
async fn devices_are_counted_by_state_and_expire_in_order(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let anna = account_id();
    let proof = devices_of(acme.id, anna);
    let shapes: [fn(&mut Device); 5] = [
        |_| (),
        |device| device.standing = Standing::Disabled,
        |device| device.expires_at = Some(NOW),
        |device| device.expires_at = Some(NOW + hours(2)),
        |device| device.expires_at = Some(NOW + hours(1)),
    ];
    let mut made = Vec::new();
    for shape in &shapes {
        let mut device = enrol(&tenant, &office, anna, "d").await.unwrap();
        shape(&mut device);
        tenant.transaction(async |tx| tx.devices().update(&proof, &device, 1).await).await.unwrap();
        made.push(device.id);
    }
    let gone = enrol(&tenant, &office, anna, "gone").await.unwrap();
    revoke(&tenant, &gone).await.unwrap();
    let counts = tenant.devices().counts(NOW).await.unwrap();
    assert_eq!(counts, DeviceCounts { active: 3, disabled: 1, expired: 1, revoked: 1 });
    assert_eq!(tenant.devices().next_expiry(NOW).await.unwrap(), Some(NOW + hours(1)));
    assert_eq!(tenant.devices().next_expiry(NOW + hours(2)).await.unwrap(), None);
    let expiring = tenant.devices().expiring(NOW, NOW + hours(2)).await.unwrap();
    assert_eq!(expiring.iter().map(|device| device.id).collect::<Vec<_>>(), [made[4], made[3]]);
}

#[apply(on_every_database)]
#[tokio::test]
async fn usage_is_kept_with_the_counters_it_was_counted_from(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let anna = account_id();
    let laptop = enrol(&tenant, &office, anna, "laptop").await.unwrap();
    let fresh = tenant.usage().records_of(&[laptop.id]).await.unwrap();
    assert_eq!(fresh, [(laptop.id, laptop.network, anna, UsageRecord::default())]);
    let record = UsageRecord {
        usage: Usage {
            received_bytes: 5_000_000_000,
            sent_bytes: 7,
            last_handshake_at: Some(NOW),
            last_endpoint: Some("[2001:db8::1]:51820".parse().unwrap()),
        },
        boot: Some(uuid::Uuid::from_u128(3)),
        boot_received_bytes: 4,
        boot_sent_bytes: 5,
    };
    // A device that is gone does not keep the others from being stored.
    let records = [(device_id(), record.clone()), (laptop.id, record.clone())];
    tenant.transaction(async |tx| tx.usage().store_many(&records).await).await.unwrap();
    let read = tenant.usage().records_of(&[laptop.id, device_id()]).await.unwrap();
    assert_eq!(read, [(laptop.id, laptop.network, anna, record.clone())]);
    let usage = tenant.usage().of_many(&[device_id(), laptop.id, device_id()]).await.unwrap();
    assert_eq!(usage.into_iter().collect::<Vec<_>>(), [(laptop.id, record.usage)]);
    assert!(tenant.usage().of_many(&[]).await.unwrap().is_empty());
    assert!(tenant.usage().records_of(&[]).await.unwrap().is_empty());
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_trail_reads_newest_first_by_actor_and_by_kind_of_action(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let anna = account_id();
    let written = [
        (Action::DeviceEnrolled, by_account(anna)),
        (Action::NetworkChanged, by_account(anna)),
        (Action::DeviceRevoked, Actor::System),
        (Action::DeviceChanged, by_account(anna)),
        (Action::DeviceEnrolled, Actor::LocalOperator { user: "root".into() }),
    ];
    for (action, actor) in written {
        let entry = entry(action, actor);
        for _ in 0..2 {
            tenant.transaction(async |tx| tx.audit().append(&entry).await).await.unwrap();
        }
        assert_eq!(tenant.audit().page(&AuditFilter::default(), &page(1, None)).await.unwrap().items, [entry]);
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let read = async |actor, prefix: Option<&str>| {
        let filter = AuditFilter { actor, action_prefix: prefix.map(str::to_owned) };
        let first = tenant.audit().page(&filter, &page(2, None)).await.unwrap();
        let second = match &first.next_cursor {
            Some(cursor) => tenant.audit().page(&filter, &page(9, Some(cursor))).await.unwrap().items,
            None => Vec::new(),
        };
        first.items.into_iter().chain(second).map(|entry| entry.action).collect::<Vec<_>>()
    };
    use Action::{DeviceChanged, DeviceEnrolled, DeviceRevoked, NetworkChanged};
    let all = [DeviceEnrolled, DeviceChanged, DeviceRevoked, NetworkChanged, DeviceEnrolled];
    assert_eq!(read(None, None).await, all);
    assert_eq!(read(Some(anna), None).await, [DeviceChanged, NetworkChanged, DeviceEnrolled]);
    assert_eq!(read(None, Some("device.")).await, [DeviceEnrolled, DeviceChanged, DeviceRevoked, DeviceEnrolled]);
    assert_eq!(read(Some(anna), Some("device.")).await, [DeviceChanged, DeviceEnrolled]);
    assert_eq!(read(None, Some("nothing.")).await, []);
    assert_eq!(read(Some(anna), Some("nothing.")).await, []);
}

#[apply(on_every_database)]
#[tokio::test]
async fn keys_of_requests_are_each_organisations_own(engine: Engine) {
    let world = world(engine).await;
    let (_, acme) = world.organisation("acme").await;
    let (_, other) = world.organisation("other").await;
    let made = uuid::Uuid::from_u128(9);
    for tenant in [&acme, &other] {
        let claimed =
            tenant.transaction(async |tx| tx.idempotency().claim("anna", "k", &[1; 32], made, NOW).await).await;
        assert_eq!(claimed.unwrap(), Claim::Fresh);
    }
}
