//! Addresses are leased without duplicates, reused late, and refused when there is none.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join_all;
use rstest::rstest;
use rstest_reuse::apply;
use warren_model::address::HostIndex;
use warren_storage::{Conflict, Engine, StorageError};

use crate::world::*;

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_two_at_once_get_an_address_each_and_then_hear_that_there_is_none(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    // 61 devices fit.
    let office = Arc::new(network("office", prefixes("10.20.0.0/26", "fd00:1::/64")));
    add_network(&tenant, &office).await;
    let tasks = (0..32).map(|task| {
        let (tenant, office) = (tenant.clone(), Arc::clone(&office));
        tokio::spawn(async move {
            let mut outcomes = Vec::new();
            for n in 0..3 {
                outcomes.push(enrol(&tenant, &office, account_id(), &format!("device {task}-{n}")).await);
            }
            outcomes
        })
    });
    let outcomes: Vec<_> = join_all(tasks).await.into_iter().flat_map(Result::unwrap).collect();
    let leased: Vec<_> = outcomes.iter().flatten().map(|device| device.host_index.unwrap().0).collect();
    let distinct: BTreeSet<_> = leased.iter().copied().collect();
    assert_eq!(leased.len(), 61);
    assert_eq!(distinct, (2..=62).collect());
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    for error in refused {
        assert!(matches!(error, StorageError::Conflict(Conflict::AddressesExhausted)), "{error:?}");
    }
    assert_eq!(tenant.devices().all_live_of_network(office.id).await.unwrap().len(), 61);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_released_address_is_reused_last_and_the_longest_free_first(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    // Five devices fit.
    let office = network("office", prefixes("10.20.0.0/29", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let anna = account_id();
    let mut devices = Vec::new();
    for n in 0..3 {
        devices.push(enrol(&tenant, &office, anna, &format!("d{n}")).await.unwrap());
    }
    revoke(&tenant, &devices[1]).await.unwrap();
    revoke(&tenant, &devices[0]).await.unwrap();
    let mut next = Vec::new();
    for n in 3..7 {
        next.push(enrol(&tenant, &office, anna, &format!("d{n}")).await.unwrap().host_index.unwrap());
    }
    assert_eq!(next, [5, 6, 3, 2].map(HostIndex));
    let full = enrol(&tenant, &office, anna, "one too many").await;
    assert!(matches!(full, Err(StorageError::Conflict(Conflict::AddressesExhausted))), "{full:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_lease_that_was_not_used_is_free_again(engine: Engine) {
    let world = world(engine).await;
    let (_, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/30", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    for _ in 0..3 {
        let undone: Result<(), _> = tenant
            .transaction(async |tx| {
                assert_eq!(tx.devices().lease(office.id).await?, HostIndex(2));
                Err(StorageError::Stale)
            })
            .await;
        assert!(matches!(undone, Err(StorageError::Stale)));
    }
    enrol(&tenant, &office, account_id(), "the only one").await.unwrap();
    let unknown = tenant.transaction(async |tx| tx.devices().lease(network_id()).await).await;
    assert!(matches!(unknown, Err(StorageError::NotFound)), "{unknown:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_network_that_grows_gives_out_its_new_addresses(engine: Engine) {
    let world = world(engine).await;
    let (acme, tenant) = world.organisation("acme").await;
    let office = network("office", prefixes("10.20.0.0/30", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let anna = account_id();
    enrol(&tenant, &office, anna, "first").await.unwrap();
    assert!(enrol(&tenant, &office, anna, "second").await.is_err());
    let mut settings = office.settings.clone();
    settings.prefixes = prefixes("10.20.0.0/29", "fd00:1::/64");
    let proof = networks_of(acme.id);
    tenant.transaction(async |tx| tx.networks().update(&proof, &settings, office.id, 1).await).await.unwrap();
    assert_eq!(enrol(&tenant, &office, anna, "second").await.unwrap().host_index, Some(HostIndex(3)));
}
