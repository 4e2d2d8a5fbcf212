//! Webhooks from an event to a real receiver over TLS: signed, once, again, and never where it must not go.

mod manage;
mod receiver;

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::BoxFuture;
use rstest::rstest;
use rstest_reuse::apply;
use time::Duration as Span;
use tokio::task::JoinHandle;
use warren_app::{
    App, AppError, Config, Contradiction, Expected, Inside, activity, devices,
    networks::NetworkView,
    people,
    webhooks::{self, DeliveryState, WebhookStanding},
};
use warren_courier::{
    WebhookConfig, WebhookRules, WebhookSecret,
    webhook::{Resolve, verify},
};
use warren_model::{Clock, DeliveryId, Role, WebhookId, audit::Action, page::PageRequest};
use warren_runtime::{Shutdown, SystemClock, SystemRandom};
use warren_storage::Databases;
use warren_testkit::{
    certificates::Authority,
    ground::{Database, Ground},
};

use super::support::{HandClock, Installation, config, device, enrolment, network, on_every_database, slug};
use receiver::{Got, Receiver};

/// Tells everybody the same addresses.
#[derive(Debug)]
struct Told(Vec<IpAddr>);

impl Resolve for Told {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// A control plane at work that may call 127.0.0.1, and no other private address.
struct Hooked {
    here: Installation,
    authority: Authority,
    shutdown: Shutdown,
    tasks: Vec<JoinHandle<()>>,
}

impl Hooked {
    async fn new(database: Database) -> Self {
        let clock = Arc::new(HandClock(Mutex::new(time::macros::datetime!(2026-11-21 12:00 UTC))));
        let hooked = Self::on(Ground::of(database).unwrap(), Authority::new().unwrap(), clock).await;
        hooked.here.set_up().await;
        hooked
    }

    async fn on(ground: Ground, authority: Authority, clock: Arc<HandClock>) -> Self {
        let webhooks = WebhookConfig {
            rules: WebhookRules { also_allowed: vec!["127.0.0.1/32".parse().unwrap()], ..WebhookRules::default() },
            ca_file: Some(authority.ca_file()),
            resolver: Arc::new(Told(vec!["10.0.0.1".parse().unwrap()])),
            ..WebhookConfig::default()
        };
        let config = Config { webhooks, ..config(&ground) };
        let app = App::build(config, clock.clone(), Arc::new(SystemRandom)).await.unwrap();
        let shutdown = Shutdown::new();
        let tasks = app.spawn_worker(&shutdown);
        Self { here: Installation { app, clock, ground }, authority, shutdown, tasks }
    }

    async fn end(self) -> (Ground, Authority, Arc<HandClock>) {
        self.shutdown.request();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.here.app.close().await;
        (self.here.ground, self.authority, self.here.clock)
    }

    /// Moves the clock on until `done` gives something.
    async fn until<T>(&self, by: Span, mut done: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..600 {
            if let Some(value) = done().await {
                return value;
            }
            self.here.clock.advance(by);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it never came")
    }
}

async fn hook(inside: &Inside<'_>, url: &str, events: &[&str]) -> (WebhookId, WebhookSecret) {
    let events = events.iter().map(|event| event.parse().unwrap()).collect();
    let made =
        webhooks::create(inside, webhooks::Create { name: "Ours".parse().unwrap(), url: url.to_owned(), events });
    let made = made.await.unwrap();
    (made.webhook.id, made.secret.expose().parse().unwrap())
}

/// Whether the message is signed with `secret` and new at `now`.
fn is_genuine(got: &Got, secret: &WebhookSecret, now: warren_model::Timestamp) -> bool {
    let [id, timestamp, signature] =
        ["id", "timestamp", "signature"].map(|name| &got.headers[&format!("webhook-{name}")]);
    verify(std::slice::from_ref(secret), id, timestamp, signature, &got.body, now).is_ok()
}

async fn deliveries(inside: &Inside<'_>, webhook: WebhookId) -> Vec<webhooks::Delivery> {
    webhooks::deliveries(inside, webhook, &PageRequest::first_of_most()).await.unwrap().items
}

impl Hooked {
    /// The delivery, once it is in `state`; the clock moves on meanwhile.
    async fn delivery_in(&self, inside: &Inside<'_>, got: &Got, state: DeliveryState) -> webhooks::Delivery {
        let id: DeliveryId = got.id().parse().unwrap();
        self.until(Span::ZERO, async || {
            for webhook in webhooks::all(inside).await.unwrap() {
                let found = deliveries(inside, webhook.id).await.into_iter().find(|one| one.id == id);
                if found.as_ref().is_some_and(|one| one.state == state) {
                    return found;
                }
            }
            None
        })
        .await
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_happens_in_an_organisation_arrives_there_signed_and_nowhere_else(database: Database) {
    let hooked = Hooked::new(database).await;
    let here = &hooked.here;
    here.organisation("southwind").await;
    let (mut ours, mut theirs) = (Receiver::start(&hooked.authority).await, Receiver::start(&hooked.authority).await);
    let cx = here.local();
    let (north, south) = (cx.enter(&slug("northwind")).await.unwrap(), cx.enter(&slug("southwind")).await.unwrap());
    let (webhook, secret) = hook(&north, &ours.url(), &["device.*", "person.invited"]).await;
    hook(&south, &theirs.url(), &["device.*", "network.*"]).await;

    let ben = here.join("northwind", "Ben", Role::Member).await;
    let got = ours.next().await;
    assert_eq!(
        (got.json()["type"].as_str(), got.json()["subject"]["name"].as_str()),
        (Some("person.invited"), Some("Ben"))
    );

    let office = network(&north, "Office", "10.20.0.0/24").await;
    let as_ben = here.cx(ben.subject());
    let as_ben = as_ben.enter(&slug("northwind")).await.unwrap();
    let laptop = device(&as_ben, &office, "Ben's laptop").await.view.device;
    let got = ours.next().await;
    assert!(is_genuine(&got, &secret, here.clock.now()));
    let event = got.json();
    assert_eq!(event["version"], 1);
    assert_eq!(event["type"], "device.enrolled");
    assert_eq!(event["organisation"], "northwind");
    assert_eq!((&event["actor"]["kind"], &event["actor"]["name"]), (&"account".into(), &"Ben".into()));
    assert_eq!(
        (&event["subject"]["name"], &event["subject"]["id"]),
        (&"Ben's laptop".into(), &laptop.id.to_string().into())
    );
    assert!(event["changes"].as_array().unwrap().iter().any(|change| change["field"] == "addresses"), "{event}");

    let delivery = hooked.delivery_in(&north, &got, DeliveryState::Delivered).await;
    assert_eq!((delivery.attempts, delivery.answer.unwrap().status), (1, Some(204)));
    assert_eq!(delivery.body.as_bytes(), got.body);
    assert_eq!(deliveries(&north, webhook).await.len(), 2, "networks are not among what it wants");
    // The first that they hear of is their own.
    network(&south, "Depot", "10.20.0.0/24").await;
    let heard = theirs.next().await.json();
    assert_eq!((&heard["organisation"], &heard["type"]), (&"southwind".into(), &"network.created".into()));
    hooked.end().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_receiver_that_was_down_gets_each_event_once_it_is_up(database: Database) {
    let hooked = Hooked::new(database).await;
    let cx = hooked.here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let (webhook, secret) = hook(&inside, &format!("https://127.0.0.1:{port}/"), &["device.enrolled"]).await;
    for name in ["one", "two"] {
        device_of(&hooked, &inside, &office, name).await;
    }
    hooked
        .until(Span::ZERO, async || {
            let all = deliveries(&inside, webhook).await;
            all.iter().all(|one| one.attempts > 0).then_some(())
        })
        .await;
    let down = deliveries(&inside, webhook).await;
    assert!(down.iter().all(|one| one.state == DeliveryState::Pending), "{down:?}");
    assert!(down[0].answer.as_ref().unwrap().text.starts_with("127.0.0.1 cannot be reached"), "{down:?}");

    let mut receiver = Receiver::on(&hooked.authority, port).await;
    receiver.says("503 Service Unavailable\r\nretry-after: 120\r\n");
    let busy = hooked.until(Span::seconds(20), async || receiver.has()).await;
    receiver.says("200 OK\r\n");
    let mut taken = Vec::new();
    while taken.len() < 2 {
        let got = hooked.until(Span::seconds(20), async || receiver.has()).await;
        assert!(is_genuine(&got, &secret, hooked.here.clock.now()), "{got:?}");
        if got.answered.starts_with("200") {
            taken.push(got.id().to_owned());
        }
    }
    assert!(taken.contains(&busy.id().to_owned()), "an attempt has another identifier than the one before");
    assert_ne!(taken[0], taken[1], "one came twice after it was taken");
    hooked
        .until(Span::minutes(10), async || {
            let all = deliveries(&inside, webhook).await;
            all.iter().all(|one| one.state == DeliveryState::Delivered).then_some(())
        })
        .await;
    hooked.here.clock.advance(Span::days(4));
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert!(receiver.has().is_none(), "what was taken came again");
    hooked.end().await;
}

async fn device_of(hooked: &Hooked, inside: &Inside<'_>, office: &NetworkView, name: &str) {
    let owner = people::page(inside, &PageRequest::first_of_most()).await.unwrap().items[0].account;
    let enrol = devices::Enrol { owner: Some(owner), ..enrolment(office, name, super::support::random_key()) };
    devices::enrol(inside, enrol).await.unwrap();
    assert!(hooked.here.clock.now() > office.network.created_at);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_receiver_that_is_gone_is_given_up_and_an_admin_begins_anew(database: Database) {
    let hooked = Hooked::new(database).await;
    let cx = hooked.here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let mut receiver = Receiver::start(&hooked.authority).await;
    receiver.says("410 Gone\r\n");
    let (webhook, _) = hook(&inside, &receiver.url(), &["device.enrolled"]).await;
    device_of(&hooked, &inside, &office, "one").await;
    let got = receiver.next().await;
    let failed = hooked.delivery_in(&inside, &got, DeliveryState::Failed).await;
    assert_eq!(failed.answer.unwrap().status, Some(410));
    assert_eq!(webhooks::show(&inside, webhook).await.unwrap().standing, WebhookStanding::GivenUp);
    let filter = activity::Filter { actor: None, action: Some("webhook.given-up".into()) };
    let told = activity::page(&inside, filter, &PageRequest::first_of_most()).await.unwrap().items;
    assert_eq!(told.iter().map(|entry| entry.action).collect::<Vec<_>>(), [Action::WebhookGivenUp]);
    let notices = || async { warren_app::installation::status(&cx).await.unwrap().notices };
    assert!(notices().await.iter().any(|notice| notice.contains("northwind")), "operators are told nothing");

    device_of(&hooked, &inside, &office, "two").await;
    assert_eq!(deliveries(&inside, webhook).await.len(), 1, "a webhook that was given up is told of more");
    for refused in [webhooks::test(&inside, webhook).await, webhooks::replay(&inside, webhook, failed.id).await] {
        assert!(matches!(refused, Err(AppError::Contradiction(Contradiction::WebhookDisabled))), "{refused:?}");
    }
    receiver.says("204 No Content\r\n");
    let enable = webhooks::Change { standing: Some(webhooks::Enablement::Enabled), ..Default::default() };
    let enabled = webhooks::change(&inside, webhook, Expected::Any, enable).await.unwrap();
    assert_eq!((enabled.standing, enabled.failures_in_a_row), (WebhookStanding::Enabled, 0));
    assert!(notices().await.is_empty());
    webhooks::replay(&inside, webhook, failed.id).await.unwrap();
    let again = receiver.next().await;
    assert_eq!((again.id(), &again.body), (got.id(), &got.body));
    assert_eq!(hooked.delivery_in(&inside, &again, DeliveryState::Delivered).await.attempts, 2);
    hooked.end().await;
}

#[tokio::test]
async fn a_webhook_of_which_twenty_deliveries_failed_for_good_is_given_up() {
    let hooked = Hooked::new(Database::Sqlite).await;
    let cx = hooked.here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let receiver = Receiver::start(&hooked.authority).await;
    receiver.says("404 Not Found\r\n");
    let (webhook, _) = hook(&inside, &receiver.url(), &["device.enrolled"]).await;
    for number in 0..21 {
        device_of(&hooked, &inside, &office, &format!("device {number}")).await;
    }
    hooked
        .until(Span::minutes(30), async || {
            let known = webhooks::show(&inside, webhook).await.unwrap();
            assert_eq!(known.standing == WebhookStanding::GivenUp, known.failures_in_a_row == 20, "{known:?}");
            let ended = deliveries(&inside, webhook).await.iter().all(|one| one.state == DeliveryState::Failed);
            (ended && known.standing == WebhookStanding::GivenUp).then_some(())
        })
        .await;
    hooked.end().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_never_called(database: Database) {
    let hooked = Hooked::new(database).await;
    let cx = hooked.here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let (webhook, _) = hook(&inside, "https://hooks.example.org/", &["*"]).await;
    let id = webhooks::test(&inside, webhook).await.unwrap().id;
    let tried = hooked
        .until(Span::ZERO, async || {
            let delivery = webhooks::show_delivery(&inside, webhook, id).await.unwrap();
            (delivery.attempts > 0).then_some(delivery)
        })
        .await;
    let text = tried.answer.unwrap().text;
    assert_eq!(text, "hooks.example.org leads to 10.0.0.1, which is not on the public internet");
    // In the end it is on record as failed.
    hooked
        .until(Span::hours(6), async || {
            let delivery = webhooks::show_delivery(&inside, webhook, id).await.unwrap();
            (delivery.state == DeliveryState::Failed).then_some(())
        })
        .await;
    hooked.end().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_was_not_committed_is_not_sent(database: Database) {
    let hooked = Hooked::new(database).await;
    let cx = hooked.here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let office = network(&inside, "Office", "10.20.0.0/24").await;
    let owner = people::page(&inside, &PageRequest::first_of_most()).await.unwrap().items[0].account;
    let mut receiver = Receiver::start(&hooked.authority).await;
    let (webhook, _) = hook(&inside, &receiver.url(), &["device.*"]).await;
    let key = super::support::random_key();
    let enrol = |name| devices::Enrol { owner: Some(owner), ..enrolment(&office, name, key) };
    devices::enrol(&inside, enrol("first")).await.unwrap();
    let refused = devices::enrol(&inside, enrol("second")).await;
    assert!(matches!(refused, Err(AppError::Contradiction(Contradiction::PublicKeyTaken))));
    let got = receiver.next().await;
    assert_eq!(got.json()["subject"]["name"], "first");
    hooked.delivery_in(&inside, &got, DeliveryState::Delivered).await;
    assert_eq!(deliveries(&inside, webhook).await.len(), 1);
    assert!(receiver.has().is_none());
    hooked.end().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_entry_that_is_carried_over_twice_is_sent_once(database: Database) {
    let hooked = Hooked::new(database).await;
    let mut receiver = Receiver::start(&hooked.authority).await;
    let (entry, organisation, webhook) = {
        let cx = hooked.here.local();
        let inside = cx.enter(&slug("northwind")).await.unwrap();
        let (webhook, _) = hook(&inside, &receiver.url(), &["person.invited"]).await;
        let invite = people::Invite {
            name: "Ben".parse().unwrap(),
            email: "ben@example.org".parse().unwrap(),
            role: Role::Member,
        };
        people::invite(&inside, invite).await.unwrap();
        let got = receiver.next().await;
        hooked.delivery_in(&inside, &got, DeliveryState::Delivered).await;
        let filter = activity::Filter { actor: None, action: Some("person.invited".into()) };
        let entry = activity::page(&inside, filter, &PageRequest::first_of_most()).await.unwrap().items.remove(0);
        assert_eq!(got.json()["id"], entry.id.to_string());
        (entry, inside.organisation.id, webhook)
    };
    let standing = config(&hooked.here.ground).standing;
    let (ground, authority, clock) = hooked.end().await;
    // As if the process had died after the entry reached the organisation, and before it was removed here.
    let databases =
        Databases::open(warren_storage::Config::standing(standing), Arc::new(SystemClock), Arc::new(SystemRandom));
    let databases = databases.await.unwrap();
    databases
        .system_models()
        .transaction(async |tx| -> Result<(), warren_storage::StorageError> {
            tx.audit_outbox().push(&entry, organisation).await
        })
        .await
        .unwrap();
    databases.close().await;
    let hooked = Hooked::on(ground, authority, clock).await;
    let cx = hooked.here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    // What comes after it is carried after it.
    hooked.here.join("northwind", "Cleo", Role::Member).await;
    let next = receiver.next().await;
    assert_eq!(next.json()["subject"]["name"], "Cleo", "an entry that was carried twice was sent twice");
    let of_ben = deliveries(&inside, webhook).await.into_iter().filter(|one| one.body.contains("\"Ben\"")).count();
    assert_eq!(of_ben, 1);
    hooked.end().await;
}
