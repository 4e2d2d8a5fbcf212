//! A control plane on a ground of its own, with a clock that stands still until it is moved.

use std::sync::{Arc, Mutex};

use rstest_reuse::template;
use time::Duration;
use warren_app::{
    App, Config, Inside, OpContext, Standing,
    devices::{self, Enrol, Enrolled, Key},
    gateways, installation, invitations,
    networks::{self, NetworkView},
    organisations, people,
    sessions::{Browser, CurrentSession},
};
use warren_auth::{Password, SecretToken, Subject};
use warren_model::{
    Clock, OrganisationSlug, PublicKey, Random, RequestId, Role, Timestamp, Tunnel,
    address::Prefixes,
    audit::Source,
    device::PresharedKeyUse,
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
};
use warren_runtime::SystemRandom;
use warren_testkit::ground::{Database, Ground};

pub const PASSWORD: &str = "a long and quiet river";

/// A clock that all but stands still until it is moved.
#[derive(Debug)]
pub struct HandClock(pub Mutex<Timestamp>);

impl HandClock {
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        // A microsecond passes with each look, so that what happens later is later.
        let mut now = self.0.lock().unwrap();
        *now += Duration::microseconds(1);
        *now
    }
}

/// A test on each kind of database.
#[template]
#[rstest]
#[case::sqlite(Database::Sqlite)]
#[case::mariadb(Database::MariaDb)]
#[case::postgresql(Database::PostgreSql)]
pub fn on_every_database(#[case] database: Database) {}

/// One installation.
pub struct Installation {
    pub app: App,
    pub clock: Arc<HandClock>,
    pub ground: Ground,
}

impl Installation {
    pub async fn new(database: Database) -> Self {
        let clock = Arc::new(HandClock(Mutex::new(time::macros::datetime!(2026-11-21 12:00 UTC))));
        Self::on(Ground::of(database).unwrap(), clock).await
    }

    /// Ends the process, in effect, and starts it again on the same data.
    pub async fn restart(self) -> Self {
        let Self { app, clock, ground } = self;
        app.close().await;
        Self::on(ground, clock).await
    }

    /// Starts on what stands on `ground`.
    pub async fn on(ground: Ground, clock: Arc<HandClock>) -> Self {
        let app = App::build(config(&ground), clock.clone(), Arc::new(SystemRandom)).await.unwrap();
        Self { app, clock, ground }
    }

    pub fn cx(&self, subject: Subject) -> OpContext {
        OpContext {
            app: self.app.clone(),
            subject,
            source: Source::Address("203.0.113.9".parse().unwrap()),
            request: RequestId::generate(self.clock.now(), &SystemRandom),
            idempotency: None,
        }
    }

    pub fn nobody(&self) -> OpContext {
        self.cx(Subject::LinkHolder)
    }

    pub fn local(&self) -> OpContext {
        self.cx(Subject::LocalOperator { user: "root".into() })
    }

    /// Sets the installation up: operator Anna, organisation `northwind`, and a gateway.
    pub async fn set_up(&self) -> CurrentSession {
        let link = installation::issue_set_up_link(&self.app).await.unwrap().unwrap().link;
        let input = installation::SetUp {
            token: token_of(&link),
            name: "Anna Berg".parse().unwrap(),
            email: "anna@example.org".parse().unwrap(),
            password: Password::to_set(PASSWORD.into()).unwrap(),
            organisation: organisations::Create {
                slug: "northwind".parse().unwrap(),
                name: "Northwind Ltd".parse().unwrap(),
            },
        };
        let signed_in = installation::set_up(&self.nobody(), input, Browser::default()).await.unwrap();
        let endpoint = "vpn.example.org".parse().unwrap();
        gateways::ensure_local(&self.local(), &"local".parse().unwrap(), &endpoint, 51820).await.unwrap();
        signed_in.session
    }

    /// Invites somebody into `slug` and accepts for them.
    pub async fn join(&self, slug: &str, name: &str, role: Role) -> CurrentSession {
        let cx = self.local();
        let inside = cx.enter(&slug.parse().unwrap()).await.unwrap();
        let email = format!("{}@example.org", name.to_lowercase()).parse().unwrap();
        let invite = people::Invite { name: name.parse().unwrap(), email, role };
        let invited = people::invite(&inside, invite).await.unwrap();
        let accepted =
            invitations::accept(&self.nobody(), token_of(&invited.link), PASSWORD.into(), Browser::default()).await;
        accepted.unwrap().session
    }

    pub async fn organisation(&self, slug: &str) {
        let create = organisations::Create { slug: slug.parse().unwrap(), name: slug.parse().unwrap() };
        organisations::create(&self.local(), create).await.unwrap();
    }
}

/// A control plane on `ground`, as its operator would set it.
pub fn config(ground: &Ground) -> Config {
    let config = Config::new(ground.folder().to_owned(), "https://vpn.example.org".into());
    match ground.database_url() {
        None => config,
        Some(url) => config.on(Standing::Server(url.parse().unwrap())),
    }
}

pub fn slug(text: &str) -> OrganisationSlug {
    text.parse().unwrap()
}

/// Work as a task of the runtime could do it, on whichever thread.
pub fn as_task<F: Future + Send>(work: F) -> F {
    work
}

/// The token behind the `#` of a link.
pub fn token_of(link: &str) -> SecretToken {
    SecretToken::parse(link.split_once('#').unwrap().1).unwrap()
}

pub fn public_key(seed: u8) -> PublicKey {
    PublicKey::from_bytes([seed; 32]).unwrap()
}

pub fn random_key() -> PublicKey {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes);
    PublicKey::from_bytes(bytes).unwrap()
}

pub fn settings(name: &str, ipv4: &str) -> NetworkSettings {
    NetworkSettings {
        name: name.parse().unwrap(),
        prefixes: Prefixes::new(Some(ipv4.parse().unwrap()), None).unwrap(),
        dns: Dns::default(),
        tunnel: Tunnel::split(vec![]).unwrap(),
        device_traffic: DeviceTraffic::Allowed,
        mtu: Mtu::default(),
        keepalive: Keepalive::default(),
    }
}

pub async fn network(inside: &Inside<'_>, name: &str, ipv4: &str) -> NetworkView {
    networks::create(inside, networks::Create { settings: settings(name, ipv4), gateway: None }).await.unwrap()
}

pub fn enrolment(network: &NetworkView, name: &str, key: PublicKey) -> Enrol {
    Enrol {
        name: name.parse().unwrap(),
        network: network.network.id,
        owner: None,
        key: Key::Device(key),
        preshared_key: PresharedKeyUse::Unused,
        expires_at: None,
    }
}

pub async fn device(inside: &Inside<'_>, network: &NetworkView, name: &str) -> Enrolled {
    devices::enrol(inside, enrolment(network, name, random_key())).await.unwrap()
}
