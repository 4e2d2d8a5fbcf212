//! What it takes to start a server: a folder, accounts, a port, a command line, and the making of its data.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::{ServerKind, Settings, address::Address, mariadb, postgres, seat::Seat};

/// Ports below those that Linux lends to outgoing connections (32768 and up), so that none of these takes a server's port
/// while the server is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const PORTS_TRIED_MAX: u32 = 100;

/// What it takes to start a database server.
#[derive(Debug)]
pub struct Plan {
    pub seat: Seat,
    /// As its superuser.
    pub admin: Address,
    /// As the user that Warren is to be.
    pub warren: Address,
    /// The server that it is to follow.
    primary: Option<Address>,
}

impl Plan {
    /// A server without a database of anybody's.
    ///
    /// # Errors
    /// When this is root and the server's user is missing, or no port is free.
    pub fn empty(kind: ServerKind, settings: &Settings) -> anyhow::Result<Self> {
        let address = |user: &str| Address {
            kind,
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: 0,
            user: user.to_owned(),
            password: word(),
        };
        let admin = address(match kind {
            ServerKind::MariaDb => mariadb::ADMIN,
            ServerKind::PostgreSql => postgres::ADMIN,
        });
        Self::with_accounts(admin, address("warren"), settings)
    }

    /// A server that follows another one, with its accounts.
    ///
    /// # Errors
    /// As [`Plan::empty`].
    pub fn replica(primary: &Address, warren: &Address, settings: &Settings) -> anyhow::Result<Self> {
        let mut plan = Self::with_accounts(primary.clone(), warren.clone(), settings)?;
        plan.primary = Some(primary.clone());
        if primary.kind == ServerKind::MariaDb {
            plan.seat.command.push(mariadb::READ_ONLY.to_owned());
        }
        Ok(plan)
    }

    fn with_accounts(mut admin: Address, mut warren: Address, settings: &Settings) -> anyhow::Result<Self> {
        let kind = admin.kind;
        let (user, prefix, ending) = match kind {
            ServerKind::MariaDb => (mariadb::USER, "warren-mariadb-", mariadb::ENDING),
            ServerKind::PostgreSql => (postgres::USER, "warren-postgres-", postgres::ENDING),
        };
        let mut seat = Seat::of(user, prefix, ending)?;
        let port = free_port()?;
        (admin.port, warren.port) = (port, port);
        seat.command = match kind {
            ServerKind::MariaDb => mariadb::command_line(seat.folder(), port, settings),
            ServerKind::PostgreSql => postgres::command_line(seat.folder(), port, settings),
        };
        Ok(Self { seat, admin, warren, primary: None })
    }

    /// The folder that holds the data and everything else of the server.
    pub fn folder(&self) -> &Path {
        self.seat.folder()
    }

    /// Makes the data.
    ///
    /// # Errors
    /// When the server's programs are missing or fail, or the primary does not answer.
    pub fn make_data(&self) -> anyhow::Result<()> {
        match (self.admin.kind, &self.primary) {
            (ServerKind::MariaDb, _) => mariadb::initialise(self),
            (ServerKind::PostgreSql, None) => postgres::initialise(self),
            (ServerKind::PostgreSql, Some(primary)) => postgres::copy(self, primary),
        }
    }

    /// A program that makes the data. It holds a lock of the folder, on which the guardian waits: removed while it works,
    /// PostgreSQL's would leave memory of the system's behind.
    pub fn maker(&self, program: &str) -> Command {
        let mut command = self.seat.user.command("flock");
        command.arg("--shared").arg(self.folder()).arg(program);
        // A group of its own: when the test is killed with its whole group, it ends by itself.
        command.process_group(0);
        command
    }

    /// As [`Seat::write`].
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        self.seat.write(name, text)
    }
}

/// Runs a program to its end.
///
/// # Errors
/// When it is missing or fails; the message holds what it wrote.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().context("cannot run flock (Debian's util-linux)")?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        bail!("{command:?} failed; `cargo xtask test` installs what is missing:\n{said}");
    }
    Ok(())
}

/// Sixteen letters and digits that nobody guesses or has used before.
pub fn word() -> String {
    format!("{:016x}", random())
}

/// A port of loopback that nobody listens on now.
///
/// # Errors
/// When none is found in a hundred tries.
/// A port of loopback that nobody has.
///
/// # Errors
/// When none is free.
pub fn free_port() -> anyhow::Result<u16> {
    for _ in 0..PORTS_TRIED_MAX {
        let step = random() % u64::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(step)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port of loopback is free among {PORTS:?}")
}

/// The standard library seeds every one of these anew from the kernel.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
