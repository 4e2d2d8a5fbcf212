//! Tenant databases: bounded, pinned while in use, and out of each other's reach.

use std::{os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use futures_util::future::join_all;
use rstest::rstest;
use rstest_reuse::apply;
use warren_model::audit::{Action, Actor};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{AuditFilter, Config, Conflict, Databases, DeviceFilter, Engine, StorageError};

use crate::world::*;

#[apply(on_every_database)]
#[tokio::test]
async fn one_organisations_handle_never_reaches_the_rows_of_another(engine: Engine) {
    let world = world(engine).await;
    let (acme, of_acme) = world.organisation("acme").await;
    let (other, of_other) = world.organisation("other").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&of_acme, &office).await;
    // The same range and the same name, in another organisation.
    let twin = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&of_other, &twin).await;
    let laptop = enrol(&of_acme, &office, account_id(), "laptop").await.unwrap();
    let seen = entry(Action::DeviceEnrolled, Actor::System);
    of_acme.transaction(async |tx| tx.audit().append(&seen).await).await.unwrap();

    assert_eq!(of_other.devices().by_id(laptop.id).await.unwrap(), None);
    assert_eq!(of_other.networks().by_id(office.id).await.unwrap(), None);
    let request = warren_model::page::PageRequest::first_of_most();
    assert!(of_other.devices().page(&DeviceFilter::default(), &request).await.unwrap().items.is_empty());
    assert!(of_other.audit().page(&AuditFilter::default(), &request).await.unwrap().items.is_empty());
    assert!(enrol(&of_other, &office, account_id(), "intruder").await.is_err());

    // A proof for one organisation does nothing in the database of another.
    let proof = devices_of(acme.id, laptop.owner);
    let foreign = of_other.transaction(async |tx| tx.devices().revoke(&proof, laptop.id, 1).await).await;
    assert!(matches!(foreign, Err(StorageError::WrongTenant)), "{foreign:?}");
    let proof = networks_of(acme.id);
    let foreign = of_other.transaction(async |tx| tx.networks().remove(&proof, twin.id, 1).await).await;
    assert!(matches!(foreign, Err(StorageError::WrongTenant)), "{foreign:?}");
    assert_eq!((of_acme.organisation(), of_other.organisation()), (acme.id, other.id));
}

/// Longer than this machine takes for anything here.
const PATIENT: Duration = Duration::from_secs(20);

async fn bounded(open_tenants_max: usize, acquire_timeout: Duration) -> (Databases, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { open_tenants_max, acquire_timeout, ..Config::new(folder.path().to_owned()) };
    (Databases::open(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap(), folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_tenants_live_within_sixteen_places() {
    let (databases, _folder) = bounded(16, PATIENT).await;
    let ids: Vec<_> = (0..300).map(|_| organisation_id()).collect();
    for id in &ids {
        databases.create_tenant(*id).await.unwrap();
    }
    let pinned = databases.tenant_models(ids[0]).await.unwrap();
    let tasks = (0..8_usize).map(|task| {
        let (databases, ids) = (databases.clone(), ids.clone());
        tokio::spawn(async move {
            for id in ids.iter().cycle().skip(task * 37).take(150) {
                let tenant = databases.tenant_models(*id).await.unwrap();
                let entry = entry(Action::NetworkCreated, Actor::System);
                tenant.transaction(async |tx| tx.audit().append(&entry).await).await.unwrap();
                assert!(databases.open_tenants() <= 16);
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    // Held all the while, and never closed underneath.
    pinned
        .transaction(async |tx| tx.audit().append(&entry(Action::NetworkCreated, Actor::System)).await)
        .await
        .unwrap();
    let mut kept = 0;
    for id in &ids {
        let tenant = databases.tenant_models(*id).await.unwrap();
        let request = warren_model::page::PageRequest::first_of_most();
        kept += tenant.audit().page(&AuditFilter::default(), &request).await.unwrap().items.len();
    }
    assert_eq!(kept, 8 * 150 + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_one_more_closes_one_and_no_other() {
    let (databases, _folder) = bounded(8, PATIENT).await;
    for n in 1..=20 {
        let id = organisation_id();
        databases.create_tenant(id).await.unwrap();
        databases.tenant_models(id).await.unwrap();
        assert_eq!(databases.open_tenants(), n.min(8));
    }
}

#[tokio::test]
async fn a_place_is_free_before_the_next_one_asks() {
    let (databases, _folder) = bounded(16, PATIENT).await;
    for _ in 0..16 {
        let id = organisation_id();
        databases.create_tenant(id).await.unwrap();
        databases.tenant_models(id).await.unwrap();
    }
    let freed = async {
        while databases.open_tenants() > 15 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENT, freed).await.unwrap();
    // One, and no more than that.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(databases.open_tenants(), 15);
}

#[tokio::test]
async fn a_new_database_file_is_one_that_nobody_has_to_convert() {
    let (databases, folder) = bounded(2, PATIENT).await;
    let id = organisation_id();
    databases.create_tenant(id).await.unwrap();
    let tenants = folder.path().join("tenants");
    // The versions of the format: 2 says that there is a write-ahead log (https://www.sqlite.org/fileformat2.html).
    let header = std::fs::read(tenants.join(format!("{id}.sqlite"))).unwrap();
    assert_eq!(header[18..20], [2, 2]);
    assert_eq!(std::fs::read_dir(tenants).unwrap().count(), 1, "nothing lies beside it");
}

#[tokio::test]
async fn who_asks_while_all_places_are_held_waits_for_one() {
    let (databases, _folder) = bounded(2, PATIENT).await;
    let ids: Vec<_> = (0..3).map(|_| organisation_id()).collect();
    for id in &ids {
        databases.create_tenant(*id).await.unwrap();
    }
    let (first, second) =
        (databases.tenant_models(ids[0]).await.unwrap(), databases.tenant_models(ids[1]).await.unwrap());
    let again = databases.tenant_models(ids[0]).await.unwrap();
    let third = tokio::spawn({
        let (databases, id) = (databases.clone(), ids[2]);
        async move { databases.tenant_models(id).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!third.is_finished());
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!third.is_finished(), "a database was closed under its second holder");
    drop(again);
    let third = third.await.unwrap().unwrap();
    assert_eq!(databases.open_tenants(), 2);
    drop((second, third));
}

#[tokio::test]
async fn who_waits_too_long_for_a_place_hears_that_storage_is_busy() {
    let (databases, _folder) = bounded(1, Duration::from_millis(50)).await;
    let (held, wanted) = (organisation_id(), organisation_id());
    databases.create_tenant(held).await.unwrap();
    databases.create_tenant(wanted).await.unwrap();
    let _held = databases.tenant_models(held).await.unwrap();
    assert!(matches!(databases.tenant_models(wanted).await, Err(StorageError::Busy)));
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_organisation_without_a_database_is_not_found_and_one_with_it_not_made_again(engine: Engine) {
    let world = world(engine).await;
    assert!(matches!(world.databases.tenant_models(organisation_id()).await, Err(StorageError::NotFound)));
    assert_eq!(world.databases.open_tenants(), 0);
    let (acme, _tenant) = world.organisation("acme").await;
    let again = world.databases.create_tenant(acme.id).await;
    assert!(matches!(again, Err(StorageError::Conflict(Conflict::Exists))), "{again:?}");
}

#[tokio::test]
async fn what_a_killed_creation_left_is_discarded_and_nothing_else() {
    let world = world(Engine::Sqlite).await;
    let (acme, tenant) = world.organisation("acme").await;
    drop(tenant);
    let (orphan, used) = (organisation_id(), organisation_id());
    world.databases.create_tenant(orphan).await.unwrap();
    world.databases.create_tenant(used).await.unwrap();
    let in_use = world.databases.tenant_models(used).await.unwrap();
    in_use
        .transaction(async |tx| tx.audit().append(&entry(Action::DeviceEnrolled, Actor::System)).await)
        .await
        .unwrap();
    drop(in_use);
    let tenants = world.ground.folder().join("tenants");
    std::fs::write(tenants.join(format!("{}.sqlite.new", organisation_id())), b"half").unwrap();
    assert_eq!(world.databases.discard_orphan_tenants().await.unwrap(), 2);
    assert_eq!(world.databases.discard_orphan_tenants().await.unwrap(), 0);
    assert!(matches!(world.databases.tenant_models(orphan).await, Err(StorageError::NotFound)));
    assert!(world.databases.tenant_models(used).await.is_ok());
    assert!(world.databases.tenant_models(acme.id).await.is_ok());
}

#[tokio::test]
async fn database_files_are_readable_by_their_owner_only() {
    let world = world(Engine::Sqlite).await;
    let (_, tenant) = world.organisation("acme").await;
    add_network(&tenant, &network("office", prefixes("10.20.0.0/24", "fd00:1::/64"))).await;
    assert_eq!(tenant.networks().count().await.unwrap(), 1);
    let files = [world.ground.folder().to_owned(), world.ground.folder().join("tenants")]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_file());
    let modes: Vec<_> =
        files.map(|file| (file.file_name(), file.metadata().unwrap().permissions().mode() & 0o777)).collect();
    assert!(modes.len() >= 6, "write-ahead logs and their indexes are looked at too: {modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
}
