//! Webhooks over the API and on their pages.

use axum::body::Body;
use http::{Method, Request, header};
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};
use warren_testkit::ground::Database;

use crate::harness::{Answer, Furnished, Person, Portal, on_every_database};

const PATH: &str = "/organisations/northwind/webhooks";

/// A page, or a form that is sent, as a browser asks for it.
async fn browse(portal: &Portal, person: &Person, path: &str, language: &str, form: Option<&str>) -> Answer {
    let method = if form.is_some() { Method::POST } else { Method::GET };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT, "text/html")
        .header(header::ACCEPT_LANGUAGE, language)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, person.cookie.as_deref().unwrap());
    portal.send(request.body(Body::from(form.unwrap_or_default().to_owned())).unwrap()).await
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_never_again(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    let body = json!({"name": "Tickets", "url": "https://hooks.example.org/tickets", "events": ["*"]});
    let mut request = anna.request(Method::POST, PATH, Some(&body));
    request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    let made = portal.send(request).await;
    assert_eq!(made.header("etag"), "\"1\"");
    let location = made.header("location").strip_prefix("/api/v1").unwrap().to_owned();
    let secret = made.expect(201)["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let mut again = anna.request(Method::POST, PATH, Some(&body));
    again.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    assert_eq!(portal.send(again).await.problem(409), "secret-gone");

    let mut rotate = anna.request(Method::POST, &format!("{location}/secret"), None);
    rotate.headers_mut().insert(header::IF_MATCH, "\"1\"".parse().unwrap());
    let rotated = portal.send(rotate).await.expect(200);
    assert_ne!(rotated["secret"], secret.as_str());
    assert!(rotated["webhook"]["former_secret_until"].is_string());
    for path in [PATH, &location, "/organisations/northwind/activity"] {
        assert!(!anna.get(portal, path).await.text.contains("whsec_"), "{path} shows a secret");
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_cannot_be_a_webhook_is_refused_by_its_field(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    for (url, events, expected) in [
        ("https://127.0.0.1/", json!(["*"]), ("url", "invalid-private-host")),
        ("http://hooks.example.org/", json!(["*"]), ("url", "invalid-not-https")),
        ("https://hooks.example.org/", json!([]), ("events", "invalid-empty")),
        ("https://hooks.example.org/", json!(["device.enrolled", "session.started"]), ("events.1", "invalid-unknown")),
    ] {
        let answer = anna.post(portal, PATH, &json!({"name": "x", "url": url, "events": events})).await;
        assert_eq!(answer.problem(422), "invalid");
        assert_eq!(answer.refused_fields(), [(expected.0.to_owned(), expected.1.to_owned())]);
    }
    let webhook = format!("{PATH}/{}", id(&furnished.webhook));
    assert_eq!(furnished.mia.get(portal, &webhook).await.problem(403), "forbidden");
    anna.patch(portal, &webhook, "*", &json!({"standing": "disabled"})).await.expect(200);
    assert_eq!(anna.post(portal, &format!("{webhook}/test"), &json!({})).await.problem(409), "conflict");
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_happens_stands_among_the_deliveries(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    portal.device(anna, &furnished.network, "Anna's phone", 11).await;
    let path = format!("{PATH}/{}/deliveries", id(&furnished.webhook));
    let listed = anna.get(portal, &format!("{path}?limit=1")).await.expect(200);
    let delivery = &listed["items"][0];
    assert_eq!((&delivery["event"], &delivery["state"]), (&json!("device.enrolled"), &json!("pending")));
    assert!(listed["next_cursor"].is_string(), "the test is on the next page");
    let event: Value = serde_json::from_str(delivery["body"].as_str().unwrap()).unwrap();
    assert_eq!(event["subject"]["name"], "Anna's phone");
    assert_eq!(event["actor"]["name"], "Anna Berg");
    let shown = anna.get(portal, &format!("{path}/{}", id(delivery))).await.expect(200);
    assert_eq!(&shown, delivery);
    let replayed = anna.post(portal, &format!("{path}/{}/replay", id(delivery)), &json!({})).await.expect(202);
    assert_eq!(replayed["id"], delivery["id"]);
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_pages_lead_from_the_first_webhook_to_its_deliveries(database: Database) {
    let Furnished { portal, operator: anna, mia, webhook, delivery, .. } = Portal::furnished_on(database).await;
    let base = "/o/northwind/webhooks";
    let list = browse(&portal, &anna, base, "en", None).await;
    assert!(list.status == 200 && list.text.contains("Inventory") && list.text.contains("Enabled"), "{}", list.text);
    let german = browse(&portal, &anna, base, "de", None).await.text;
    assert!(german.contains("Webhook hinzufügen") && german.contains("Aktiv"), "{german}");
    assert_eq!(browse(&portal, &mia, base, "en", None).await.status, 403);
    assert_eq!(browse(&portal, &mia, &format!("{base}/new"), "en", None).await.status, 403);

    let form = "name=Tickets&url=https%3A%2F%2Fhooks.example.org%2Ft&events=device.*%0D%0Aperson.joined&once=abc";
    let made = browse(&portal, &anna, &format!("{base}/new"), "en", Some(form)).await;
    assert!(made.status == 200 && made.text.contains("whsec_"), "{}", made.text);
    let bad = "name=&url=https%3A%2F%2F10.0.0.1%2F&events=nothing&once=abd";
    let refused = browse(&portal, &anna, &format!("{base}/new"), "en", Some(bad)).await;
    assert!(refused.status == 422 && refused.text.contains("Not one of"), "{}", refused.text);

    let one = format!("{base}/{}", id(&webhook));
    let shown = browse(&portal, &anna, &one, "en", None).await.text;
    assert!(shown.contains("webhook.test") && shown.contains("On its way") && !shown.contains("whsec_"), "{shown}");
    let sent = browse(&portal, &anna, &format!("{one}/deliveries/{}", id(&delivery)), "en", None).await;
    assert!(
        sent.status == 200 && sent.text.contains("webhook.test") && sent.text.contains("northwind"),
        "{}",
        sent.text
    );
    let tested = browse(&portal, &anna, &format!("{one}/test"), "en", Some("")).await;
    assert!(tested.status == 303 && tested.header("location").contains("/deliveries/"), "{}", tested.status);

    let form = "name=Inventory&url=https%3A%2F%2Fhooks.example.org%2Fwarren&events=*&revision=1";
    assert_eq!(browse(&portal, &anna, &format!("{one}/edit"), "en", Some(form)).await.status, 303);
    let disabled = browse(&portal, &anna, &one, "en", None).await.text;
    assert!(disabled.contains("Disabled"), "an unticked box leaves it enabled: {disabled}");
    let refused = browse(&portal, &anna, &format!("{one}/test"), "en", Some("")).await;
    assert!(refused.status == 409 && refused.text.contains("Enable it first"), "{}", refused.text);
    let rotated = browse(&portal, &anna, &format!("{one}/secret"), "en", Some("revision=2")).await;
    assert!(rotated.status == 200 && rotated.text.contains("whsec_"), "{}", rotated.text);
    assert_eq!(browse(&portal, &anna, &format!("{one}/remove"), "en", Some("revision=1")).await.status, 412);
    assert_eq!(browse(&portal, &anna, &format!("{one}/remove"), "en", Some("revision=3")).await.status, 303);
    assert_eq!(browse(&portal, &anna, &one, "en", None).await.status, 404);
}
