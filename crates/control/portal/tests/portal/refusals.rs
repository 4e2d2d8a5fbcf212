//! Every refusal is a problem that says what to do, in the reader's language, and reveals nothing.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::json;

use crate::harness::{PASSWORD, Person, Portal, get, post};

#[tokio::test]
async fn bodies_that_cannot_be_read_are_problems() {
    let portal = Portal::new().await;
    let send = async |content_type: &str, body: String| {
        let request =
            Request::post("/api/v1/session").header(header::CONTENT_TYPE, content_type).body(Body::from(body));
        portal.send(request.unwrap()).await
    };
    let json = "application/json";
    assert_eq!(send(json, "{".into()).await.problem(400), "malformed");
    assert_eq!(send("text/plain", "{}".into()).await.problem(415), "media-type");
    assert_eq!(send("application/x-www-form-urlencoded", "email=a".into()).await.problem(415), "media-type");
    assert_eq!(send(json, format!("\"{}\"", "x".repeat(64 * 1024))).await.problem(413), "too-large");
    let answer = send(json, r#"{"email": "a@example.org", "password": "x", "pasword": "y"}"#.into()).await;
    assert_eq!(answer.problem(422), "invalid");
    assert_eq!(answer.refused_fields(), [("pasword".to_owned(), "invalid-unknown-field".to_owned())]);
    let answer = send("application/json; charset=utf-8", r#"{"email": 7, "password": "x"}"#.into()).await;
    assert_eq!(answer.refused_fields(), [("email".to_owned(), "invalid-type".to_owned())]);
}

#[tokio::test]
async fn a_body_without_an_announced_length_is_bounded_too() {
    let portal = Portal::new().await;
    let chunks = (0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024]));
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    let request = Request::post("/api/v1/session").header(header::CONTENT_TYPE, "application/json").body(body).unwrap();
    assert_eq!(portal.send(request).await.problem(413), "too-large");
}

#[tokio::test]
async fn addresses_that_nothing_serves_are_problems() {
    let portal = Portal::new().await;
    assert_eq!(portal.send(get("/api/v1/nothing")).await.problem(404), "not-found");
    assert_eq!(portal.send(get("/api")).await.problem(404), "not-found");
    let answer = portal.send(Request::put("/api/v1/session").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(405), "method");
    assert!(answer.header("allow").contains("POST"));
}

#[tokio::test]
async fn identifiers_and_pages_that_cannot_be_read_name_their_field() {
    let portal = Portal::new().await;
    let anna = portal.set_up().await;
    for (path, field, code) in [
        ("/organisations/northwind/devices/laptop", "device", "invalid-identifier"),
        ("/organisations/northwind/networks/7", "network", "invalid-identifier"),
        ("/organisations/northwind/people/me", "person", "invalid-identifier"),
        ("/gateways/x", "gateway", "invalid-identifier"),
        ("/organisations?limit=0", "limit", "invalid-out-of-range"),
        ("/organisations?limit=many", "limit", "invalid-type"),
        ("/organisations?cursor=zzz", "cursor", "invalid-cursor"),
        ("/organisations?limit=1&limit=2", "query", "invalid-type"),
        ("/organisations/northwind/devices?owner=me", "owner", "invalid-identifier"),
        ("/organisations/northwind/activity?actor=me", "actor", "invalid-identifier"),
    ] {
        let answer = anna.get(&portal, path).await;
        assert_eq!(answer.problem(422), "invalid", "{path}");
        assert_eq!(answer.refused_fields(), [(field.to_owned(), code.to_owned())], "{path}");
    }
    assert_eq!(anna.get(&portal, "/organisations/North%20Wind").await.problem(404), "not-found");
    assert_eq!(anna.get(&portal, "/organisations/%FF/people").await.problem(404), "not-found");
}

#[tokio::test]
async fn problems_speak_the_readers_language() {
    let portal = Portal::new().await;
    let mut request = get("/api/v1/session");
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, "de-AT, en;q=0.5".parse().unwrap());
    let german = portal.send(request).await.json()["title"].clone();
    let english = portal.send(get("/api/v1/session")).await.json()["title"].clone();
    assert_ne!(german, english);
}

#[tokio::test]
async fn changes_from_another_site_are_refused() {
    let portal = Portal::new().await;
    let anna = portal.set_up().await;
    let body = json!({"slug": "eastwind", "name": "Eastwind"});
    let mut foreign = anna.request(Method::POST, "/organisations", Some(&body));
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(portal.send(foreign).await.problem(403), "cross-origin");

    let mut silent = anna.request(Method::POST, "/organisations", Some(&body));
    silent.headers_mut().remove("sec-fetch-site");
    assert_eq!(portal.send(silent).await.problem(403), "cross-origin");

    let mut old_browser = anna.request(Method::POST, "/organisations", Some(&body));
    old_browser.headers_mut().remove("sec-fetch-site");
    old_browser.headers_mut().insert(header::ORIGIN, "https://vpn.example.org".parse().unwrap());
    portal.send(old_browser).await.expect(201);
}

#[tokio::test]
async fn a_members_rights_end_where_an_admins_begin() {
    let furnished = Portal::furnished().await;
    let (portal, mia) = (&furnished.portal, &furnished.mia);
    for path in
        ["/organisations/northwind/people", "/organisations/northwind/activity", "/organisations/northwind/overview"]
    {
        assert_eq!(mia.get(portal, path).await.problem(403), "forbidden", "{path}");
    }
    let device = format!("/organisations/northwind/devices/{}", furnished.device["id"].as_str().unwrap());
    assert_eq!(mia.get(portal, &device).await.problem(404), "not-found", "another person's device is not told apart");
    assert_eq!(mia.get(portal, "/organisations/northwind/devices").await.expect(200)["items"], json!([]));
    mia.get(portal, "/organisations/northwind/networks").await.expect(200);
}

#[tokio::test]
async fn a_suspended_organisation_is_shut_for_all_but_operators() {
    let furnished = Portal::furnished().await;
    let (portal, mia) = (&furnished.portal, &furnished.mia);
    let suspended = json!({"state": "suspended"});
    furnished.operator.patch(portal, "/organisations/northwind", "*", &suspended).await.expect(200);
    assert_eq!(mia.get(portal, "/organisations/northwind/networks").await.problem(403), "suspended");
    furnished.operator.get(portal, "/organisations/northwind/networks").await.expect(200);
}

#[tokio::test]
async fn conflicts_say_with_what() {
    let furnished = Portal::furnished().await;
    let overlapping = json!({"name": "Lab", "ipv4_prefix": "10.20.0.128/25"});
    let answer = furnished.operator.post(&furnished.portal, "/organisations/northwind/networks", &overlapping).await;
    assert_eq!(answer.problem(409), "conflict");
    assert!(answer.json()["detail"].as_str().unwrap().contains("10.20.0.0/24"), "{}", answer.text);
    // Another organisation may use the same range.
    furnished.sam.post(&furnished.portal, "/organisations/southwind/networks", &overlapping).await.expect(201);
}

#[tokio::test]
async fn strangers_learn_nothing_from_what_they_send() {
    let portal = Portal::new().await;
    portal.set_up().await;
    let nobody = Person::default();
    for path in
        ["/organisations/northwind", "/organisations/nowhere", "/organisations/northwind/devices/x", "/gateways/x"]
    {
        assert_eq!(nobody.get(&portal, path).await.problem(401), "not-signed-in");
    }
    let body = json!({"email": "anna@example.org", "password": PASSWORD, "x": 1});
    assert!(!portal.send(post("/api/v1/session", &body)).await.text.contains(PASSWORD));
}
