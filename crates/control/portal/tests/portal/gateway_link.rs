//! Gateways: enrolment, and the link over a real WebSocket.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use warren_wire::node::v1::{self, FromGateway, ToGateway};

use crate::harness::{Furnished, Portal, get, post};

/// A gateway's end of the link.
struct Gateway(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Gateway {
    async fn connect(address: SocketAddr, credential: &str) -> Result<Self, Error> {
        let mut request = format!("ws://{address}/node/v1/link").into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {credential}").parse().unwrap());
        Ok(Self(connect_async(request).await?.0))
    }
    async fn say(&mut self, frame: &FromGateway) {
        self.0.send(Message::text(serde_json::to_string(frame).unwrap())).await.unwrap();
    }
    async fn hello(&mut self) {
        let backend = v1::Backend::Userspace;
        self.say(&FromGateway::Hello {
            protocol: v1::PROTOCOL,
            software: "0.1.0".into(),
            boot: uuid::Uuid::from_u128(7),
            backend,
        })
        .await;
    }
    async fn hear(&mut self) -> ToGateway {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("not a frame: {other:?}"),
        }
    }
    /// Why the link was closed.
    async fn ending(&mut self) -> (u16, String) {
        loop {
            match self.message().await {
                Message::Close(Some(frame)) => return (frame.code.into(), frame.reason.to_string()),
                Message::Close(None) => panic!("closed without a reason"),
                _ => {}
            }
        }
    }
    async fn message(&mut self) -> Message {
        let message = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.expect("something is said");
        message.expect("the link is open").unwrap()
    }
}

/// Serves the portal on a port of its own and enrols its gateway.
async fn served(furnished: &Furnished) -> (SocketAddr, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = furnished.portal.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let enrol = json!({"token": furnished.gateway["join"]["token"]});
    let answer = furnished.portal.send(post("/node/v1/enrol", &enrol)).await.expect(200);
    assert_eq!(answer["name"], "fra-1");
    (address, answer["credential"].as_str().unwrap().to_owned())
}

fn id_of(value: &Value) -> uuid::Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_join_token_works_once() {
    let furnished = Portal::furnished().await;
    let enrol = json!({"token": furnished.gateway["join"]["token"]});
    furnished.portal.send(post("/node/v1/enrol", &enrol)).await.expect(200);
    assert_eq!(furnished.portal.send(post("/node/v1/enrol", &enrol)).await.problem(410), "link-spent");
    assert_eq!(furnished.portal.send(post("/node/v1/enrol", &json!({"token": "x"}))).await.problem(410), "link-spent");
}

#[tokio::test]
async fn a_gateway_gets_the_whole_state_and_then_each_change() {
    let furnished = Portal::furnished().await;
    let (address, credential) = served(&furnished).await;
    let mut gateway = Gateway::connect(address, &credential).await.unwrap();
    gateway.hello().await;

    let ToGateway::SnapshotBegin { version: 1, networks } = gateway.hear().await else { panic!("no snapshot") };
    assert_eq!(networks.len(), 1);
    assert_eq!((networks[0].id, networks[0].listen_port), (id_of(&furnished.network), 51820));
    let ToGateway::SnapshotPeers { network, peers } = gateway.hear().await else { panic!("no peers") };
    assert_eq!((network, peers.len(), peers[0].device), (networks[0].id, 1, id_of(&furnished.device)));
    assert_eq!(gateway.hear().await, ToGateway::SnapshotEnd { version: 1 });
    gateway.say(&FromGateway::Applied { version: 1, faults: vec![] }).await;

    let phone = furnished.portal.device(&furnished.operator, &furnished.network, "phone", 11).await;
    let ToGateway::Change { version: 2, changes } = gateway.hear().await else { panic!("no change") };
    let [v1::Change::PeerSet { peer, .. }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(
        (peer.device, peer.ipv4.unwrap().to_string()),
        (id_of(&phone), phone["ipv4"].as_str().unwrap().to_owned())
    );

    let path = format!("/organisations/northwind/devices/{}", phone["id"].as_str().unwrap());
    furnished.operator.patch(&furnished.portal, &path, "*", &json!({"standing": "disabled"})).await.expect(200);
    let removed = v1::Change::PeerRemoved { network, device: id_of(&phone) };
    assert_eq!(gateway.hear().await, ToGateway::Change { version: 3, changes: vec![removed] });
}

#[tokio::test]
async fn what_a_gateway_reports_is_shown() {
    let furnished = Portal::furnished().await;
    let (portal, anna) = (&furnished.portal, &furnished.operator);
    let (address, credential) = served(&furnished).await;
    let mut gateway = Gateway::connect(address, &credential).await.unwrap();
    gateway.hello().await;
    while !matches!(gateway.hear().await, ToGateway::SnapshotEnd { .. }) {}
    let network = id_of(&furnished.network);
    let fault = v1::Fault { network, reason: "UDP port 51820 is in use".into() };
    gateway.say(&FromGateway::Applied { version: 1, faults: vec![fault] }).await;
    let report = v1::PeerReport {
        network,
        device: id_of(&furnished.device),
        last_handshake_at: Some(portal.app.clock().now()),
        endpoint: Some("198.51.100.1:40000".parse().unwrap()),
        received_bytes: 1000,
        sent_bytes: 2000,
    };
    gateway.say(&FromGateway::Report { peers: vec![report] }).await;

    let device = format!("/organisations/northwind/devices/{}", furnished.device["id"].as_str().unwrap());
    let mut live = Value::Null;
    for _ in 0..100 {
        live = anna.get(portal, &device).await.expect(200)["live"].clone();
        if live["online"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((&live["received_bytes"], &live["endpoint"]), (&json!(1000), &json!("198.51.100.1:40000")));
    let shown = format!("/gateways/{}", furnished.gateway["gateway"]["id"].as_str().unwrap());
    let shown = anna.get(portal, &shown).await.expect(200);
    assert_eq!((&shown["state"], &shown["software"]), (&json!("online"), &json!("0.1.0")));
    assert_eq!(shown["faults"][0]["reason"], "UDP port 51820 is in use");
}

#[tokio::test]
async fn a_second_link_replaces_the_first() {
    let furnished = Portal::furnished().await;
    let (address, credential) = served(&furnished).await;
    let mut first = Gateway::connect(address, &credential).await.unwrap();
    first.hello().await;
    while !matches!(first.hear().await, ToGateway::SnapshotEnd { .. }) {}
    let mut second = Gateway::connect(address, &credential).await.unwrap();
    second.hello().await;
    assert_eq!(first.ending().await.0, 1000);
    while !matches!(second.hear().await, ToGateway::SnapshotEnd { .. }) {}
    let shown = format!("/gateways/{}", furnished.gateway["gateway"]["id"].as_str().unwrap());
    assert_eq!(furnished.operator.get(&furnished.portal, &shown).await.expect(200)["state"], "online");
}

#[tokio::test]
async fn a_gateway_that_breaks_the_protocol_is_told_why() {
    let furnished = Portal::furnished().await;
    let (address, credential) = served(&furnished).await;
    let hello = |protocol: u16| json!({"type": "hello", "protocol": protocol, "software": "x", "boot": uuid::Uuid::nil(), "backend": "kernel"});
    for (message, expected) in [
        (Message::text("{"), "a frame cannot be read"),
        (Message::text(r#"{"type":"applied","version":1,"faults":[]}"#), "the first frame is not Hello"),
        (Message::binary(vec![1]), "a binary frame"),
        (Message::text(hello(99).to_string()), "the gateway speaks protocol 99"),
    ] {
        let mut gateway = Gateway::connect(address, &credential).await.unwrap();
        gateway.0.send(message).await.unwrap();
        let (code, reason) = gateway.ending().await;
        assert_eq!(code, 1002, "{reason}");
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_link() {
    let furnished = Portal::furnished().await;
    let (address, credential) = served(&furnished).await;
    let mut gateway = Gateway::connect(address, &credential).await.unwrap();
    // The other side stops reading; where that is noticed depends on how much the sockets hold.
    let _ = gateway.0.send(Message::text("x".repeat(v1::FRAME_BYTES_MAX + 1))).await;
    let end = tokio::time::timeout(Duration::from_secs(10), gateway.0.next()).await.expect("the link ends");
    assert!(matches!(end, None | Some(Err(_) | Ok(Message::Close(_)))), "{end:?}");
}

#[tokio::test]
async fn links_end_at_shutdown() {
    let furnished = Portal::furnished().await;
    let (address, credential) = served(&furnished).await;
    let mut gateway = Gateway::connect(address, &credential).await.unwrap();
    gateway.hello().await;
    while !matches!(gateway.hear().await, ToGateway::SnapshotEnd { .. }) {}
    furnished.portal.shutdown.request();
    assert_eq!(gateway.ending().await.0, 1001);
}

#[tokio::test]
async fn strangers_get_no_link() {
    let furnished = Portal::furnished().await;
    let (address, _) = served(&furnished).await;
    let Err(Error::Http(refused)) = Gateway::connect(address, &"A".repeat(43)).await.map(|_| ()) else {
        panic!("a stranger was let in")
    };
    assert_eq!(refused.status(), 401);
    assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    assert_eq!(furnished.portal.send(get("/node/v1/link")).await.problem(401), "credential");
}

#[tokio::test]
async fn the_link_is_a_websocket() {
    let furnished = Portal::furnished().await;
    let (_, credential) = served(&furnished).await;
    let mut request = get("/node/v1/link");
    request.headers_mut().insert("authorization", format!("Bearer {credential}").parse().unwrap());
    let answer = furnished.portal.send(request).await;
    assert_eq!(answer.problem(426), "upgrade");
    assert_eq!(answer.header("upgrade"), "websocket");
}
