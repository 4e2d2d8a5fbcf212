//! Creations happen once, changes build on what was read, lists come in pages.

use http::{Method, header};
use rstest::rstest;
use rstest_reuse::apply;
use serde_json::{Value, json};
use warren_testkit::ground::Database;

use crate::harness::{Person, Portal, on_every_database};

async fn create_named(portal: &Portal, person: &Person, key: &str, path: &str, body: &Value) -> crate::harness::Answer {
    let mut request = person.request(Method::POST, path, Some(body));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    portal.send(request).await
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_creation_that_is_sent_twice_creates_once(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    let path = "/organisations/northwind/networks";
    let body = json!({"name": "Lab", "ipv4_prefix": "10.30.0.0/24"});
    let first = create_named(portal, anna, "key-1", path, &body).await.expect(201);
    let second = create_named(portal, anna, "key-1", path, &body).await.expect(201);
    assert_eq!(first["id"], second["id"]);
    let other = json!({"name": "Lab 2", "ipv4_prefix": "10.31.0.0/24"});
    assert_eq!(create_named(portal, anna, "key-1", path, &other).await.problem(422), "idempotency-mismatch");
    let listed = anna.get(portal, path).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_secret_is_not_shown_again_to_a_repeated_creation(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    let body = json!({"name": "phone", "network_id": furnished.network["id"], "key": {"made_by": "server"}});
    let path = "/organisations/northwind/devices";
    let enrolled = create_named(portal, anna, "k", path, &body).await.expect(201);
    assert!(enrolled["configuration"]["text"].as_str().unwrap().contains("PrivateKey = "));
    assert_eq!(enrolled["configuration"]["private_key_placeholder"], Value::Null);
    assert_eq!(create_named(portal, anna, "k", path, &body).await.problem(409), "secret-gone");
}

#[apply(on_every_database)]
#[tokio::test]
async fn idempotency_keys_are_visible_and_bounded(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let body = json!({"name": "Lab", "ipv4_prefix": "10.30.0.0/24"});
    for (key, code) in
        [("", "invalid-empty"), (&"k".repeat(201), "invalid-too-long"), ("a b", "invalid-control-character")]
    {
        let path = "/organisations/northwind/networks";
        let answer = create_named(&furnished.portal, &furnished.operator, key, path, &body).await;
        assert_eq!(answer.problem(422), "invalid");
        assert_eq!(answer.refused_fields(), [("Idempotency-Key".to_owned(), code.to_owned())]);
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_change_builds_on_the_revision_that_was_read(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    let path = format!("/organisations/northwind/devices/{}", furnished.device["id"].as_str().unwrap());
    let etag = anna.get(portal, &path).await.header("etag").to_owned();
    assert_eq!(etag, "\"1\"");
    let changed = anna.patch(portal, &path, &etag, &json!({"name": "Anna's old laptop"})).await;
    assert_eq!(changed.expect(200)["name"], "Anna's old laptop");
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(anna.patch(portal, &path, &etag, &json!({"name": "x"})).await.problem(412), "stale");
    assert_eq!(anna.patch(portal, &path, "W/\"2\"", &json!({"name": "x"})).await.problem(412), "stale");
    let without = anna.request(Method::PATCH, &path, Some(&json!({"name": "x"})));
    assert_eq!(portal.send(without).await.problem(428), "precondition-missing");
    anna.patch(portal, &path, "*", &json!({"name": "x"})).await.expect(200);
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_is_removed_is_gone(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    let network = format!("/organisations/northwind/networks/{}", furnished.network["id"].as_str().unwrap());
    let device = format!("/organisations/northwind/devices/{}", furnished.device["id"].as_str().unwrap());
    let with_any = |method: Method, path: &str| {
        let mut request = anna.request(method, path, None);
        request.headers_mut().insert(header::IF_MATCH, "*".parse().unwrap());
        portal.send(request)
    };
    assert_eq!(with_any(Method::DELETE, &network).await.problem(409), "conflict");
    let revoked = with_any(Method::POST, &format!("{device}/revoke")).await.expect(200);
    assert_eq!((&revoked["state"], &revoked["ipv4"]), (&json!("revoked"), &Value::Null));
    with_any(Method::DELETE, &network).await.expect(204);
    assert_eq!(anna.get(portal, &network).await.problem(404), "not-found");
}

#[apply(on_every_database)]
#[tokio::test]
async fn lists_follow_their_cursor_to_the_end(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    for key in 10..15 {
        portal.device(anna, &furnished.network, &format!("device {key}"), key).await;
    }
    let mut names = Vec::new();
    let mut path = "/organisations/northwind/devices?limit=2".to_owned();
    loop {
        let page = anna.get(portal, &path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/organisations/northwind/devices?limit=2&cursor={cursor}");
    }
    assert_eq!(names.len(), 6);
    let found = anna.get(portal, "/organisations/northwind/devices?q=DEVICE%2012").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_configuration_is_a_file_to_download(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let path = format!("/organisations/northwind/devices/{}/configuration", furnished.device["id"].as_str().unwrap());
    let answer = furnished.operator.get(&furnished.portal, &path).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"annas-laptop.conf\"");
    assert!(answer.text.contains("PrivateKey = REPLACE_WITH_THE_PRIVATE_KEY_OF_THIS_DEVICE"), "{}", answer.text);
    assert!(answer.text.contains("Endpoint = vpn.example.org:51820"), "{}", answer.text);
}

#[apply(on_every_database)]
#[tokio::test]
async fn everything_leaves_a_trace(database: Database) {
    let furnished = Portal::furnished_on(database).await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    let entries = anna.get(portal, "/organisations/northwind/activity?action=device.enrolled").await.expect(200);
    let entry = &entries["items"][0];
    assert_eq!(entry["subject_name"], "Anna's laptop");
    assert_eq!((&entry["actor"]["name"], &entry["source"]), (&json!("Anna Berg"), &json!("203.0.113.9")));
    let installation = anna.get(portal, "/activity").await.expect(200);
    assert!(!installation["items"].as_array().unwrap().is_empty());
    let status = anna.get(portal, "/status").await.expect(200);
    assert_eq!((&status["organisations"], &status["set_up"]), (&json!(2), &json!(true)));
}
