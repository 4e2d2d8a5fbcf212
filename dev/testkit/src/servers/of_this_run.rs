//! One server of each kind for all tests of a run, which are processes of their own.
//!
//! The first test that asks starts it; whoever uses it holds a lock that the kernel takes back when the process is gone;
//! and ten seconds after the last one it ends by itself and its folder is removed.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{ServerKind, Settings, address::Address, guardian, on_a_free_port, plan::Plan, wait_for_answer};

/// Where the tests of this workspace find each other. The data itself is in the system's temporary folder: a server's
/// user may not be let into the workspace.
const MEETING_PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-servers");
/// All tests of a run together, each with pools of its own.
const CONNECTIONS_MAX: u32 = 500;
/// Between the end of the last test that used it and the server's own end.
const IDLE_SECONDS_MAX: u32 = 10;

/// A server that other tests use too. It stays at least as long as the value.
#[derive(Debug)]
pub struct ServerOfThisRun {
    pub(super) warren: Address,
    /// Locked; none for a server that somebody else looks after.
    _users: Option<File>,
}

impl ServerOfThisRun {
    /// The URL of a database, which need not exist, for a user as of [`super::DatabaseServer::url`].
    pub fn url(&self, database: &str) -> String {
        self.warren.url(database)
    }
}

/// The server of this run. Where `WARREN_TEST_MARIADB_URL` or `WARREN_TEST_POSTGRES_URL` is set, it is the one that this
/// names (`mysql://user:password@host:port`), which nobody starts or ends.
///
/// # Errors
/// As [`super::DatabaseServer::start`].
pub fn of_this_run(kind: ServerKind) -> anyhow::Result<ServerOfThisRun> {
    let (variable, name) = match kind {
        ServerKind::MariaDb => ("WARREN_TEST_MARIADB_URL", "mariadb"),
        ServerKind::PostgreSql => ("WARREN_TEST_POSTGRES_URL", "postgres"),
    };
    #[expect(clippy::disallowed_methods, reason = "a test has no command line by which settings could arrive")]
    let given = std::env::var(variable);
    if let Ok(url) = given {
        return Ok(ServerOfThisRun { warren: Address::parse(kind, &url)?, _users: None });
    }
    meet(kind, &Path::new(MEETING_PLACE).join(name), IDLE_SECONDS_MAX)
}

/// Joins those who use the server that `place` tells of, or starts one and writes it there.
pub(super) fn meet(kind: ServerKind, place: &Path, idle_seconds_max: u32) -> anyhow::Result<ServerOfThisRun> {
    let folder = place.parent().context("a file without a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let starting = File::create(place.with_extension("starting")).context("cannot make a file to lock")?;
    starting.lock().context("cannot wait for another test that starts a server")?;
    if let Some(server) = join(kind, place) {
        return Ok(server);
    }
    let (server, folder) = on_a_free_port(|| start(kind, idle_seconds_max))?;
    let address = format!("{}\n{}\n", folder.display(), server.warren.without_database());
    fs::write(place, address).with_context(|| format!("cannot write {}", place.display()))?;
    Ok(server)
}

fn join(kind: ServerKind, place: &Path) -> Option<ServerOfThisRun> {
    let text = fs::read_to_string(place).ok()?;
    let (folder, url) = text.trim().split_once('\n')?;
    let users = File::open(Path::new(folder).join("users")).ok()?;
    users.lock_shared().ok()?;
    // Whoever ends the server removes the file first, while nobody holds it.
    if users.metadata().ok()?.nlink() == 0 {
        return None;
    }
    let warren = Address::parse(kind, url).ok()?;
    // One that was killed, or is left over from before a restart of the machine, does not answer.
    warren.ask("SELECT 1").ok()?;
    Some(ServerOfThisRun { warren, _users: Some(users) })
}

fn start(kind: ServerKind, idle_seconds_max: u32) -> anyhow::Result<(ServerOfThisRun, PathBuf)> {
    let settings = Settings { connections_max: CONNECTIONS_MAX, ..Settings::default() };
    let mut plan = Plan::empty(kind, &settings)?;
    let users = File::open(plan.write("users", "")?)?;
    users.lock_shared().context("cannot lock a file")?;
    guardian::detach(&mut plan.seat, idle_seconds_max)?;
    plan.make_data()?;
    plan.write("ready", "")?;
    let (warren, folder) = (plan.warren.clone(), plan.folder().to_owned());
    wait_for_answer(&warren, &folder)?;
    Ok((ServerOfThisRun { warren, _users: Some(users) }, folder))
}
