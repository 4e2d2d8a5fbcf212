//! Devices and networks: who may do what, and what reaches the gateway.

use super::support::{
    Installation, device, enrolment, network, on_every_database, public_key, random_key, settings, slug,
};
use rstest::rstest;
use rstest_reuse::apply;
use time::Duration;
use uuid::Uuid;
use warren_app::{
    AppError, Contradiction, Expected, IdempotencyKey, Thing, activity,
    devices::{self, Enablement, Filter, Key},
    gateways::{
        Backend, Hello,
        link::{DesiredChange, LinkSession},
    },
    live::PeerObservation,
    networks, organisations,
};
use warren_model::{DeviceState, Role, audit::Action, device::PresharedKeyUse, page::PageRequest};
use warren_testkit::ground::Database;

/// The local gateway connects.
async fn connect(here: &Installation) -> LinkSession {
    let endpoint = "vpn.example.org".parse().unwrap();
    let name = "local".parse().unwrap();
    let local = warren_app::gateways::ensure_local(&here.local(), &name, &endpoint, 51820).await.unwrap();
    let gateway = warren_app::gateways::link::authenticate(&here.app, &local.credential).await.unwrap().unwrap();
    let hello = Hello { software: "0.1.0".into(), boot: Uuid::from_u128(1), backend: Backend::Userspace };
    LinkSession::open(&here.app, gateway, hello)
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_change_reaches_the_gateway_as_the_database_has_it(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let first = device(&inside, &office, "first").await.view.device;

    let mut link = connect(&here).await;
    let snapshot = link.snapshot().await.unwrap();
    assert_eq!(snapshot.iter().map(|n| n.network.id).collect::<Vec<_>>(), [office.network.id]);
    let peers = link.peers(&snapshot[0], None).await.unwrap().peers;
    assert_eq!(peers.iter().map(|peer| peer.device).collect::<Vec<_>>(), [first.id]);

    let second = device(&inside, &office, "second").await.view.device;
    let changes = link.changes().await.unwrap();
    assert!(matches!(&changes[..], [DesiredChange::PeerSet(peer)] if peer.device == second.id), "{changes:?}");

    // Two changes before the gateway is told become one message: how it stands now.
    let disable = devices::Change { standing: Some(Enablement::Disabled), ..Default::default() };
    devices::change(&inside, second.id, Expected::Any, disable).await.unwrap();
    let enable = devices::Change { standing: Some(Enablement::Enabled), ..Default::default() };
    devices::change(&inside, second.id, Expected::Any, enable).await.unwrap();
    let changes = link.changes().await.unwrap();
    assert!(matches!(&changes[..], [DesiredChange::PeerSet(_)]), "{changes:?}");

    devices::revoke(&inside, second.id, Expected::Any).await.unwrap();
    let changes = link.changes().await.unwrap();
    assert!(matches!(&changes[..], [DesiredChange::PeerRemoved { device, .. }] if *device == second.id), "{changes:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_new_network_brings_its_devices_and_a_suspended_organisation_takes_them_away(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let mut link = connect(&here).await;
    assert!(link.snapshot().await.unwrap().is_empty());
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    assert!(matches!(&link.changes().await.unwrap()[..], [DesiredChange::NetworkSet(_)]));
    device(&inside, &office, "laptop").await;
    assert!(matches!(&link.changes().await.unwrap()[..], [DesiredChange::PeerSet(_)]));

    let suspend = organisations::Change {
        state: Some(warren_model::organisation::OrganisationState::Suspended),
        ..Default::default()
    };
    organisations::change(&inside, Expected::Any, suspend).await.unwrap();
    assert!(matches!(&link.changes().await.unwrap()[..], [DesiredChange::NetworkRemoved(_)]));
    let ben = here.cx(here.cx(anna.subject()).subject);
    let inside = ben.enter(&slug("northwind")).await.unwrap();
    let resume = organisations::Change {
        state: Some(warren_model::organisation::OrganisationState::Active),
        ..Default::default()
    };
    organisations::change(&inside, Expected::Any, resume).await.unwrap();
    let changes = link.changes().await.unwrap();
    assert!(matches!(&changes[..], [DesiredChange::NetworkSet(_), DesiredChange::PeerSet(_)]), "{changes:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_member_sees_and_manages_only_their_own_devices(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let admin = here.cx(anna.subject());
    let inside = admin.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let annas = device(&inside, &office, "Anna's").await.view.device;

    let ben = here.join("northwind", "Ben", Role::Member).await;
    let member = here.cx(ben.subject());
    let as_ben = member.enter(&slug("northwind")).await.unwrap();
    let bens = device(&as_ben, &office, "Ben's").await.view.device;
    let page = devices::page(&as_ben, Filter::default(), &PageRequest::first_of_most()).await.unwrap();
    assert_eq!(page.items.iter().map(|view| view.device.id).collect::<Vec<_>>(), [bens.id]);
    let hidden = devices::show(&as_ben, annas.id).await;
    assert!(matches!(hidden, Err(AppError::NotFound(Thing::Device))), "{hidden:?}");
    let hidden = devices::revoke(&as_ben, annas.id, Expected::Any).await;
    assert!(matches!(hidden, Err(AppError::NotFound(Thing::Device))), "{hidden:?}");
    let for_anna = devices::Enrol { owner: Some(anna.account.id), ..enrolment(&office, "x", random_key()) };
    assert!(matches!(devices::enrol(&as_ben, for_anna).await, Err(AppError::Forbidden)));
    let create = networks::Create { settings: settings("Lab", "10.30.0.0/24"), gateway: None };
    assert!(matches!(networks::create(&as_ben, create).await, Err(AppError::Forbidden)));
    let trail = activity::page(&as_ben, activity::Filter::default(), &PageRequest::first_of_most()).await;
    assert!(matches!(trail, Err(AppError::Forbidden)));
}

#[apply(on_every_database)]
#[tokio::test]
async fn keys_addresses_and_prefixes_do_not_collide(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let tiny = network(&inside, "Tiny", "10.20.0.0/29").await;
    devices::enrol(&inside, enrolment(&tiny, "one", public_key(9))).await.unwrap();
    let twice = devices::enrol(&inside, enrolment(&tiny, "two", public_key(9))).await;
    assert!(matches!(twice, Err(AppError::Contradiction(Contradiction::PublicKeyTaken))), "{twice:?}");
    for _ in 0..4 {
        device(&inside, &tiny, "more").await;
    }
    let full = devices::enrol(&inside, enrolment(&tiny, "too many", random_key())).await;
    assert!(matches!(full, Err(AppError::Contradiction(Contradiction::AddressesExhausted))), "{full:?}");

    let overlapping = networks::Create { settings: settings("Other", "10.20.0.0/16"), gateway: None };
    let refused = networks::create(&inside, overlapping).await;
    let named = matches!(&refused, Err(AppError::Contradiction(Contradiction::PrefixesOverlap { other, .. })) if other == "Tiny");
    assert!(named, "{refused:?}");
    let grow = networks::Change { ipv4: Some(Some("10.20.0.0/24".parse().unwrap())), ..Default::default() };
    let in_use = networks::change(&inside, tiny.network.id, Expected::Any, grow).await;
    assert!(matches!(in_use, Err(AppError::Contradiction(Contradiction::PrefixesInUse { devices: 5 }))), "{in_use:?}");
    let removed = networks::remove(&inside, tiny.network.id, Expected::Any).await;
    assert!(matches!(removed, Err(AppError::Contradiction(Contradiction::NetworkInUse { devices: 5 }))), "{removed:?}");
    let (ipv4, ipv6) = networks::suggest_prefixes(&inside).await.unwrap();
    assert_eq!((ipv4.prefix_len(), ipv6.prefix_len()), (24, 64));
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_creation_that_is_sent_twice_happens_once(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let mut cx = here.cx(anna.subject());
    cx.idempotency = Some(IdempotencyKey::new("abc", [1; 32]).unwrap());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let again = network(&inside, "Office", "10.20.0.0/24").await;
    assert_eq!(office.network, again.network);

    let mut cx = here.cx(anna.subject());
    cx.idempotency = Some(IdempotencyKey::new("def", [2; 32]).unwrap());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let input = enrolment(&office, "laptop", public_key(9));
    let first = devices::enrol(&inside, input.clone()).await.unwrap();
    let second = devices::enrol(&inside, input).await.unwrap();
    assert_eq!(first.view.device, second.view.device);
    let secret = devices::Enrol { key: Key::Server, ..enrolment(&office, "phone", public_key(9)) };
    assert!(matches!(devices::enrol(&inside, secret).await, Err(AppError::SecretGone)));

    let mut cx = here.cx(anna.subject());
    cx.idempotency = Some(IdempotencyKey::new("def", [3; 32]).unwrap());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let other = devices::enrol(&inside, enrolment(&office, "other", random_key())).await;
    assert!(matches!(other, Err(AppError::IdempotencyMismatch)), "{other:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_stale_change_is_refused_and_loses_nothing(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let laptop = device(&inside, &office, "laptop").await.view.device;
    let rename = |name: &str| devices::Change { name: Some(name.parse().unwrap()), ..Default::default() };
    devices::change(&inside, laptop.id, Expected::Revision(1), rename("mine")).await.unwrap();
    let stale = devices::change(&inside, laptop.id, Expected::Revision(1), rename("yours")).await;
    assert!(matches!(stale, Err(AppError::Stale)), "{stale:?}");
    assert_eq!(devices::show(&inside, laptop.id).await.unwrap().device.name.as_str(), "mine");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_device_made_by_the_server_gets_a_whole_configuration_once(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let input = devices::Enrol {
        key: Key::Server,
        preshared_key: PresharedKeyUse::Used,
        ..enrolment(&office, "Anna's phone", public_key(9))
    };
    let enrolled = devices::enrol(&inside, input).await.unwrap();
    let text = &enrolled.configuration.text;
    assert!(enrolled.configuration.holds_private_key && text.contains("PresharedKey = "), "{text}");
    assert!(text.contains("Endpoint = vpn.example.org:51820"), "{text}");
    assert_eq!(enrolled.configuration.file_name, "annas-phone.conf");
    let later = devices::configuration(&inside, enrolled.view.device.id).await.unwrap();
    assert!(!later.holds_private_key && !later.text.contains("PresharedKey"), "{}", later.text);

    // What the gateway is told opens with the same keys.
    let mut link = connect(&here).await;
    let snapshot = link.snapshot().await.unwrap();
    let peer = link.peers(&snapshot[0], None).await.unwrap().peers.remove(0);
    let psk = peer.preshared_key.unwrap().expose_base64();
    assert!(text.contains(&format!("PresharedKey = {psk}")));
}

#[apply(on_every_database)]
#[tokio::test]
async fn usage_is_counted_once_across_restarts(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let laptop = device(&inside, &office, "laptop").await.view.device;
    let seen = |received_bytes, now| PeerObservation {
        network: office.network.id,
        device: laptop.id,
        last_handshake_at: Some(now),
        endpoint: Some("198.51.100.7:40213".parse().unwrap()),
        received_bytes,
        sent_bytes: 10,
    };
    let now = warren_model::Clock::now(here.clock.as_ref());
    let mut link = connect(&here).await;
    link.snapshot().await.unwrap();
    link.report(vec![seen(100, now)]).await.unwrap();
    let view = devices::show(&inside, laptop.id).await.unwrap();
    assert!(view.online);
    assert_eq!(view.usage.received_bytes, 100);
    drop(link);
    drop(inside);
    drop(cx);

    let here = here.restart().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    assert_eq!(devices::show(&inside, laptop.id).await.unwrap().usage.received_bytes, 100);
    let mut link = connect(&here).await;
    link.snapshot().await.unwrap();
    link.report(vec![seen(130, now)]).await.unwrap();
    assert_eq!(devices::show(&inside, laptop.id).await.unwrap().usage.received_bytes, 130);
    here.clock.advance(Duration::minutes(4));
    assert!(!devices::show(&inside, laptop.id).await.unwrap().online);
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_expired_device_is_not_let_in(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let expires_at = Some(warren_model::Clock::now(here.clock.as_ref()) + Duration::hours(1));
    let input = devices::Enrol { expires_at, ..enrolment(&office, "guest", public_key(9)) };
    let guest = devices::enrol(&inside, input).await.unwrap().view.device;
    here.clock.advance(Duration::hours(2));
    assert_eq!(devices::show(&inside, guest.id).await.unwrap().state, DeviceState::Expired);
    let mut link = connect(&here).await;
    let snapshot = link.snapshot().await.unwrap();
    assert!(link.peers(&snapshot[0], None).await.unwrap().peers.is_empty());
}

#[apply(on_every_database)]
#[tokio::test]
async fn every_change_leaves_an_entry_with_its_request(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let laptop = device(&inside, &office, "laptop").await.view.device;
    devices::revoke(&inside, laptop.id, Expected::Any).await.unwrap();
    networks::remove(&inside, office.network.id, Expected::Any).await.unwrap();
    let trail = activity::page(&inside, activity::Filter::default(), &PageRequest::first_of_most()).await.unwrap();
    let actions: Vec<Action> = trail.items.iter().map(|entry| entry.action).take(4).collect();
    let expected = [Action::NetworkRemoved, Action::DeviceRevoked, Action::DeviceEnrolled, Action::NetworkCreated];
    assert_eq!(actions, expected);
    assert!(trail.items.iter().take(4).all(|entry| entry.request == cx.request));
}

#[apply(on_every_database)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_enrolled_at_the_same_time_get_addresses_of_their_own(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let cx = here.cx(anna.subject());
            let input = enrolment(&office, &format!("device {n}"), random_key());
            tokio::spawn(async move {
                let inside = cx.enter(&slug("northwind")).await.unwrap();
                devices::enrol(&inside, input).await.unwrap().view.device.addresses.unwrap()
            })
        })
        .collect();
    let mut addresses = std::collections::HashSet::new();
    for task in tasks {
        assert!(addresses.insert(task.await.unwrap()));
    }
    assert_eq!(addresses.len(), 32);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_creation_that_is_given_up_keeps_no_port(database: Database) {
    let here = Installation::new(database).await;
    let anna = here.set_up().await;
    let cx = here.cx(anna.subject());
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let first = network(&inside, "First", "10.20.0.0/24").await.network;
    // Given up at every point where it waits, until it is through.
    for waits in 1.. {
        let create = networks::Create { settings: settings("Second", "10.21.0.0/24"), gateway: None };
        let mut creating = Box::pin(networks::create(&inside, create));
        let mut polls = 0;
        let done = std::future::poll_fn(|cx| {
            polls += 1;
            match creating.as_mut().poll(cx) {
                std::task::Poll::Ready(made) => std::task::Poll::Ready(Some(made.is_ok())),
                std::task::Poll::Pending if polls == waits => std::task::Poll::Ready(None),
                std::task::Poll::Pending => std::task::Poll::Pending,
            }
        })
        .await;
        drop(creating);
        if done.is_some() {
            break;
        }
    }
    // One may have come to be though nobody waited for it; whatever is there has a port, and nothing else has.
    let ports = async || {
        let page = networks::page(&inside, &PageRequest::first_of_most()).await.unwrap();
        page.items.iter().map(|view| view.network.listen_port).collect::<Vec<_>>()
    };
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let taken = ports().await;
    assert!(taken.len() <= 2, "{taken:?}");
    let third = network(&inside, "Third", "10.22.0.0/24").await.network;
    let expected = first.listen_port + u16::try_from(taken.len()).unwrap();
    assert!(third.listen_port <= expected, "{} ports are lost", third.listen_port - expected);
}
