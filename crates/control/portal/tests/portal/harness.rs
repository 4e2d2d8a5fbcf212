//! A portal on a ground of its own, and people who use it.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use rstest_reuse::template;
use serde_json::{Value, json};
use tower::ServiceExt;
use warren_app::{App, Standing};
use warren_model::JobId;
use warren_portal::{LocalPeer, PortalState};
use warren_runtime::{Shutdown, SystemClock, SystemRandom};
use warren_testkit::ground::{Database, Ground};

use crate::errand::Errand;

pub const PUBLIC_URL: &str = "https://vpn.example.org";
pub const PASSWORD: &str = "seven grey herons waiting";

/// A test on each kind of database.
#[template]
#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::mariadb(Database::MariaDb)]
#[case::postgresql(Database::PostgreSql)]
pub fn on_every_database(#[case] database: Database) {}

/// A portal that nobody has set up yet.
pub struct Portal {
    pub app: App,
    pub state: PortalState,
    pub router: Router,
    pub shutdown: Shutdown,
    _ground: Ground,
}

/// A portal with two organisations: `northwind` with a network, a device, a webhook, and Mia as a member; `southwind` with Sam as its admin.
pub struct Furnished {
    pub portal: Portal,
    pub operator: Person,
    pub mia: Person,
    pub sam: Person,
    pub gateway: Value,
    pub network: Value,
    pub device: Value,
    pub webhook: Value,
    /// A test that is on its way to the webhook.
    pub delivery: Value,
    /// An uploaded table of people.
    pub file: Value,
    /// A job of Northwind's that nobody works on.
    pub job: JobId,
}

/// Somebody with a cookie, or without.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub cookie: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Portal {
    /// On files.
    pub async fn new() -> Self {
        Self::on(Database::Sqlite).await
    }

    pub async fn on(database: Database) -> Self {
        Self::with(database, |config| config).await
    }

    /// With settings of the test's own.
    pub async fn with(database: Database, set: impl FnOnce(warren_app::Config) -> warren_app::Config) -> Self {
        let ground = Ground::of(database).unwrap();
        let config = warren_app::Config {
            further_jobs: vec![warren_app::jobs::kind::<Errand>()],
            ..warren_app::Config::new(ground.folder().to_owned(), PUBLIC_URL.to_owned())
        };
        let config = set(config);
        let config = match ground.database_url() {
            None => config,
            Some(url) => config.on(Standing::Server(url.parse().unwrap())),
        };
        let app = App::build(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
        let shutdown = Shutdown::new();
        let state = PortalState::new(app.clone(), warren_portal::Config::default(), shutdown.clone());
        Self { app, router: warren_portal::router(state.clone()), state, shutdown, _ground: ground }
    }

    /// Sends `request` from 203.0.113.9.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from("203.0.113.9:40000", request).await
    }

    pub async fn send_from(&self, address: &str, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(address.parse::<SocketAddr>().unwrap()));
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Sends `request` through the admin socket as root.
    pub async fn send_locally(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(LocalPeer { user: "root".into() }));
        Answer::of(warren_portal::admin_router(self.state.clone()).oneshot(request).await.unwrap()).await
    }

    /// The token of a fresh set-up link.
    pub async fn set_up_token(&self) -> String {
        let link = warren_app::installation::issue_set_up_link(&self.app).await.unwrap().unwrap();
        link.link.split_once('#').unwrap().1.to_owned()
    }

    pub async fn set_up(&self) -> Person {
        let body = json!({
            "token": self.set_up_token().await, "name": "Anna Berg", "email": "anna@example.org", "password": PASSWORD,
            "organisation": {"slug": "northwind", "name": "Northwind Ltd"},
        });
        let answer = self.send(post("/api/v1/set-up", &body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.person()
    }

    /// On files.
    pub async fn furnished() -> Furnished {
        Self::furnished_on(Database::Sqlite).await
    }

    pub async fn furnished_on(database: Database) -> Furnished {
        Self::on(database).await.furnish().await
    }

    pub async fn furnish(self) -> Furnished {
        let portal = self;
        let operator = portal.set_up().await;
        let south = json!({"slug": "southwind", "name": "Southwind Ltd"});
        operator.post(&portal, "/organisations", &south).await.expect(201);
        let mia = portal.joined(&operator, "northwind", "mia", "member").await;
        let sam = portal.joined(&operator, "southwind", "sam", "admin").await;
        let gateway = json!({"name": "fra-1", "endpoint_host": "vpn.example.org"});
        let gateway = operator.post(&portal, "/gateways", &gateway).await.expect(201);
        let network = json!({"name": "Office", "ipv4_prefix": "10.20.0.0/24", "ipv6_prefix": "fd12:3456:789a::/64"});
        let network = operator.post(&portal, "/organisations/northwind/networks", &network).await.expect(201);
        let device = portal.device(&operator, &network, "Anna's laptop", 9).await;
        let webhook = json!({"name": "Inventory", "url": "https://hooks.example.org/warren", "events": ["device.*"]});
        let webhook = operator.post(&portal, "/organisations/northwind/webhooks", &webhook).await.expect(201);
        let webhook = webhook["webhook"].clone();
        let test = format!("/organisations/northwind/webhooks/{}/test", webhook["id"].as_str().unwrap());
        let delivery = operator.post(&portal, &test, &json!({})).await.expect(202);
        let file =
            operator.upload(&portal, "northwind", "people.csv", "email,name\nben@example.org,Ben\n").await.expect(201);
        let job = Errand::done().asked(&portal, &operator, "northwind").await;
        Furnished { portal, operator, mia, sam, gateway, network, device, webhook, delivery, file, job }
    }

    /// Enrols a device whose public key is 32 times `key`.
    pub async fn device(&self, person: &Person, network: &Value, name: &str, key: u8) -> Value {
        let key = warren_model::PublicKey::from_bytes([key; 32]).unwrap().to_string();
        let body = json!({"name": name, "network_id": network["id"], "key": {"made_by": "device", "public_key": key}});
        person.post(self, "/organisations/northwind/devices", &body).await.expect(201)["device"].clone()
    }

    async fn joined(&self, admin: &Person, organisation: &str, name: &str, role: &str) -> Person {
        let body = json!({"name": name, "email": format!("{name}@example.org"), "role": role});
        let invited = admin.post(self, &format!("/organisations/{organisation}/people"), &body).await.expect(201);
        let token = invited["invitation"]["link"].as_str().unwrap().split_once('#').unwrap().1;
        let body = json!({"token": token, "password": PASSWORD});
        let answer = self.send(post("/api/v1/invitations/accept", &body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.person()
    }
}

impl Person {
    pub async fn get(&self, portal: &Portal, path: &str) -> Answer {
        portal.send(self.request(Method::GET, path, None)).await
    }
    pub async fn post(&self, portal: &Portal, path: &str, body: &Value) -> Answer {
        portal.send(self.request(Method::POST, path, Some(body))).await
    }
    /// PATCH with `If-Match`.
    pub async fn patch(&self, portal: &Portal, path: &str, if_match: &str, body: &Value) -> Answer {
        let mut request = self.request(Method::PATCH, path, Some(body));
        request.headers_mut().insert(header::IF_MATCH, if_match.parse().unwrap());
        portal.send(request).await
    }

    /// Sends a file as its plain bytes.
    pub async fn upload(&self, portal: &Portal, organisation: &str, name: &str, bytes: impl Into<Body>) -> Answer {
        let mut request = self.request(Method::POST, &format!("/organisations/{organisation}/files?name={name}"), None);
        request.headers_mut().insert(header::CONTENT_TYPE, "text/csv".parse().unwrap());
        *request.body_mut() = bytes.into();
        portal.send(request).await
    }

    /// A request below `/api/v1` as the portal's own pages send it.
    pub fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request =
            Request::builder().method(method).uri(format!("/api/v1{path}")).header("sec-fetch-site", "same-origin");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        match body {
            None => request.body(Body::empty()).unwrap(),
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
            }
        }
    }
}

impl Answer {
    pub async fn of(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text))
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    /// The body of an answer that has to have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
    /// The problem's kind, after checking that it is one.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        for text in ["title", "detail"] {
            let sentence = problem[text].as_str().unwrap();
            assert!(sentence.contains(' ') && !sentence.starts_with("problem-"), "{text} is no sentence: {sentence}");
        }
        problem["type"].as_str().unwrap().strip_prefix("urn:warren:problem:").unwrap().to_owned()
    }
    /// The fields that were refused, with their codes.
    pub fn refused_fields(&self) -> Vec<(String, String)> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|e| (e["field"].as_str().unwrap().to_owned(), e["code"].as_str().unwrap().to_owned()))
            .collect()
    }
    /// Whoever the answer signed in.
    pub fn person(&self) -> Person {
        let cookie = self.header("set-cookie").split(';').next().unwrap().to_owned();
        assert!(cookie.starts_with("__Host-warren="), "no session: {} {}", self.status, self.text);
        Person { cookie: Some(cookie) }
    }
}

/// A POST of JSON without a cookie and without any sign of where it comes from, as a program sends it.
pub fn post(path: &str, body: &Value) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}

/// A GET without anything.
pub fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}
