//! Deliveries to a receiver over real TLS.

use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use time::macros::datetime;
use warren_courier::{
    Answer, Delivery, DeliveryError, Retry, Verdict, WebhookClient, WebhookConfig, WebhookRules, WebhookSecret,
    webhook::{BODY_BYTES_MAX, BODY_START_BYTES_MAX, PlainHttp, Resolve, verify},
};
use warren_testkit::certificates::Authority;

use super::receiver::{NAME, Receiver, Says, answer};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Answers each question with the next list, and the last one for ever.
#[derive(Debug)]
pub struct Told {
    lists: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Told {
    pub fn that(lists: &[&[&str]]) -> Arc<Self> {
        let list = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { lists: Mutex::new(lists.iter().map(list).collect()), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolve for Told {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut lists = self.lists.lock().unwrap();
        let list = if lists.len() > 1 { lists.pop_front().unwrap() } else { lists[0].clone() };
        Box::pin(async move { if list.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(list) } })
    }
}

/// A client that may speak to 127.0.0.1 and to no other private address.
fn client(authority: &Authority, resolver: Arc<Told>) -> WebhookClient {
    client_within(authority, resolver, Duration::from_secs(10))
}

fn client_within(authority: &Authority, resolver: Arc<Told>, time_limit: Duration) -> WebhookClient {
    WebhookClient::build(WebhookConfig {
        rules: WebhookRules {
            plain_http: PlainHttp::Refused,
            also_allowed: vec!["127.0.0.1/32".parse().unwrap(), "127.0.0.7/32".parse().unwrap()],
        },
        ca_file: Some(authority.ca_file()),
        time_limit,
        resolver,
    })
    .unwrap()
}

fn delivery(client: &WebhookClient, url: &str) -> Delivery {
    Delivery {
        url: client.check_url(url).unwrap(),
        secrets: vec![SECRET.parse().unwrap()],
        id: "0192f3a4-7b1c-7000-8000-000000000001".to_owned(),
        timestamp: datetime!(2026-11-27 12:00:00.75 UTC),
        body: r#"{"type":"device.enrolled","name":"Anna’s laptop"}"#.into(),
    }
}

/// Delivers to a receiver that says this.
async fn answered(says: Says) -> Result<Answer, DeliveryError> {
    answered_within(says, Duration::from_secs(8)).await
}

async fn answered_within(says: Says, limit: Duration) -> Result<Answer, DeliveryError> {
    let authority = Authority::new().unwrap();
    let receiver = Receiver::secure(&authority, "127.0.0.1", says).await;
    let client = client_within(&authority, Told::that(&[&["127.0.0.1"]]), limit);
    client.deliver(&delivery(&client, &format!("https://{NAME}:{}/", receiver.port))).await
}

#[tokio::test]
async fn a_message_arrives_signed_and_to_the_byte() {
    let authority = Authority::new().unwrap();
    let mut receiver = Receiver::secure(&authority, "127.0.0.1", answer("202 Accepted", "", "thanks\r\n\x1b")).await;
    let client = client(&authority, Told::that(&[&["127.0.0.1"]]));
    let mut sent = delivery(&client, &format!("https://{NAME}:{}/warren/%C3%BC?a=b&c#d", receiver.port));
    let second: WebhookSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".parse().unwrap();
    sent.secrets.push(second.clone());
    let answer = client.deliver(&sent).await.unwrap();
    assert_eq!((answer.status, answer.body_start.as_str()), (202, "thanks \n "));
    assert_eq!((answer.verdict(), answer.retry_after), (Verdict::Delivered, None));
    assert!(answer.took > Duration::ZERO && answer.took < Duration::from_secs(10));
    let got = receiver.next().await;
    assert_eq!(got.line, "POST /warren/%C3%BC?a=b&c HTTP/1.1");
    assert_eq!(got.body, sent.body);
    let names: Vec<&str> = got.headers.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "accept-encoding",
            "connection",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "webhook-id",
            "webhook-signature",
            "webhook-timestamp"
        ]
    );
    assert_eq!(got.headers["host"], format!("{NAME}:{}", receiver.port));
    assert_eq!(got.headers["content-type"], "application/json");
    assert_eq!(got.headers["webhook-id"], sent.id);
    assert_eq!(got.headers["webhook-timestamp"], "1795780800");
    for secret in [SECRET.parse().unwrap(), second] {
        let (id, timestamp) = (&got.headers["webhook-id"], &got.headers["webhook-timestamp"]);
        verify(&[secret], id, timestamp, &got.headers["webhook-signature"], &got.body, sent.timestamp).unwrap();
    }
}

#[tokio::test]
async fn an_address_in_place_of_a_name_is_not_looked_up() {
    let authority = Authority::new().unwrap();
    let mut receiver = Receiver::secure(&authority, "127.0.0.1", answer("204 No Content", "", "")).await;
    let told = Told::that(&[&["10.0.0.1"]]);
    let client = client(&authority, told.clone());
    let answer = client.deliver(&delivery(&client, &format!("https://127.0.0.1:{}/", receiver.port))).await.unwrap();
    assert_eq!(answer.verdict(), Verdict::Delivered);
    assert_eq!(receiver.next().await.headers["host"], format!("127.0.0.1:{}", receiver.port));
    assert!(told.asked().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_never_connected_to() {
    let authority = Authority::new().unwrap();
    let mut receiver = Receiver::secure(&authority, "127.0.0.1", answer("200 OK", "", "")).await;
    for addresses in [
        &["10.0.0.1"][..],
        &["127.0.0.2"],
        &["169.254.169.254"],
        &["::1"],
        &["::ffff:10.0.0.1"],
        &["64:ff9b::a9fe:a9fe"],
        &["fd00:ec2::254"],
        &["0.0.0.0"],
        // One is enough, wherever it stands.
        &["127.0.0.1", "10.0.0.1"],
        &["1.1.1.1", "192.168.1.1", "127.0.0.1"],
    ] {
        let client = client(&authority, Told::that(&[addresses]));
        let refused =
            client.deliver(&delivery(&client, &format!("https://{NAME}:{}/", receiver.port))).await.unwrap_err();
        assert!(matches!(&refused, DeliveryError::Private { host, .. } if host == NAME), "{addresses:?}: {refused:?}");
        assert_eq!(refused.retry(), Retry::Slowly);
    }
    assert_eq!(receiver.opened(), 0);
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_a_moment_later_changes_nothing() {
    let authority = Authority::new().unwrap();
    let mut allowed = Receiver::secure(&authority, "127.0.0.1", answer("200 OK", "", "")).await;
    // Where the name leads from the second look on: nobody may go there, and somebody would answer.
    let private = tokio::net::TcpListener::bind(("127.0.0.2", allowed.port)).await.unwrap();
    let told = Told::that(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = client(&authority, told.clone());
    let sent = delivery(&client, &format!("https://{NAME}:{}/", allowed.port));
    assert_eq!(client.deliver(&sent).await.unwrap().status, 200);
    assert_eq!(told.asked(), [NAME]);
    assert_eq!(allowed.opened(), 1);
    assert!(matches!(client.deliver(&sent).await, Err(DeliveryError::Private { .. })));
    assert_eq!((told.asked().len(), allowed.opened()), (2, 0));
    let nobody_came = tokio::time::timeout(Duration::from_millis(100), private.accept()).await;
    assert!(nobody_came.is_err());
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let authority = Authority::new().unwrap();
    let mut receiver = Receiver::secure(&authority, "127.0.0.1", answer("200 OK", "", "")).await;
    // Nobody listens at the first.
    let client = client(&authority, Told::that(&[&["127.0.0.7", "127.0.0.1"]]));
    assert_eq!(
        client.deliver(&delivery(&client, &format!("https://{NAME}:{}/", receiver.port))).await.unwrap().status,
        200
    );
    assert_eq!(receiver.opened(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let authority = Authority::new().unwrap();
    let mut target = Receiver::secure(&authority, "127.0.0.1", answer("200 OK", "", "")).await;
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = format!("location: https://127.0.0.1:{}/\r\n", target.port);
        let answer = answered(answer(status, &location, "")).await.unwrap();
        assert_eq!(answer.verdict(), Verdict::Failed, "{status}");
    }
    assert_eq!(target.opened(), 0);
}

#[tokio::test]
async fn an_answer_says_how_to_go_on() {
    let verdict = async |status: &str, headers: &str| answered(answer(status, headers, "")).await.unwrap().verdict();
    assert_eq!(verdict("410 Gone", "").await, Verdict::Gone);
    assert_eq!(verdict("404 Not Found", "").await, Verdict::Rejected);
    assert_eq!(verdict("500 Oh", "").await, Verdict::Failed);
    let seconds = |seconds| Verdict::Busy(Some(Duration::from_secs_f64(seconds)));
    assert_eq!(verdict("429 Slow down", "retry-after: 30\r\n").await, seconds(30.0));
    assert_eq!(verdict("503 Busy", "retry-after: Fri, 27 Nov 2026 12:02:00 GMT\r\n").await, seconds(119.25));
    assert_eq!(verdict("503 Busy", "").await, Verdict::Busy(None));
}

#[tokio::test]
async fn of_an_endless_answer_only_the_beginning_is_read() {
    for length in ["content-length: 1000000000000\r\n", ""] {
        let started = Instant::now();
        let answer = answered(Says::Endless(format!("HTTP/1.1 200 OK\r\n{length}\r\n"))).await.unwrap();
        assert_eq!((answer.status, answer.body_start.len()), (200, BODY_START_BYTES_MAX));
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_body_that_does_not_end_does_not_keep_the_answer_back() {
    for says in [
        Says::Hangs("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".into()),
        Says::Drips(format!("HTTP/1.1 200 OK\r\n\r\nabc{}", "x".repeat(1000)), Duration::from_millis(20)),
    ] {
        let answer = answered(says).await.unwrap();
        assert_eq!(answer.verdict(), Verdict::Delivered);
        assert!(answer.body_start.starts_with("abc") && answer.body_start.len() < 1000, "{}", answer.body_start);
    }
    // Broken in the middle of the body: the status was there.
    let answer = answered(Says::Text("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".into())).await.unwrap();
    assert_eq!((answer.status, answer.body_start.as_str()), (200, "abc"));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_is_left() {
    for says in [
        Says::Hangs(String::new()),
        Says::Hangs("HTTP/1.1 200 OK\r\nx: ".into()),
        Says::Drips("HTTP/1.1 200 OK\r\n".repeat(100), Duration::from_millis(50)),
        Says::Endless(String::new()),
    ] {
        let started = Instant::now();
        let error = answered_within(says.clone(), Duration::from_secs(1)).await.unwrap_err();
        assert!(
            matches!(error, DeliveryError::TimedOut { .. } | DeliveryError::NoAnswer { .. }),
            "{says:?}: {error:?}"
        );
        assert_eq!(error.retry(), Retry::Soon);
        assert!(started.elapsed() < Duration::from_secs(6));
    }
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    let many = (0..200).map(|index| format!("x-{index}: y\r\n")).collect::<String>();
    for says in [
        Says::Closes,
        Says::Text("220 mail.example.org ESMTP\r\n".into()),
        Says::Text("HTTP/1.1 2000 OK\r\n\r\n".into()),
        Says::Text(format!("HTTP/1.1 200 OK\r\n{many}\r\n")),
        Says::Text(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(100_000))),
    ] {
        let error = answered(says.clone()).await.unwrap_err();
        assert!(matches!(error, DeliveryError::NoAnswer { .. }), "{says:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_certificate_must_be_for_the_name_and_from_somebody_trusted() {
    let (authority, stranger) = (Authority::new().unwrap(), Authority::new().unwrap());
    let mut receiver = Receiver::secure(&authority, "127.0.0.1", answer("200 OK", "", "")).await;
    let port = receiver.port;
    for (client, url) in [
        (client(&stranger, Told::that(&[&["127.0.0.1"]])), format!("https://{NAME}:{port}/")),
        (client(&authority, Told::that(&[&["127.0.0.1"]])), format!("https://other.example.org:{port}/")),
    ] {
        let error = client.deliver(&delivery(&client, &url)).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Tls { .. }), "{error:?}");
        assert_eq!(error.retry(), Retry::Slowly);
    }
    assert_eq!(receiver.opened(), 2);
    let plain = Receiver::plain(answer("200 OK", "", "")).await;
    let client = client_within(&authority, Told::that(&[&["127.0.0.1"]]), Duration::from_secs(1));
    let error = client.deliver(&delivery(&client, &format!("https://{NAME}:{}/", plain.port))).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Tls { .. } | DeliveryError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_and_a_port_where_nobody_listens() {
    let authority = Authority::new().unwrap();
    let unknown = client(&authority, Told::that(&[&[]]));
    let error = unknown.deliver(&delivery(&unknown, "https://hooks.example.org/")).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Unknown { .. }) && error.retry() == Retry::Soon, "{error:?}");
    let listener = tokio::net::TcpListener::bind("127.0.0.7:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let closed = client(&authority, Told::that(&[&["127.0.0.7"]]));
    let error = closed.deliver(&delivery(&closed, &format!("https://{NAME}:{port}/"))).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Unreachable { .. }) && error.retry() == Retry::Soon, "{error:?}");
    let crowded: Vec<String> = (0..65).map(|index| format!("1.1.1.{index}")).collect();
    let crowded: Vec<&str> = crowded.iter().map(String::as_str).collect();
    let crowded = client(&authority, Told::that(&[&crowded]));
    let error = crowded.deliver(&delivery(&crowded, "https://hooks.example.org/")).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Unknown { .. }), "{error:?}");
}

#[tokio::test]
async fn rules_that_became_stricter_hold_for_urls_of_before() {
    let authority = Authority::new().unwrap();
    let mut receiver = Receiver::plain(answer("200 OK", "", "")).await;
    let loose = WebhookClient::build(WebhookConfig {
        rules: WebhookRules { plain_http: PlainHttp::Allowed, also_allowed: vec!["127.0.0.0/8".parse().unwrap()] },
        ca_file: Some(authority.ca_file()),
        ..WebhookConfig::default()
    })
    .unwrap();
    let strict = WebhookClient::build(WebhookConfig { ca_file: Some(authority.ca_file()), ..WebhookConfig::default() });
    let sent = delivery(&loose, &format!("http://127.0.0.1:{}/", receiver.port));
    assert_eq!(loose.deliver(&sent).await.unwrap().status, 200);
    assert_eq!(receiver.opened(), 1);
    let error = strict.unwrap().deliver(&sent).await.unwrap_err();
    assert!(matches!(error, DeliveryError::NotAllowed(_)), "{error:?}");
    assert_eq!((error.retry(), receiver.opened()), (Retry::Slowly, 0));
}

#[tokio::test]
async fn a_message_that_no_receiver_could_understand_is_not_sent() {
    let authority = Authority::new().unwrap();
    let told = Told::that(&[&["127.0.0.1"]]);
    let client = client(&authority, told.clone());
    let fine = delivery(&client, "https://hooks.example.org/");
    for bad in [
        Delivery { id: String::new(), ..fine.clone() },
        Delivery { id: "a.b".into(), ..fine.clone() },
        Delivery { id: "a\r\nx: y".into(), ..fine.clone() },
        Delivery { id: "x".repeat(65), ..fine.clone() },
        Delivery { secrets: Vec::new(), ..fine.clone() },
        Delivery { secrets: vec![fine.secrets[0].clone(); 5], ..fine.clone() },
        Delivery { body: vec![b' '; BODY_BYTES_MAX + 1], ..fine.clone() },
    ] {
        let error = client.deliver(&bad).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Unfit(_)) && error.retry() == Retry::Never, "{error:?}");
    }
    assert!(told.asked().is_empty());
}

#[tokio::test]
async fn the_largest_message_arrives_whole() {
    let authority = Authority::new().unwrap();
    let mut receiver = Receiver::secure(&authority, "127.0.0.1", answer("200 OK", "", "")).await;
    let client = client(&authority, Told::that(&[&["127.0.0.1"]]));
    let mut sent = delivery(&client, &format!("https://{NAME}:{}/", receiver.port));
    sent.body = vec![b'7'; BODY_BYTES_MAX];
    client.deliver(&sent).await.unwrap();
    assert!(receiver.next().await.body == sent.body);
}
