//! Who may manage webhooks, what is refused, and how secrets are replaced.

use rstest::rstest;
use rstest_reuse::apply;
use time::Duration as Span;
use warren_app::{
    AppError, Contradiction, Expected, Inside, Thing,
    webhooks::{self, DeliveryState, WithSecret},
};
use warren_model::{Clock, Invalid, Role, WebhookId};
use warren_testkit::ground::Database;

use super::{Hooked, deliveries, hook, is_genuine, receiver::Receiver};
use crate::support::{Installation, on_every_database, slug};

const URL: &str = "https://hooks.example.org/warren";

async fn create(inside: &Inside<'_>, url: &str, events: &[&str]) -> Result<WithSecret, AppError> {
    let events = events.iter().map(|event| event.parse().unwrap()).collect();
    webhooks::create(inside, webhooks::Create { name: "Ours".parse().unwrap(), url: url.to_owned(), events }).await
}

fn field(result: Result<WithSecret, AppError>) -> (String, Invalid) {
    let Err(AppError::Invalid(mut errors)) = result else { panic!("{result:?}") };
    let error = errors.remove(0);
    (error.field.into_owned(), error.invalid)
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_webhook_is_made_by_the_rules_and_changed_by_its_revision(database: Database) {
    let here = Installation::new(database).await;
    here.set_up().await;
    let cx = here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    for private in ["https://127.0.0.1/", "https://10.0.0.1/", "https://localhost/", "https://[::1]/"] {
        assert!(
            matches!(field(create(&inside, private, &["*"]).await), (at, Invalid::PrivateHost { .. }) if at == "url")
        );
    }
    assert_eq!(field(create(&inside, "http://example.org/", &["*"]).await).1, Invalid::NotHttps);
    assert_eq!(field(create(&inside, URL, &[]).await), ("events".into(), Invalid::Empty));
    assert!(matches!(field(create(&inside, URL, &["*", "*"]).await).1, Invalid::Repeated { .. }));

    let made = create(&inside, URL, &["device.*"]).await.unwrap().webhook;
    let change = webhooks::Change { url: Some("https://hooks.example.org/v2".into()), ..Default::default() };
    let changed = webhooks::change(&inside, made.id, Expected::Revision(1), change.clone()).await.unwrap();
    assert_eq!((changed.url.as_str(), changed.revision), ("https://hooks.example.org/v2", 2));
    assert_eq!(webhooks::show(&inside, made.id).await.unwrap(), changed);
    let stale = webhooks::change(&inside, made.id, Expected::Revision(1), change).await;
    assert!(matches!(stale, Err(AppError::Stale)));
    assert!(matches!(webhooks::remove(&inside, made.id, Expected::Revision(1)).await, Err(AppError::Stale)));

    for _ in 1..webhooks::PER_ORGANISATION_MAX {
        create(&inside, URL, &["*"]).await.unwrap();
    }
    let one_more = create(&inside, URL, &["*"]).await;
    assert!(matches!(one_more, Err(AppError::Contradiction(Contradiction::WebhooksExhausted { max: 20 }))));
    webhooks::remove(&inside, made.id, Expected::Revision(2)).await.unwrap();
    assert!(matches!(webhooks::show(&inside, made.id).await, Err(AppError::NotFound(Thing::Webhook))));
    create(&inside, URL, &["*"]).await.unwrap();
}

#[apply(on_every_database)]
#[tokio::test]
async fn members_and_other_organisations_reach_no_webhook(database: Database) {
    let here = Installation::new(database).await;
    here.set_up().await;
    here.organisation("southwind").await;
    let cx = here.local();
    let north = cx.enter(&slug("northwind")).await.unwrap();
    let webhook = create(&north, URL, &["*"]).await.unwrap().webhook.id;
    let delivery = webhooks::test(&north, webhook).await.unwrap().id;

    let ben = here.cx(here.join("northwind", "Ben", Role::Member).await.subject());
    let as_ben = ben.enter(&slug("northwind")).await.unwrap();
    assert!(matches!(webhooks::all(&as_ben).await, Err(AppError::Forbidden)));
    assert!(matches!(webhooks::show_delivery(&as_ben, webhook, delivery).await, Err(AppError::Forbidden)));
    assert!(matches!(webhooks::rotate_secret(&as_ben, webhook, Expected::Any).await, Err(AppError::Forbidden)));

    let south = cx.enter(&slug("southwind")).await.unwrap();
    let other: WebhookId = create(&south, URL, &["*"]).await.unwrap().webhook.id;
    assert!(matches!(webhooks::show(&south, webhook).await, Err(AppError::NotFound(Thing::Webhook))));
    assert!(matches!(webhooks::test(&south, webhook).await, Err(AppError::NotFound(Thing::Webhook))));
    let crossed = webhooks::show_delivery(&south, other, delivery).await;
    assert!(matches!(crossed, Err(AppError::NotFound(Thing::Delivery))));
    let second = create(&north, URL, &["person.*"]).await.unwrap().webhook.id;
    let crossed = webhooks::replay(&north, second, delivery).await;
    assert!(matches!(crossed, Err(AppError::NotFound(Thing::Delivery))), "{crossed:?}");
}

#[tokio::test]
async fn after_a_secret_was_replaced_both_sign_for_a_day() {
    let hooked = Hooked::new(Database::Sqlite).await;
    let cx = hooked.here.local();
    let inside = cx.enter(&slug("northwind")).await.unwrap();
    let mut receiver = Receiver::start(&hooked.authority).await;
    let (webhook, former) = hook(&inside, &receiver.url(), &["device.*"]).await;
    let rotated = webhooks::rotate_secret(&inside, webhook, Expected::Any).await.unwrap();
    let secret = rotated.secret.expose().parse().unwrap();
    let now = || hooked.here.clock.now();

    webhooks::test(&inside, webhook).await.unwrap();
    let got = receiver.next().await;
    assert_eq!(got.json()["type"], "webhook.test");
    assert!(is_genuine(&got, &secret, now()) && is_genuine(&got, &former, now()));
    hooked.here.clock.advance(Span::hours(25));
    webhooks::test(&inside, webhook).await.unwrap();
    let got = receiver.next().await;
    assert!(is_genuine(&got, &secret, now()) && !is_genuine(&got, &former, now()));
    hooked.delivery_in(&inside, &got, DeliveryState::Delivered).await;
    let all = deliveries(&inside, webhook).await;
    assert!(all.iter().all(|one| !one.body.contains("whsec_")));
    hooked.end().await;
}
