//! A real `warren up` on a folder of its own: started, spoken with, stopped or killed, and started again.
//!
//! Dropping it ends it with its gateway, and fails the test when its log holds an error that nobody expected.

mod browser_session;
mod commands;
mod work;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

pub use browser_session::{Reply, Session};
pub use commands::{Outcome, binary};
pub use work::{FirstUse, PASSWORD, device_path};

use crate::namespaces::{Namespace, Process};

/// `warren up` promises to end within five seconds of being asked.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// A debug build on a busy machine.
const START_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// An installation, running or stopped.
#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
    /// The namespace that it runs in, by name; none for the test's own.
    namespace: Option<Namespaced>,
    /// What it is started through, as a program that takes rights away.
    through: Vec<OsString>,
    arguments: Vec<OsString>,
    process: Option<Process>,
    /// Log lines of processes that have ended.
    earlier_log: String,
    expected_errors: Vec<String>,
    portal: String,
}

/// How commands run in the namespace, and the file by which threads enter it.
#[derive(Debug, Clone)]
struct Namespaced {
    name: String,
    path: PathBuf,
}

impl Installation {
    /// Starts one on a free port of loopback, without a gateway.
    ///
    /// # Errors
    /// When it does not start; the message holds its log.
    pub fn start() -> anyhow::Result<Self> {
        Self::with(&["--no-gateway"])
    }

    /// Starts one on a free port of loopback with these further arguments.
    ///
    /// # Errors
    /// As [`Installation::start`].
    pub fn with(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::prepare(None, arguments)?.started()
    }

    /// Starts one in `namespace`, which outlives it, with these further arguments.
    ///
    /// # Errors
    /// As [`Installation::start`].
    pub fn inside(namespace: &Namespace, arguments: &[&str]) -> anyhow::Result<Self> {
        let namespaced = Namespaced { name: namespace.name().to_owned(), path: namespace.path() };
        Self::prepare(Some(namespaced), arguments)?.started()
    }

    /// Starts one as by a user without any of root's capabilities, with these further arguments. The test is root.
    ///
    /// # Errors
    /// As [`Installation::start`].
    pub fn without_rights(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut installation = Self::prepare(None, arguments)?;
        installation.through = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"].map(OsString::from).into();
        installation.started()
    }

    fn prepare(namespace: Option<Namespaced>, arguments: &[&str]) -> anyhow::Result<Self> {
        Ok(Self {
            folder: TempDir::with_prefix("warren-").context("cannot make a folder")?,
            namespace,
            through: Vec::new(),
            arguments: with_a_port(arguments),
            process: None,
            earlier_log: String::new(),
            expected_errors: Vec::new(),
            portal: String::new(),
        })
    }

    fn started(mut self) -> anyhow::Result<Self> {
        self.start_again()?;
        Ok(self)
    }

    /// Gives it other further arguments, from its next start on.
    pub fn change_arguments(&mut self, arguments: &[&str]) {
        self.arguments = with_a_port(arguments);
    }

    /// Starts it on the same data.
    ///
    /// # Errors
    /// As [`Installation::start`].
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.process.is_none(), "it runs already");
        let mut command = self.command();
        command.arg("up").arg("--data").arg(self.data()).args(["--log-format", "json"]).args(&self.arguments);
        let mut process = Process::start(command)?;
        process.wait_for("\n  Data ", START_WITHIN).context("`warren up` did not start")?;
        self.portal = said(&process.log(), "Portal").context("`warren up` named no portal")?;
        self.process = Some(process);
        Ok(())
    }

    /// The folder of the data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where the portal is: `http://127.0.0.1:4711`.
    pub fn portal(&self) -> &str {
        &self.portal
    }

    /// What the latest start printed behind `title`, as `Begin at` or `Gateway`.
    pub fn said(&self, title: &str) -> Option<String> {
        said(&self.process.as_ref()?.log(), title)
    }

    /// The one-time set-up link that the latest start printed.
    ///
    /// # Errors
    /// When it printed none, because the installation is set up.
    pub fn set_up_link(&self) -> anyhow::Result<String> {
        self.said("Begin at").context("`warren up` printed no set-up link")
    }

    /// Everything that it wrote, from the first start on.
    pub fn log(&self) -> String {
        let now = self.process.as_ref().map(Process::log).unwrap_or_default();
        format!("{}{now}", self.earlier_log)
    }

    /// The id of the control plane's process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn id(&self) -> anyhow::Result<u32> {
        Ok(self.process.as_ref().context("it does not run")?.id())
    }

    /// The id of the local gateway's process, as its lock file has it.
    pub fn gateway_id(&self) -> Option<i32> {
        fs::read_to_string(self.data().join("gateway/lock")).ok()?.trim().parse().ok()
    }

    /// Error lines that hold `text` are what the test is about.
    pub fn expect_error(&mut self, text: &str) {
        self.expected_errors.push(text.to_owned());
    }

    /// Asks it to end as systemd does, and returns how long that took.
    ///
    /// # Errors
    /// When it takes longer than five seconds, or ends with a failure.
    pub fn stop(&mut self) -> anyhow::Result<Duration> {
        let mut process = self.process.take().context("it does not run")?;
        let asked = Instant::now();
        process.signal(Signal::SIGTERM)?;
        let ended = process.wait(STOP_WITHIN);
        self.earlier_log.push_str(&process.log());
        let status = ended.context("SIGTERM")?;
        anyhow::ensure!(status.success(), "it ended with {status}:\n{}", self.earlier_log);
        Ok(asked.elapsed())
    }

    /// Kills it (SIGKILL). Its gateway lives on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("it does not run")?;
        process.signal(Signal::SIGKILL)?;
        process.wait(STOP_WITHIN)?;
        self.earlier_log.push_str(&process.log());
        Ok(())
    }

    /// A command of the program, where the installation runs.
    pub fn command(&self) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(namespace) = &self.namespace {
            words.extend(["ip", "netns", "exec", &namespace.name].map(OsString::from));
        }
        words.extend(self.through.iter().cloned());
        words.push(binary().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    fn unexpected_errors(&self) -> Vec<String> {
        let log = self.log();
        let errors = log.lines().filter(|line| line.contains(r#""level":"ERROR""#));
        let is_expected = |line: &str| self.expected_errors.iter().any(|text| line.contains(text));
        errors.filter(|line| !is_expected(line)).map(str::to_owned).collect()
    }

    /// Ends whatever still runs, the gateway included.
    fn end(&mut self) {
        if self.process.is_some() && self.stop().is_ok() {
            return;
        }
        // Only a gateway that still holds its folder is ours: the number may be another's by now.
        while let Some(id) = self.gateway_id().filter(|id| is_program_of(*id, &self.data())) {
            let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Installation {
    #[expect(clippy::print_stderr, reason = "a failing test shows what the installation logged")]
    fn drop(&mut self) {
        self.end();
        let errors = self.unexpected_errors();
        if thread::panicking() {
            eprintln!("the installation's log:\n{}", self.log());
        } else if !errors.is_empty() {
            panic!("the log holds errors that the test did not expect:\n{}", errors.join("\n"));
        }
    }
}

/// The arguments, with a free port of loopback where they say nothing else.
fn with_a_port(arguments: &[&str]) -> Vec<OsString> {
    let mut all: Vec<OsString> = arguments.iter().map(Into::into).collect();
    if !arguments.contains(&"--listen") {
        all.extend(["--listen", "127.0.0.1:0"].map(OsString::from));
    }
    all
}

fn said(log: &str, title: &str) -> Option<String> {
    let line = log.lines().rev().find_map(|line| line.strip_prefix("  ")?.strip_prefix(title)?.strip_prefix(' '))?;
    Some(line.trim().to_owned())
}

/// Whether the process was started on `data`.
fn is_program_of(id: i32, data: &Path) -> bool {
    let Ok(line) = fs::read(format!("/proc/{id}/cmdline")) else { return false };
    String::from_utf8_lossy(&line).contains(&*data.to_string_lossy())
}

/// Waits until `is_so` gives something.
///
/// # Errors
/// When `limit` is over; the message holds `what`.
pub fn wait_until<T>(what: &str, limit: Duration, mut is_so: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let give_up_at = Instant::now() + limit;
    loop {
        if let Some(found) = is_so() {
            return Ok(found);
        }
        if Instant::now() > give_up_at {
            bail!("{what}: not within {limit:?}");
        }
        thread::sleep(LOOK_EVERY);
    }
}
