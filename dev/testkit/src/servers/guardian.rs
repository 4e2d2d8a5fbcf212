//! The small shell script that stands between a test and a server: it ends the server and removes its folder when the
//! test is gone, however the test went.
//!
//! A script rather than a destructor, as a killed test runs none; and rather than the kernel's signal at a parent's death
//! alone, as that comes at the end of the thread that started the server.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::seat::Seat;

const GUARDIAN: &str = include_str!("guardian.sh");
const WHILE_USED: &str = include_str!("while_used.sh");
const DETACHED: &str = include_str!("detached.sh");
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A guardian that lives as long as the value.
#[derive(Debug)]
pub struct Guardian {
    process: Child,
    folder: PathBuf,
}

impl Guardian {
    /// Begins to guard a folder in which nothing runs yet.
    ///
    /// # Errors
    /// When there is no shell.
    pub fn over(seat: &mut Seat) -> anyhow::Result<Self> {
        let script = seat.write("guardian.sh", GUARDIAN)?;
        let mut command = seat.user.command("sh");
        command.arg(script).args(seat.guarded()).stdin(Stdio::piped());
        // A group of its own: who kills the test's whole group leaves the guardian to clean up.
        command.process_group(0);
        let process = log_into(&mut command, seat.folder())?.spawn().context("cannot run sh")?;
        seat.leave_folder();
        Ok(Self { process, folder: seat.folder().to_owned() })
    }

    /// The folder with the server's data.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has the server started.
    ///
    /// # Errors
    /// When somebody killed the guardian.
    pub fn start(&self) -> anyhow::Result<()> {
        let mut orders = self.process.stdin.as_ref().context("the guardian takes no orders")?;
        orders.write_all(b"start\n").context("the server's guardian is gone")
    }

    /// Sends `signal` to the server and waits until it is gone with the processes that it started.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub fn end(&self, signal: Signal, limit: Duration) -> anyhow::Result<()> {
        let Some(server) = server_in(&self.folder) else { return Ok(()) };
        let workers = children_of(server);
        let _ = kill(server, signal);
        if signal == Signal::SIGKILL {
            for worker in &workers {
                let _ = kill(*worker, signal);
            }
        }
        let give_up_at = Instant::now() + limit;
        while runs(server) || workers.iter().any(|worker| runs(*worker)) {
            if Instant::now() > give_up_at {
                bail!("process {server} still runs {limit:?} after {signal}:\n{}", log_of(&self.folder));
            }
            thread::sleep(LOOK_EVERY);
        }
        fs::remove_file(self.folder.join("process")).context("cannot forget the process")
    }

    /// Sends `signal` to the server.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let server = server_in(&self.folder).context("the server was not started")?;
        kill(server, signal).with_context(|| format!("cannot send {signal}"))
    }

    #[cfg(test)]
    pub fn kill(&self) {
        let _ = kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGKILL);
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // The end of its input is the order to clean up.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Guards a folder beyond the end of this process: the server starts when there is a file `ready`, and runs until nobody
/// has held the lock of the file `users` for so many seconds. This process holds it now.
///
/// # Errors
/// When there is no shell.
pub fn detach(seat: &mut Seat, idle_seconds_max: u32) -> anyhow::Result<()> {
    seat.write("guardian.sh", GUARDIAN)?;
    seat.write("while_used.sh", WHILE_USED)?;
    let script = seat.write("detached.sh", DETACHED)?;
    let mut command = seat.user.command("setsid");
    command.args(["--fork", "sh"]).arg(script).arg(idle_seconds_max.to_string());
    command.args(seat.guarded()).stdin(Stdio::null());
    let status = log_into(&mut command, seat.folder())?.status().context("cannot run setsid")?;
    if !status.success() {
        bail!("setsid failed: {status}");
    }
    seat.leave_folder();
    Ok(())
}

/// Whether the server of this folder was started and has ended.
pub fn has_ended(folder: &Path) -> bool {
    server_in(folder).is_some_and(|server| !runs(server))
}

/// What the server of this folder has written so far.
pub fn log_of(folder: &Path) -> String {
    fs::read(folder.join("log")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Nothing of the test's own output stays open in what is started: nextest waits for that.
fn log_into<'a>(command: &'a mut Command, folder: &Path) -> anyhow::Result<&'a mut Command> {
    let log = File::options().create(true).append(true).open(folder.join("log")).context("cannot make the log")?;
    Ok(command.stdout(log.try_clone()?).stderr(log))
}

fn server_in(folder: &Path) -> Option<Pid> {
    let text = fs::read_to_string(folder.join("process")).ok()?;
    text.trim().parse().ok().map(Pid::from_raw)
}

/// Whether a process holds anything still. One that ended and was not waited for does not, once its last thread is gone.
fn runs(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let threads = fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count);
    let ended = stat.rsplit(')').next().is_some_and(|after| after.trim_start().starts_with('Z'));
    threads > 1 || (threads == 1 && !ended)
}

/// The processes that `parent` started: field 4 of proc_pid_stat(5), counted after the name's parenthesis.
fn children_of(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw));
    ids.filter(|id| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent_of = stat.rsplit(')').next().and_then(|after| after.split_whitespace().nth(1));
        parent_of == Some(parent.to_string().as_str())
    })
    .collect()
}
