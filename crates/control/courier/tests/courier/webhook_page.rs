//! The receiver that the book shows, run as it stands there, and real deliveries to it.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use warren_courier::{
    Delivery, Verdict, WebhookClient, WebhookConfig, WebhookRules, WebhookSecret,
    webhook::{BODY_BYTES_MAX, PlainHttp, TIME_LIMIT, TOLERANCE},
};
use warren_model::Clock;
use warren_runtime::{SystemClock, SystemRandom};

const PAGE: &str = "../../../docs/book/src/api/webhooks.md";
const STARTS_WITHIN: Duration = Duration::from_secs(20);

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap()
}

fn example() -> String {
    let page = page();
    let (_, rest) = page.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// The example as a process; it ends with the value.
struct Example {
    process: Child,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl Example {
    fn start(secrets: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", &example()]).env("WEBHOOK_SECRETS", secrets).env("PORT", port.to_string());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let give_up_at = Instant::now() + STARTS_WITHIN;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "the example ended");
            assert!(Instant::now() < give_up_at, "the example does not answer");
            thread::sleep(Duration::from_millis(10));
        }
        Self { process, said, port }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn exposed(secret: &WebhookSecret) -> String {
    secret.expose().expose().clone()
}

#[tokio::test]
async fn the_receiver_of_the_book_takes_what_is_genuine_and_nothing_else() {
    let (old, new) = (WebhookSecret::generate(&SystemRandom), WebhookSecret::generate(&SystemRandom));
    let mut example = Example::start(&exposed(&new));
    let rules = WebhookRules { plain_http: PlainHttp::Allowed, also_allowed: vec!["127.0.0.1/32".parse().unwrap()] };
    let client = WebhookClient::build(WebhookConfig { rules, ..WebhookConfig::default() }).unwrap();
    let genuine = Delivery {
        url: client.check_url(&format!("http://127.0.0.1:{}/warren", example.port)).unwrap(),
        secrets: vec![old.clone(), new.clone()],
        id: "0192f3a4".to_owned(),
        timestamp: SystemClock.now(),
        body: r#"{"type":"device.enrolled","name":"Anna’s laptop"}"#.into(),
    };
    let verdict = async |delivery: Delivery| client.deliver(&delivery).await.unwrap().verdict();
    assert_eq!(verdict(genuine.clone()).await, Verdict::Delivered);
    let mut line = String::new();
    example.said.read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "0192f3a4 {'type': 'device.enrolled', 'name': 'Anna’s laptop'}");
    let stale = genuine.timestamp - TOLERANCE - Duration::from_secs(30);
    for refused in [
        Delivery { secrets: vec![old], ..genuine.clone() },
        Delivery { timestamp: stale, ..genuine.clone() },
        Delivery { timestamp: genuine.timestamp + TOLERANCE + Duration::from_secs(30), ..genuine.clone() },
    ] {
        assert_eq!(verdict(refused).await, Verdict::Rejected);
    }
    assert_eq!(verdict(genuine).await, Verdict::Delivered);
}

#[test]
fn the_page_tells_the_limits_that_hold() {
    let page = page();
    assert!(page.contains(&format!("BODY_BYTES_MAX = {} * 1024", BODY_BYTES_MAX / 1024)));
    assert!(page.contains(&format!("TOLERANCE_SECONDS = {}\n", TOLERANCE.as_secs())));
    assert!(page.contains(&format!("Warren waits {} seconds", TIME_LIMIT.as_secs())));
    assert!(page.contains(&format!("nothing within {} seconds", TIME_LIMIT.as_secs())));
}
