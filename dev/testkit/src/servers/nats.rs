//! NATS from Debian's package, with JetStream: with an account for Warren that has the rights that its documentation asks for,
//! and with TLS.

use std::{
    fmt::Write,
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
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

const USER: &str = "nats";
const ENDING: &str = "KILL";
const HOST: &str = "127.0.0.1";
/// The rights that the book asks for.
const RIGHTS: &str = "publish: [\"warren.jobs.*\", \"$JS.API.STREAM.*.WARREN_JOBS\", \"$JS.API.CONSUMER.*.WARREN_JOBS.>\", \
                      \"$JS.API.CONSUMER.DURABLE.CREATE.WARREN_JOBS.>\", \"$JS.API.CONSUMER.MSG.NEXT.WARREN_JOBS.>\", \
                      \"$JS.ACK.WARREN_JOBS.>\"], subscribe: [\"_INBOX.>\"]";

/// What passes between a client and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatsWire {
    Plain,
    /// TLS with a certificate for 127.0.0.1 that [`NatsServer::ca_file`] vouches for.
    Tls,
}

/// A NATS server of the test's own. It ends with the value, and with the test's process however that ends.
#[derive(Debug)]
pub struct NatsServer {
    guardian: Guardian,
    port: u16,
    password: String,
    ca_file: Option<PathBuf>,
}

impl NatsServer {
    /// Starts an empty server.
    ///
    /// # Errors
    /// When Debian's package is missing or the server does not answer; the message holds its log.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(NatsWire::Plain)
    }

    /// Starts an empty server that speaks so.
    ///
    /// # Errors
    /// As [`NatsServer::start`].
    pub fn start_with(wire: NatsWire) -> anyhow::Result<Self> {
        let server = Self::make(wire)?;
        server.restart()?;
        Ok(server)
    }

    /// A server that is down and has a port, for tests that begin without it.
    ///
    /// # Errors
    /// When Debian's package is missing.
    pub fn down() -> anyhow::Result<Self> {
        Self::make(NatsWire::Plain)
    }

    fn make(wire: NatsWire) -> anyhow::Result<Self> {
        on_a_free_port(|| {
            let mut seat = Seat::of(USER, "warren-nats-", ENDING)?;
            let (port, password) = (free_port()?, word());
            let ca_file = match wire {
                NatsWire::Plain => None,
                NatsWire::Tls => Some(authority::certify(&seat, HOST)?),
            };
            let file = seat.write("nats.conf", &configuration(&seat, port, wire, &password)?)?;
            seat.command = vec!["nats-server".to_owned(), "--config".to_owned(), file.display().to_string()];
            let guardian = Guardian::over(&mut seat)?;
            Ok(Self { guardian, port, password, ca_file })
        })
    }

    /// The URL for the user `warren`, who may use what rings need and nothing else.
    pub fn url(&self) -> String {
        self.url_with(&self.password)
    }

    /// The URL for the user `warren` with another password.
    pub fn url_with(&self, password: &str) -> String {
        let scheme = if self.ca_file.is_some() { "tls" } else { "nats" };
        format!("{scheme}://warren:{password}@{HOST}:{}", self.port)
    }

    /// The password of the user `warren`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The certificate of the authority that the server's own was made by, in PEM; none without TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The port of 127.0.0.1 that it listens on, the same after each restart.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What the server has written to its log since the first start.
    pub fn log(&self) -> String {
        guardian::log_of(self.guardian.folder())
    }

    /// Kills it, as a failing machine would.
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

    /// Takes away what it stored, while it is down.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn lose_disk(&self) -> anyhow::Result<()> {
        match fs::remove_dir_all(self.guardian.folder().join(STORE)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("cannot remove the store"),
            _ => Ok(()),
        }
    }

    /// Starts it on its port, with what it stored; one that runs is stopped first.
    ///
    /// # Errors
    /// As [`NatsServer::stop`] and [`NatsServer::start`].
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
        while let Err(error) = greeting(self.port) {
            if guardian::has_ended(self.guardian.folder()) {
                bail!("NATS ended instead of starting:\n{}", self.log());
            }
            if Instant::now() > give_up_at {
                bail!("NATS does not answer within {START_WITHIN:?}: {error:#}\n{}", self.log());
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

/// Where it keeps streams, in its folder.
const STORE: &str = "jetstream";

/// The first line that the server says to everybody who connects.
fn greeting(port: u16) -> anyhow::Result<String> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_millis(500))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    if !line.starts_with("INFO ") {
        bail!("it says {line:?}");
    }
    Ok(line)
}

fn configuration(seat: &Seat, port: u16, wire: NatsWire, password: &str) -> anyhow::Result<String> {
    let folder = seat.folder().display();
    let mut text =
        format!("listen: \"{HOST}:{port}\"\njetstream {{ store_dir: \"{folder}/{STORE}\", max_mem: 16MB }}\n");
    if wire == NatsWire::Tls {
        writeln!(text, "tls {{ cert_file: \"{folder}/server.pem\", key_file: \"{folder}/server.key\" }}")?;
    }
    writeln!(
        text,
        "authorization {{ users: [{{ user: warren, password: \"{password}\", permissions: {{ {RIGHTS} }} }}] }}"
    )?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nats_is_killed_loses_its_disk_and_comes_back_on_its_port() {
        let server = NatsServer::start().unwrap();
        assert!(greeting(server.port()).unwrap().contains("\"jetstream\":true"));
        server.kill().unwrap();
        greeting(server.port()).unwrap_err();
        server.lose_disk().unwrap();
        server.restart().unwrap();
        server.pause().unwrap();
        // All of its threads have to notice.
        while greeting(server.port()).is_ok() {}
        server.resume().unwrap();
        greeting(server.port()).unwrap();
        let folder = server.guardian.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }

    #[test]
    fn one_that_is_down_starts_later_and_one_with_tls_says_so() {
        let server = NatsServer::down().unwrap();
        greeting(server.port()).unwrap_err();
        server.restart().unwrap();
        assert!(!greeting(server.port()).unwrap().contains("tls_required"));
        let secret = NatsServer::start_with(NatsWire::Tls).unwrap();
        assert!(greeting(secret.port()).unwrap().contains("\"tls_required\":true"));
        assert!(secret.url().starts_with("tls://") && secret.ca_file().unwrap().exists());
    }
}
