//! Redis from Debian's package: with an account for Warren that may do what its documentation asks for, and with TLS.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Instant,
};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;

use super::{
    LOOK_EVERY, START_WITHIN, STOP_WITHIN, authority,
    guardian::{self, Guardian},
    on_a_free_port,
    plan::{free_port, word},
    seat::Seat,
};

const USER: &str = "redis";
const ENDING: &str = "KILL";
const HOST: &str = "127.0.0.1";
/// The rights that the book asks for.
const RIGHTS: &str =
    "resetchannels resetkeys ~warren:* -@all +@read +@write +@scripting +@connection -@dangerous +info +time";

/// What passes between a client and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisWire {
    Plain,
    /// TLS with a certificate for 127.0.0.1 that [`RedisServer::ca_file`] vouches for, and nothing else.
    Tls,
}

/// How a Redis server is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSettings {
    pub wire: RedisWire,
    /// Further lines of its configuration: a name and a value each.
    pub further: Vec<(String, String)>,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self { wire: RedisWire::Plain, further: Vec::new() }
    }
}

/// A Redis server of the test's own, which keeps nothing on the disk unless told to. It ends with the value, and with the
/// test's process however that ends.
#[derive(Debug)]
pub struct RedisServer {
    guardian: Guardian,
    port: u16,
    admin_password: String,
    password: String,
    ca_file: Option<PathBuf>,
}

impl RedisServer {
    /// Starts an empty server.
    ///
    /// # Errors
    /// When Debian's package is missing or the server does not answer; the message holds its log.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&RedisSettings::default())
    }

    /// Starts an empty server with settings.
    ///
    /// # Errors
    /// As [`RedisServer::start`].
    pub fn start_with(settings: &RedisSettings) -> anyhow::Result<Self> {
        on_a_free_port(|| {
            let mut seat = Seat::of(USER, "warren-redis-", ENDING)?;
            let (port, admin_password, password) = (free_port()?, word(), word());
            let ca_file = match settings.wire {
                RedisWire::Plain => None,
                RedisWire::Tls => Some(authority::certify(&seat, HOST)?),
            };
            let text = configuration(&seat, port, settings, &admin_password, &password)?;
            let file = seat.write("redis.conf", &text)?;
            seat.command = vec!["/usr/bin/redis-server".to_owned(), file.display().to_string()];
            let guardian = Guardian::over(&mut seat)?;
            let server = Self { guardian, port, admin_password, password, ca_file };
            server.guardian.start()?;
            server.wait_for_answer()?;
            Ok(server)
        })
    }

    /// The URL for the user `warren`, who may use keys that begin with `warren:` and nothing that concerns the server.
    pub fn url(&self) -> String {
        self.url_with(&self.password)
    }

    /// The URL for the user `warren` with another password.
    pub fn url_with(&self, password: &str) -> String {
        let scheme = if self.ca_file.is_some() { "rediss" } else { "redis" };
        format!("{scheme}://warren:{password}@{HOST}:{}", self.port)
    }

    /// The certificate of the authority that the server's own was made by, in PEM; none without TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The port of 127.0.0.1 that it listens on, the same after each restart.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Runs one command as an administrator, through the server's own client, and returns what it answers.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub fn ask(&self, command: &[&str]) -> anyhow::Result<String> {
        let mut client = Command::new("redis-cli");
        client.args(["-h", HOST, "-p", &self.port.to_string(), "-e", "--raw", "--no-auth-warning"]);
        if let Some(file) = &self.ca_file {
            client.arg("--tls").arg("--cacert").arg(file);
        }
        client.env("REDISCLI_AUTH", &self.admin_password).args(command);
        let output = client.output().context("cannot run redis-cli; `cargo xtask test` installs it")?;
        let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        if !output.status.success() {
            bail!("Redis says: {said} {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(said)
    }

    /// What the server has written to its log since the first start.
    pub fn log(&self) -> String {
        guardian::log_of(self.guardian.folder())
    }

    /// Kills it, as a failing machine would. What it did not save is lost.
    ///
    /// # Errors
    /// When it is not gone in time.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.guardian.end(Signal::SIGKILL, STOP_WITHIN)
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// When it has not ended within 30 seconds.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.guardian.end(Signal::SIGTERM, STOP_WITHIN)
    }

    /// Starts it again on the same port, with what it saved; one that runs is stopped first.
    ///
    /// # Errors
    /// As [`RedisServer::stop`] and [`RedisServer::start`].
    pub fn restart(&self) -> anyhow::Result<()> {
        self.stop()?;
        self.guardian.start()?;
        self.wait_for_answer()
    }

    /// Makes it hang: connections stay, and nothing is answered.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.guardian.signal(Signal::SIGSTOP)
    }

    /// Has it go on, with all that it was asked meanwhile.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.guardian.signal(Signal::SIGCONT)
    }

    fn wait_for_answer(&self) -> anyhow::Result<()> {
        let give_up_at = Instant::now() + START_WITHIN;
        while let Err(error) = self.ask(&["PING"]) {
            let log = || guardian::log_of(self.guardian.folder());
            if guardian::has_ended(self.guardian.folder()) {
                bail!("Redis ended instead of starting:\n{}", log());
            }
            if Instant::now() > give_up_at {
                bail!("Redis does not answer within {START_WITHIN:?}: {error:#}\n{}", log());
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

fn configuration(
    seat: &Seat,
    port: u16,
    settings: &RedisSettings,
    admin_password: &str,
    password: &str,
) -> anyhow::Result<String> {
    let folder = seat.folder().display();
    let mut text = format!("bind {HOST}\ndir {folder}\nappendonly no\nsave \"\"\n");
    match settings.wire {
        RedisWire::Plain => writeln!(text, "port {port}")?,
        RedisWire::Tls => writeln!(
            text,
            "port 0\ntls-port {port}\ntls-cert-file {folder}/server.pem\ntls-key-file {folder}/server.key\n\
             tls-ca-cert-file {folder}/ca.pem\ntls-auth-clients no"
        )?,
    }
    writeln!(text, "user default on >{admin_password} ~* &* +@all")?;
    writeln!(text, "user warren on >{password} {RIGHTS}")?;
    for (name, value) in &settings.further {
        writeln!(text, "{name} {value}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_is_killed_stopped_paused_and_comes_back_on_its_port() {
        let server = RedisServer::start().unwrap();
        server.ask(&["SET", "warren:one", "1"]).unwrap();
        server.ask(&["SAVE"]).unwrap();
        server.ask(&["SET", "warren:two", "2"]).unwrap();
        server.kill().unwrap();
        server.ask(&["PING"]).unwrap_err();
        server.restart().unwrap();
        assert_eq!(server.ask(&["MGET", "warren:one", "warren:two"]).unwrap().trim_end(), "1", "what was saved");
        server.stop().unwrap();
        server.restart().unwrap();
        server.pause().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| server.ask(&["PING"]));
            thread::sleep(std::time::Duration::from_millis(100));
            assert!(!waiting.is_finished());
            server.resume().unwrap();
            assert_eq!(waiting.join().unwrap().unwrap(), "PONG");
        });
        let folder = server.guardian.folder().to_owned();
        server.pause().unwrap();
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn tls_and_the_rights_of_warren_hold() {
        for wire in [RedisWire::Plain, RedisWire::Tls] {
            let server = RedisServer::start_with(&RedisSettings { wire, ..RedisSettings::default() }).unwrap();
            let as_warren = |words: &[&str]| {
                let mut client = Command::new("redis-cli");
                if let Some(file) = server.ca_file() {
                    client.arg("--cacert").arg(file);
                }
                let output =
                    client.args(["--no-auth-warning", "-e", "-u", &server.url()]).args(words).output().unwrap();
                (
                    output.status.success(),
                    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
                )
            };
            assert!(as_warren(&["SET", "warren:one", "1"]).0);
            assert!(as_warren(&["INFO", "server"]).1.contains("run_id"));
            for refused in [&["SET", "other", "1"][..], &["FLUSHALL"], &["CONFIG", "GET", "dir"], &["SHUTDOWN"]] {
                let (done, said) = as_warren(refused);
                assert!(!done && said.contains("NOPERM"), "{refused:?}: {said}");
            }
        }
    }
}
