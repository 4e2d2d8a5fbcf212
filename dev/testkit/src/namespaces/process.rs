//! A program in the background that ends with the value, and what it wrote.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::NamedTempFile;

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running program.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: NamedTempFile,
}

impl Process {
    /// Starts `command` with its output and errors kept in one log.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let log = NamedTempFile::new().context("cannot make a file for the program's log")?;
        // One open file, so that both write behind one another; two would write over each other.
        let output = log.reopen()?;
        let errors = output.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, log })
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        fs::read(self.log.path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id()).context("no process id")?;
        kill(Pid::from_raw(id), signal).with_context(|| format!("cannot send {signal}"))
    }

    /// Waits until the log holds `text`.
    ///
    /// # Errors
    /// When the program ends before, or `limit` is over; the message holds the log.
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> anyhow::Result<()> {
        let give_up_at = Instant::now() + limit;
        loop {
            let ended = self.child.try_wait()?;
            if self.log().contains(text) {
                return Ok(());
            }
            if let Some(status) = ended {
                bail!("it ended ({status}) without {text:?}:\n{}", self.log());
            }
            if Instant::now() > give_up_at {
                bail!("no {text:?} within {limit:?}:\n{}", self.log());
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// When `limit` is over; the message holds the log.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let give_up_at = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > give_up_at {
                bail!("it still runs after {limit:?}:\n{}", self.log());
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Ends it as Ctrl-C does and returns what it wrote; for programs that sum up at their end, as ping does.
    ///
    /// # Errors
    /// When it does not end within `limit`, or fails for another reason than the signal.
    pub fn interrupt(mut self, limit: Duration) -> anyhow::Result<String> {
        self.signal(Signal::SIGINT)?;
        let status = self.wait(limit)?;
        if !status.success() && status.signal() != Some(Signal::SIGINT as i32) {
            bail!("{status}:\n{}", self.log());
        }
        Ok(self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
