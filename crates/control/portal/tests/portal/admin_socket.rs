//! The admin socket: the same API, where the kernel says who is calling.

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use warren_portal::LocalPeer;

use crate::harness::{Person, Portal, get};

#[tokio::test]
async fn the_local_user_operates_the_installation_without_a_session() {
    let furnished = Portal::furnished().await;
    let portal = &furnished.portal;
    let nobody = Person::default();
    let organisations = portal.send_locally(nobody.request(Method::GET, "/organisations", None)).await.expect(200);
    assert_eq!(organisations["items"].as_array().unwrap().len(), 2);
    let body = json!({"slug": "eastwind", "name": "Eastwind"});
    portal.send_locally(nobody.request(Method::POST, "/organisations", Some(&body))).await.expect(201);
    let entries = furnished.operator.get(portal, "/activity").await.expect(200);
    let entry = &entries["items"][0];
    assert_eq!((&entry["actor"]["kind"], &entry["actor"]["name"]), (&json!("local_operator"), &json!("root")));
    assert_eq!(entry["source"], "local");
    assert_eq!(portal.send_locally(nobody.request(Method::GET, "/session", None)).await.problem(401), "not-signed-in");
}

#[tokio::test]
async fn figures_are_served_to_the_admin_socket_only() {
    let furnished = Portal::furnished().await;
    let portal = &furnished.portal;
    let text = portal.send_locally(get("/metrics")).await.text;
    for line in [
        "warren_http_requests_total{method=\"POST\",route=\"/api/v1/organisations/{organisation}/networks\",status=\"201\"} 1",
        "warren_gateway_links 0",
        "warren_live_streams 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("northwind"), "figures name no organisation");
    assert_eq!(portal.send(get("/metrics")).await.status, 404);
    assert_eq!(portal.send_locally(get("/sign-in")).await.status, 404, "pages are for the network");
}

#[tokio::test]
async fn the_kernel_says_who_is_calling() {
    let portal = Portal::new().await;
    portal.set_up().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let service = warren_portal::admin_router(portal.state.clone()).into_make_service_with_connect_info::<LocalPeer>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    server.abort();
}
