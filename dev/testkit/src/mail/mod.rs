//! A real mail server, Debian's aiosmtpd, that keeps what it is given and fails as a test asks.
//!
//! ```no_run
//! # use warren_testkit::mail::{Behaviour, SinkOptions, SinkTls, SmtpSink};
//! # fn test() -> anyhow::Result<()> {
//! let mut sink = SmtpSink::start(SinkOptions { tls: SinkTls::StartTls, ..SinkOptions::default() })?;
//! println!("{}", sink.url()); // smtp://localhost:…?tls=required
//! sink.behave(&Behaviour { greylist: true, ..Behaviour::default() })?;
//! sink.stop()?;
//! sink.restart()?;
//! println!("{:?}", sink.mails()?);
//! # Ok(()) }
//! ```

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::{
    certificates::{Authority, ServerCertificate},
    servers::free_port,
};

const PROGRAM: &str = include_str!("sink.py");
/// The Python that Debian's packages are for, whatever else is first in the search path.
const PYTHON: &str = "/usr/bin/python3";
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often a start is tried when somebody else takes its port between the choice and the start.
const STARTS_MAX: u32 = 5;

/// How a client may encrypt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SinkTls {
    #[default]
    None,
    /// Nothing is taken before STARTTLS.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// What stays the same while the server lives.
#[derive(Debug, Clone, Default)]
pub struct SinkOptions {
    pub tls: SinkTls,
    /// User and password, without which nothing is taken.
    pub account: Option<(String, String)>,
    /// Takes addresses beyond ASCII (RFC 6531).
    pub smtputf8: bool,
}

/// How the server behaves from now on.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Behaviour {
    /// Replies by recipient, as `550 5.1.1 nobody of that name`.
    pub recipients: BTreeMap<String, String>,
    /// Replies by step, for everybody: `mail`, `rcpt` or `data`.
    pub replies: BTreeMap<String, String>,
    /// Turns each recipient away once, with 451.
    pub greylist: bool,
    /// The step that takes long, and how long.
    pub slow_step: Option<String>,
    pub slow_ms: u64,
}

/// A mail as the server took it, and as Python's reader of mail understands it.
#[derive(Debug, Clone, Deserialize)]
pub struct ReceivedMail {
    pub sender: String,
    pub recipients: Vec<String>,
    pub encrypted: bool,
    pub user: Option<String>,
    pub ehlo: String,
    /// The number of the connection that it came on.
    pub connection: u32,
    pub headers: Vec<(String, String)>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<ReceivedAttachment>,
    /// What the reader found wrong with the mail's form.
    pub defects: Vec<String>,
    raw_base64: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ReceivedAttachment {
    pub name: String,
    pub media_type: String,
    base64: String,
}

impl ReceivedMail {
    /// The values of a header, decoded; the name is compared without case.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The mail byte by byte.
    ///
    /// # Panics
    /// When the sink wrote something else than Base64.
    pub fn raw(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(&self.raw_base64).expect("the sink writes Base64")
    }
}

impl ReceivedAttachment {
    /// What is attached.
    ///
    /// # Panics
    /// When the sink wrote something else than Base64.
    pub fn bytes(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(&self.base64).expect("the sink writes Base64")
    }
}

/// A mail server of the test's own on 127.0.0.1, known as `localhost`. It ends with the value, and with the test's process
/// however that ends.
#[derive(Debug)]
pub struct SmtpSink {
    folder: TempDir,
    authority: Authority,
    certificate: ServerCertificate,
    options: SinkOptions,
    port: u16,
    process: Option<Child>,
}

impl SmtpSink {
    /// Starts one.
    ///
    /// # Errors
    /// When Debian's package is missing or the server does not start; the message holds what it wrote.
    pub fn start(options: SinkOptions) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("warren-smtp-").context("cannot make a folder")?;
        let authority = Authority::new()?;
        let certificate = authority.issue(&["localhost"])?;
        let mut sink = Self { folder, authority, certificate, options, port: 0, process: None };
        sink.behave(&Behaviour::default())?;
        let mut tries = 0;
        loop {
            tries += 1;
            sink.port = free_port()?;
            match sink.restart() {
                Err(error) if tries < STARTS_MAX && error.to_string().contains("address already in use") => {}
                started => return started.map(|()| sink),
            }
        }
    }

    /// The port, the same after each restart.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its URL as Warren is told it: with the user, without the password.
    pub fn url(&self) -> String {
        let user = self.options.account.as_ref().map(|(user, _)| format!("{user}@")).unwrap_or_default();
        let (scheme, query) = match self.options.tls {
            SinkTls::None => ("smtp", "?tls=none"),
            SinkTls::StartTls => ("smtp", "?tls=required"),
            SinkTls::Implicit => ("smtps", ""),
        };
        format!("{scheme}://{user}localhost:{}{query}", self.port)
    }

    /// The certificate of the authority that signed the server's.
    pub fn ca_file(&self) -> PathBuf {
        self.authority.ca_file()
    }

    /// Changes how it behaves, from the next step of whatever goes on.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn behave(&self, behaviour: &Behaviour) -> anyhow::Result<()> {
        let path = self.folder.path().join("behaviour.json");
        let new = path.with_extension("new");
        fs::write(&new, serde_json::to_string(behaviour)?)?;
        fs::rename(new, path).context("cannot tell the mail server how to behave")
    }

    /// Kills it. What it has kept stays.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let _ = process.kill();
        process.wait().map(drop).context("the mail server does not end")
    }

    /// Starts it again on the same port; one that runs is killed first.
    ///
    /// # Errors
    /// As [`SmtpSink::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop()?;
        let (user, password) = self.options.account.clone().unzip();
        let options = serde_json::json!({
            "port": self.port,
            "folder": self.folder.path(),
            "tls": self.options.tls,
            "certificate": self.certificate.certificate,
            "key": self.certificate.key,
            "user": user,
            "password": password,
            "smtputf8": self.options.smtputf8,
        });
        let mut command = Command::new(PYTHON);
        command.args(["-c", PROGRAM, &options.to_string()]);
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let process = self.process.insert(process.context("cannot run Debian's python3")?);
        let mut said = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut said)?;
        if said.trim() != "ready" {
            let mut complaint = String::new();
            process.stderr.take().context("no output")?.read_to_string(&mut complaint)?;
            bail!("the mail server does not start; `cargo xtask test` installs what is missing:\n{complaint}");
        }
        Ok(())
    }

    /// What it has taken so far, in order.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn mails(&self) -> anyhow::Result<Vec<ReceivedMail>> {
        let mut paths: Vec<PathBuf> = fs::read_dir(self.folder.path())?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "json") && !path.ends_with("behaviour.json"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Ok(serde_json::from_slice(&fs::read(path)?)?)).collect()
    }

    /// Waits until it has taken so many, and returns them.
    ///
    /// # Errors
    /// When they are fewer after `limit`.
    pub fn wait_for(&self, count: usize, limit: Duration) -> anyhow::Result<Vec<ReceivedMail>> {
        let give_up_at = Instant::now() + limit;
        loop {
            let mails = self.mails()?;
            if mails.len() >= count {
                return Ok(mails);
            }
            if Instant::now() > give_up_at {
                bail!("{} of {count} mails within {limit:?}", mails.len());
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}
