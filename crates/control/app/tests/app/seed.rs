//! Believable data: the same from the same seed, as much as was asked for, and sound.

use super::support::{Installation, device, enrolment, on_every_database, random_key, slug};
use rstest::rstest;
use rstest_reuse::apply;
use time::macros::datetime;
use warren_app::{
    Inside, OpContext, activity, devices, networks, organisations, people,
    seed::{self, Ground, Planted, Profile, Request, SeedError, Sizes},
    sessions::{self, Browser},
};
use warren_auth::Password;
use warren_model::{
    Timestamp,
    device::Standing,
    page::{Page, PageRequest},
};
use warren_runtime::SystemRandom;
use warren_testkit::ground::Database;

const UNTIL: Timestamp = datetime!(2026-11-21 12:00 UTC);
const SIZES: Sizes = Sizes { organisations: 3, people: 7, networks: 2, devices: 30, days: 40 };

fn request(seed: u64) -> Request {
    Request { profile: Profile::Demo, sizes: SIZES, seed, until: UNTIL, ground: Ground::Fresh }
}

async fn planted(database: Database, request: &Request) -> (Installation, Planted) {
    let here = Installation::new(database).await;
    let planted = seed::plant(&here.app, request, &SystemRandom).await.unwrap();
    (here, planted)
}

/// All pages of a list.
async fn all<T>(page: impl AsyncFn(&PageRequest) -> Page<T>) -> Vec<T> {
    let (mut items, mut request) = (Vec::new(), PageRequest::first_of_most());
    loop {
        let page = page(&request).await;
        items.extend(page.items);
        let Some(cursor) = page.next_cursor else { return items };
        request = PageRequest::new(Some(200), Some(&cursor)).unwrap();
    }
}

async fn devices_of(inside: &Inside<'_>) -> Vec<devices::DeviceView> {
    all(async |request| devices::page(inside, devices::Filter::default(), request).await.unwrap()).await
}

/// Everything that people see, as text.
async fn seen(cx: &OpContext) -> String {
    let mut seen = String::new();
    for membership in organisations::mine(cx).await.unwrap() {
        seen += &format!("{:?}\n", membership.organisation);
        let inside = cx.enter(&membership.organisation.slug).await.unwrap();
        seen += &format!("{:?}\n", all(async |request| people::page(&inside, request).await.unwrap()).await);
        for view in all(async |request| networks::page(&inside, request).await.unwrap()).await {
            seen += &format!("{:?}\n", view.network);
        }
        for view in devices_of(&inside).await {
            seen += &format!("{:?} {:?}\n", view.device, view.usage);
        }
        let filter = activity::Filter::default;
        seen += &format!("{:?}\n", all(async |r| activity::page(&inside, filter(), r).await.unwrap()).await);
    }
    seen + &format!("{:?}\n", all(async |request| activity::system_page(cx, request).await.unwrap()).await)
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_same_seed_makes_the_same_and_another_does_not(database: Database) {
    let (one, first) = planted(database, &request(7)).await;
    let (two, second) = planted(database, &request(7)).await;
    let (three, _) = planted(database, &request(8)).await;
    let [one, two, three] = [seen(&one.local()).await, seen(&two.local()).await, seen(&three.local()).await];
    assert!(one.len() > 50_000, "{}", one.len());
    assert!(one == two, "the same seed made something else");
    assert_ne!(one, three);
    assert_ne!(first.password, second.password, "no seed tells the password");
}

#[apply(on_every_database)]
#[tokio::test]
async fn sizes_are_those_asked_for_and_what_is_there_is_sound(database: Database) {
    let (here, planted) = planted(database, &request(1)).await;
    assert_eq!((planted.organisations, planted.people), (3, 3 * 7 + 1));
    assert_eq!((planted.networks, planted.devices), (6, 90));
    let cx = here.local();
    let organisations = organisations::mine(&cx).await.unwrap();
    assert_eq!(organisations.len(), 3);
    for membership in organisations {
        let inside = cx.enter(&membership.organisation.slug).await.unwrap();
        assert_eq!(all(async |request| people::page(&inside, request).await.unwrap()).await.len(), 7);
        let networks = all(async |request| networks::page(&inside, request).await.unwrap()).await;
        assert_eq!(networks.len(), 2);
        let [a, b] = [networks[0].network.settings.prefixes, networks[1].network.settings.prefixes];
        assert_eq!(a.overlap(&b), None);
        let devices = devices_of(&inside).await;
        assert_eq!(devices.len(), 30);
        for view in &devices {
            let device = &view.device;
            assert_eq!(device.addresses.is_none(), device.standing == Standing::Revoked);
            assert!(device.created_at < UNTIL && device.created_at > membership.organisation.created_at);
            assert!(view.usage.last_handshake_at.is_none_or(|at| at >= device.created_at && at <= UNTIL));
        }
        let trail = all(async |r| activity::page(&inside, activity::Filter::default(), r).await.unwrap()).await;
        assert!(trail.len() > 30 && trail.iter().all(|entry| entry.at <= UNTIL));
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_people_can_sign_in_and_nobody_else(database: Database) {
    let (here, planted) = planted(database, &request(1)).await;
    let emails = planted.operator.iter().chain(planted.admins.iter().map(|(_, email)| email));
    let emails: Vec<_> = emails.cloned().collect();
    assert_eq!(emails.len(), 4);
    for email in &emails {
        let password = Password::to_check(planted.password.clone()).unwrap();
        let signed_in = sessions::sign_in(&here.nobody(), email.clone(), password, Browser::default()).await.unwrap();
        assert_eq!(&signed_in.session.account.email, email);
    }
    let wrong = Password::to_check("not this one".into()).unwrap();
    sessions::sign_in(&here.nobody(), emails[0].clone(), wrong, Browser::default()).await.unwrap_err();
}

#[apply(on_every_database)]
#[tokio::test]
async fn life_goes_on_in_a_seeded_network(database: Database) {
    let (here, _) = planted(database, &request(1)).await;
    let here = here.restart().await;
    let cx = here.local();
    let inside = cx.enter(&slug("northwind-coffee")).await.unwrap();
    let network = networks::page(&inside, &PageRequest::first_of_most()).await.unwrap().items.remove(0);
    let taken: Vec<_> = devices_of(&inside).await.into_iter().filter_map(|view| view.device.addresses).collect();
    let ben = here.join("northwind-coffee", "Ben", warren_model::Role::Admin).await;
    let cx = here.cx(ben.subject());
    let inside = cx.enter(&slug("northwind-coffee")).await.unwrap();
    let new = device(&inside, &network, "new laptop").await;
    assert!(!taken.contains(&new.view.device.addresses.unwrap()));
    devices::enrol(&inside, enrolment(&network, "another", random_key())).await.unwrap();
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_used_installation_is_refused_unless_it_is_to_be_added_to(database: Database) {
    let (here, first) = planted(database, &request(1)).await;
    let again = seed::plant(&here.app, &request(1), &SystemRandom).await;
    assert!(matches!(again, Err(SeedError::Used { organisations: 3 })), "{again:?}");
    let added = Request { ground: Ground::Used, ..request(1) };
    let added = seed::plant(&here.app, &added, &SystemRandom).await.unwrap();
    assert_eq!((added.organisations, added.operator), (3, None));
    assert!(added.admins.iter().all(|admin| !first.admins.contains(admin)));
    let organisations = organisations::mine(&here.local()).await.unwrap();
    assert_eq!(organisations.len(), 6);
    assert!(organisations.iter().any(|one| one.organisation.slug.as_str() == "northwind-coffee-2"));
}

#[tokio::test]
async fn sizes_that_cannot_be_are_refused_before_anything_is_made() {
    let here = Installation::new(Database::Sqlite).await;
    for (sizes, part) in [
        (Sizes { organisations: 0, ..SIZES }, "organisations"),
        (Sizes { people: 10_001, ..SIZES }, "10000 people"),
        (Sizes { networks: 0, ..SIZES }, "--networks"),
        (Sizes { networks: 1000, devices: 100_000, people: 1, organisations: 1, days: 0 }, "days"),
    ] {
        let refused = seed::plant(&here.app, &Request { sizes, ..request(1) }, &SystemRandom).await.unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
    }
    assert!(organisations::mine(&here.local()).await.unwrap().is_empty());
}
