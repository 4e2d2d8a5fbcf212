//! Use cases with a replica that stands still: who changed something sees it everywhere at once, others a little later.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use warren_app::{
    App, Config, Servers, Standing, activity,
    devices::{self, Filter},
    organisations, people,
};
use warren_model::{Role, audit::Action, page::PageRequest};
use warren_runtime::SystemRandom;
use warren_testkit::{
    ground::{Database, Ground},
    servers::{DatabaseServer, ServerKind},
};

use crate::support::*;

/// Far beyond what the test takes, so that a replica that stands still is read from to the end.
const LAG_MAX: Duration = Duration::from_secs(600);
const TRIES_MAX: u32 = 30;

fn all() -> PageRequest {
    PageRequest::first_of_most()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_something_sees_it_in_every_list_however_far_behind_a_replica_is() {
    let primary = DatabaseServer::start(ServerKind::PostgreSql).unwrap();
    let replica = primary.start_replica().unwrap();
    let url = |server: &DatabaseServer| server.url("warren").parse().unwrap();
    let standing = Standing::Server(Servers::new(url(&primary), vec![url(&replica)]).unwrap());
    let ground = Ground::of(Database::Sqlite).unwrap();
    let config = Config { replica_lag_max: LAG_MAX, ..config(&ground).on(standing) };
    let clock = Arc::new(HandClock(Mutex::new(time::macros::datetime!(2026-11-21 12:00 UTC))));
    let app = App::build(config, clock.clone(), Arc::new(SystemRandom)).await.unwrap();
    let installation = Installation { app, clock, ground };

    let anna = installation.set_up().await.subject();
    let cleo = installation.join("northwind", "Cleo", Role::Admin).await.subject();
    let as_anna = installation.cx(anna);
    let inside = as_anna.enter(&slug("northwind")).await.unwrap();
    let network = network(&inside, "office", "10.20.0.0/24").await;

    // Until the replica is known to have what Cleo did when she joined, she reads from the primary like everybody else.
    let mut enrolled = 0;
    loop {
        tokio::task::block_in_place(|| replica.pause_replay()).unwrap();
        enrolled += 1;
        device(&inside, &network, &format!("laptop {enrolled}")).await;
        let own = devices::page(&inside, Filter::default(), &all()).await.unwrap();
        assert_eq!(own.items.len(), enrolled, "Anna enrolled it");
        let as_cleo = installation.cx(cleo.clone());
        let there = as_cleo.enter(&slug("northwind")).await.unwrap();
        let hers = devices::page(&there, Filter::default(), &all()).await.unwrap();
        if hers.items.len() < enrolled {
            break;
        }
        assert!(enrolled < TRIES_MAX as usize, "no list ever comes from the replica");
        tokio::task::block_in_place(|| replica.resume_replay().and_then(|()| replica.catch_up_with(&primary))).unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
    }

    // The trail is carried from one database to another in the background; its author finds it all the same.
    let trail = activity::page(&inside, activity::Filter::default(), &all()).await.unwrap();
    let of = |action: Action| trail.items.iter().filter(|entry| entry.action == action).count();
    assert_eq!((of(Action::DeviceEnrolled), of(Action::NetworkCreated)), (enrolled, 1));
    organisations::change(
        &inside,
        warren_app::Expected::Any,
        organisations::Change { name: Some("Northwind".parse().unwrap()), state: None },
    )
    .await
    .unwrap();
    let trail = activity::page(&inside, activity::Filter::default(), &all()).await.unwrap();
    assert!(trail.items.iter().any(|entry| entry.action == Action::OrganisationChanged));

    let create = organisations::Create { slug: slug("southwind"), name: "Southwind".parse().unwrap() };
    organisations::create(&as_anna, create).await.unwrap();
    assert_eq!(organisations::mine(&as_anna).await.unwrap().len(), 2);
    let system = activity::system_page(&as_anna, &all()).await.unwrap();
    assert!(system.items.iter().any(|entry| entry.action == Action::OrganisationCreated));

    // Who joins was nobody before, and knows their organisation from the first page on.
    let dora = installation.join("northwind", "Dora", Role::Admin).await.subject();
    let as_dora = installation.cx(dora);
    assert_eq!(organisations::mine(&as_dora).await.unwrap().len(), 1);
    let there = as_dora.enter(&slug("northwind")).await.unwrap();
    assert_eq!(people::page(&there, &all()).await.unwrap().items.len(), 3);
    drop(there);
    drop(inside);
    installation.app.clone().close().await;
}
