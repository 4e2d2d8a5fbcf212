//! The gateway's process: our child, or one that a start before this one left behind.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};
use warren_gateway::BackendChoice;
use warren_runtime::{
    lock::{FolderLock, LockError},
    telemetry::LogFormat,
};

use super::Origin;
use crate::Failure;

/// How long a gateway may take to end before it is killed.
pub const STOP_WITHIN: Duration = Duration::from_millis(2500);
/// How often an adopted gateway's lock is looked at; it is not our child, so its end is not told.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How a gateway is started.
#[derive(Debug, Clone)]
pub struct Start {
    pub folder: PathBuf,
    pub socket: PathBuf,
    pub log: String,
    pub log_format: LogFormat,
    pub backend: BackendChoice,
}

impl Start {
    /// Starts it, in a process group of its own: neither Ctrl-C nor the end of this process ends it.
    ///
    /// # Errors
    /// [`Failure::Start`]
    pub fn spawn(&self) -> Result<Process, Failure> {
        let mut server = std::ffi::OsString::from("unix:");
        server.push(&self.socket);
        // The program as it is now: after an update in place, /proc/self/exe would name a file that is gone.
        let child = Command::new(own_program()?)
            .args(["gateway", "run", "--log", &self.log, "--log-format", log_format_word(self.log_format), "--state"])
            .arg(&self.folder)
            .arg("--server")
            .arg(server)
            .arg("--backend")
            .arg(self.backend.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .kill_on_drop(false)
            .spawn()
            .map_err(|source| Failure::start("start the gateway", source))?;
        Ok(Process::Child(child))
    }
}

const fn log_format_word(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}

fn own_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|source| Failure::start("find the program's own file", source))
}

/// A gateway that runs.
#[derive(Debug)]
pub enum Process {
    Child(Child),
    Adopted { folder: PathBuf, pid: Pid },
}

impl Process {
    /// Takes over a gateway that works on the folder and is of this very program; ends one of another.
    pub async fn adopt(start: &Start) -> Option<Self> {
        let process = Self::Adopted { pid: holder(&start.folder)?, folder: start.folder.clone() };
        if process.is_this_program() {
            tracing::info!("a gateway still runs and is taken over");
            return Some(process);
        }
        tracing::info!("a gateway of another version still runs and is replaced");
        process.stop(STOP_WITHIN).await;
        None
    }

    pub const fn origin(&self) -> Origin {
        match self {
            Self::Child(_) => Origin::Started,
            Self::Adopted { .. } => Origin::Adopted,
        }
    }

    /// Waits until it has ended, and says how. May be dropped and called again.
    pub async fn ended(&mut self) -> String {
        match self {
            Self::Child(child) => how(child.wait().await),
            Self::Adopted { folder, pid } => {
                while holder(folder) == Some(*pid) {
                    sleep(LOOK_EVERY).await;
                }
                "an adopted process ended".into()
            }
        }
    }

    /// Asks it to end, and kills it when it does not within `within`.
    pub async fn stop(mut self, within: Duration) {
        let Some(pid) = self.pid() else { return };
        // It may have ended just now; then there is nobody to ask.
        let _ = kill(pid, Signal::SIGTERM);
        let asked = Instant::now();
        if tokio::time::timeout(within, self.ended()).await.is_ok() {
            tracing::info!(took_ms = asked.elapsed().as_millis(), "the gateway ended");
            return;
        }
        tracing::warn!("the gateway did not end when asked and is killed");
        if let Some(pid) = self.pid() {
            let _ = kill(pid, Signal::SIGKILL);
        }
        let _ = tokio::time::timeout(Duration::from_millis(500), self.ended()).await;
    }

    /// None once it has ended: the number may be another's by now.
    fn pid(&self) -> Option<Pid> {
        match self {
            Self::Child(child) => child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw),
            Self::Adopted { folder, pid } => holder(folder).filter(|holder| holder == pid),
        }
    }

    fn is_this_program(&self) -> bool {
        let file = |path: &str| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        let Some(pid) = self.pid() else { return false };
        file(&format!("/proc/{pid}/exe")).is_some_and(|theirs| file("/proc/self/exe") == Some(theirs))
    }
}

/// Who holds the gateway's folder.
fn holder(folder: &Path) -> Option<Pid> {
    match FolderLock::acquire(folder) {
        Err(LockError::Held { pid, .. }) => i32::try_from(pid).ok().filter(|pid| *pid > 0).map(Pid::from_raw),
        // Free, and freed again at once; or there is no such folder yet.
        Ok(_) | Err(LockError::Io { .. }) => None,
    }
}

fn how(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}
