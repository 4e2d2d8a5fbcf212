//! Servers from Debian's packages: MariaDB, PostgreSQL, Redis and NATS, each with a folder and a port of its own.
//!
//! A test that breaks its server starts one, and so does one that needs Redis or NATS; every other test takes [`FreshDatabases`] on
//! the one of its run.
//!
//! ```no_run
//! # use warren_testkit::servers::{DatabaseServer, FreshDatabases, RedisServer, ServerKind};
//! # fn test() -> anyhow::Result<()> {
//! let databases = FreshDatabases::of_this_run(ServerKind::PostgreSql)?;
//! println!("{}", databases.url()); // postgres://warren:…@127.0.0.1:…/warren_t…
//!
//! let primary = DatabaseServer::start(ServerKind::MariaDb)?;
//! let replica = primary.start_replica()?;
//! replica.pause_replay()?;
//! primary.kill()?;
//! primary.restart()?;
//!
//! let redis = RedisServer::start()?;
//! redis.pause()?;
//! redis.resume()?;
//! # Ok(()) }
//! ```

mod address;
mod authority;
mod fresh;
mod guardian;
mod mariadb;
mod nats;
mod of_this_run;
mod plan;
mod postgres;
mod redis;
mod replica;
mod seat;
mod unprivileged;

use std::{
    fmt,
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;

use address::Address;
pub use fresh::FreshDatabases;
use guardian::Guardian;
pub use nats::{NatsServer, NatsWire};
pub use of_this_run::{ServerOfThisRun, of_this_run};
use plan::Plan;
pub(crate) use plan::free_port;
pub use redis::{RedisServer, RedisSettings, RedisWire};

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often a start is tried when somebody else takes its port between the choice and the start.
const STARTS_MAX: u32 = 5;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    MariaDb,
    PostgreSql,
}

impl ServerKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::MariaDb, Self::PostgreSql];

    const fn scheme(self) -> &'static str {
        match self {
            Self::MariaDb => "mysql",
            Self::PostgreSql => "postgres",
        }
    }
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::PostgreSql => "PostgreSQL",
        })
    }
}

/// What of a commit is on the disk when it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It is with the kernel: it outlives a killed server, and not a power failure.
    Fast,
    /// What the server does by itself.
    Real,
}

/// How a server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub durability: Durability,
    pub connections_max: u32,
    /// Further settings of the server, by the names it gives them.
    pub further: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { durability: Durability::Fast, connections_max: 150, further: Vec::new() }
    }
}

/// A server of the test's own. It ends with the value, and with the test's process however that ends.
#[derive(Debug)]
pub struct DatabaseServer {
    guardian: Guardian,
    admin: Address,
    warren: Address,
    settings: Settings,
}

impl DatabaseServer {
    /// Starts an empty server that is fast rather than durable.
    ///
    /// # Errors
    /// When Debian's package is missing or the server does not answer; the message holds its log.
    pub fn start(kind: ServerKind) -> anyhow::Result<Self> {
        Self::start_with(kind, &Settings::default())
    }

    /// Starts an empty server.
    ///
    /// # Errors
    /// As [`DatabaseServer::start`].
    pub fn start_with(kind: ServerKind, settings: &Settings) -> anyhow::Result<Self> {
        Self::started(settings, || Plan::empty(kind, settings))
    }

    fn started(settings: &Settings, plan: impl Fn() -> anyhow::Result<Plan>) -> anyhow::Result<Self> {
        on_a_free_port(|| {
            let mut plan = plan()?;
            let guardian = Guardian::over(&mut plan.seat)?;
            plan.make_data()?;
            let server = Self { guardian, admin: plan.admin, warren: plan.warren, settings: settings.clone() };
            server.guardian.start()?;
            wait_for_answer(&server.warren, server.guardian.folder())?;
            Ok(server)
        })
    }

    /// Which server it is.
    pub const fn kind(&self) -> ServerKind {
        self.admin.kind
    }

    /// The URL of a database, which need not exist, for the user `warren`. This one may create databases, on MariaDB those
    /// whose names begin with `warren`, and see what the server does; it may not do what only a superuser may.
    pub fn url(&self, database: &str) -> String {
        self.warren.url(database)
    }

    /// The URL of the server's own database for its superuser.
    pub fn admin_url(&self) -> String {
        self.admin.url(match self.kind() {
            ServerKind::MariaDb => "mysql",
            ServerKind::PostgreSql => "postgres",
        })
    }

    /// The port of 127.0.0.1 that it listens on, the same after each restart.
    pub const fn port(&self) -> u16 {
        self.admin.port
    }

    /// Runs statements as the superuser, through the server's own client, and returns their rows: a row a line, columns
    /// apart by tabs.
    ///
    /// # Errors
    /// When the server does not answer or refuses one.
    pub fn ask(&self, statements: &str) -> anyhow::Result<String> {
        self.admin.ask(statements)
    }

    /// What the server has written to its log since the first start.
    pub fn log(&self) -> String {
        guardian::log_of(self.guardian.folder())
    }

    /// Kills it with everything that it runs, as a failing machine would.
    ///
    /// # Errors
    /// When it is not gone in time.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.guardian.end(Signal::SIGKILL, STOP_WITHIN)?;
        if self.kind() == ServerKind::PostgreSql {
            postgres::forget_memory(self.guardian.folder());
        }
        Ok(())
    }

    /// Ends it in order; open connections are closed.
    ///
    /// # Errors
    /// When it has not ended within 30 seconds.
    pub fn stop(&self) -> anyhow::Result<()> {
        let signal = match self.kind() {
            ServerKind::MariaDb => Signal::SIGTERM,
            // Its fast shutdown; the one of SIGTERM waits for clients to go.
            ServerKind::PostgreSql => Signal::SIGINT,
        };
        self.guardian.end(signal, STOP_WITHIN)
    }

    /// Starts it again on the same port and data, after it was killed or stopped; one that runs is stopped first.
    ///
    /// # Errors
    /// As [`DatabaseServer::stop`] and [`DatabaseServer::start`].
    pub fn restart(&self) -> anyhow::Result<()> {
        self.stop()?;
        self.guardian.start()?;
        wait_for_answer(&self.warren, self.guardian.folder())
    }
}

/// Starts on another port when somebody was quicker.
fn on_a_free_port<T>(start: impl Fn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut tries = 0;
    loop {
        tries += 1;
        match start() {
            Err(error) if tries < STARTS_MAX && error.to_string().contains("Address already in use") => {}
            result => return result,
        }
    }
}

/// Waits until a server lets `address` in.
fn wait_for_answer(address: &Address, folder: &Path) -> anyhow::Result<()> {
    let give_up_at = Instant::now() + START_WITHIN;
    let socket: SocketAddr = format!("{}:{}", address.host, address.port).parse().context("no address of loopback")?;
    loop {
        if TcpStream::connect_timeout(&socket, LOOK_EVERY).is_ok() && address.ask("SELECT 1").is_ok() {
            return Ok(());
        }
        if guardian::has_ended(folder) {
            bail!("{} ended instead of starting:\n{}", address.kind, guardian::log_of(folder));
        }
        if Instant::now() > give_up_at {
            bail!("{} does not answer within {START_WITHIN:?}:\n{}", address.kind, guardian::log_of(folder));
        }
        thread::sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests;
