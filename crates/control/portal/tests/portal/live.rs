//! The live stream.

use std::time::Duration;

use axum::{body::Body, extract::ConnectInfo};
use http::{HeaderMap, Method};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::harness::{Person, Portal};

struct Stream(Body);

impl Stream {
    async fn open(portal: &Portal, person: &Person, path: &str) -> (HeaderMap, Self) {
        let mut request = person.request(Method::GET, path, None);
        let address: std::net::SocketAddr = "203.0.113.9:1".parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        let response = portal.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let (parts, body) = response.into_parts();
        (parts.headers, Self(body))
    }
    /// The next piece of text; none when the stream has ended.
    async fn next(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(Duration::from_secs(120), self.0.frame()).await.expect("something happens");
        frame.map(|frame| String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
    }
}

#[tokio::test]
async fn a_stream_tells_of_gateways_and_ends_at_shutdown() {
    let furnished = Portal::furnished().await;
    let portal = &furnished.portal;
    let (headers, mut stream) = Stream::open(portal, &furnished.mia, "/organisations/northwind/live").await;
    assert_eq!(headers["content-type"], "text/event-stream");
    let id = furnished.gateway["gateway"]["id"].as_str().unwrap();
    let token = warren_auth::SecretToken::parse(furnished.gateway["join"]["token"].as_str().unwrap()).unwrap();
    let cx = warren_app::OpContext {
        app: portal.app.clone(),
        subject: warren_auth::Subject::LinkHolder,
        source: warren_model::audit::Source::Local,
        request: warren_model::RequestId::from_uuid(uuid::Uuid::nil()),
        idempotency: None,
    };
    let enrolled = warren_app::gateways::enrol(&cx, &token).await.unwrap();
    let gateway = warren_app::gateways::link::authenticate(&portal.app, &enrolled.credential).await.unwrap().unwrap();
    let hello = warren_app::gateways::Hello {
        software: "test".into(),
        boot: uuid::Uuid::nil(),
        backend: warren_app::gateways::Backend::Userspace,
    };
    let session = warren_app::gateways::link::LinkSession::open(&portal.app, gateway, hello);
    let event = stream.next().await.unwrap();
    assert_eq!(event, format!("event: gateway\ndata: {{\"gateway_id\":\"{id}\",\"state\":\"online\"}}\n\n"));
    drop(session);
    assert!(stream.next().await.unwrap().contains("offline"));
    portal.shutdown.request();
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_quiet_stream_sends_comments() {
    let furnished = Portal::furnished().await;
    let (_, mut stream) = Stream::open(&furnished.portal, &furnished.mia, "/organisations/northwind/live").await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert!(stream.next().await.unwrap().starts_with(':'));
    assert_eq!(began.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let furnished = Portal::furnished().await;
    let portal = &furnished.portal;
    let (_, mut stream) = Stream::open(portal, &furnished.mia, "/organisations/northwind/live").await;
    portal.send(furnished.mia.request(Method::DELETE, "/session", None)).await.expect(204);
    // Time is moved on only between the stream's questions to the database, which take real time.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    let ended = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the stream ends");
}
