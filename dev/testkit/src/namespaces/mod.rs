//! Network namespaces as the hosts of a test: made with names of their own, wired by veth pairs, removed with what runs
//! in them when the value is dropped, also by a panic. What a killed test left is swept by the next one.
//!
//! Needs root and Debian's iproute2.

mod leftover;
mod process;
mod site;

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

pub use process::Process;
pub use site::Site;

/// Where iproute2 keeps the names.
const FOLDER: &str = "/run/netns";
/// How long [`Namespace::run`] waits for a program, in seconds.
const RUN_SECONDS_MAX: &str = "60";
const EMPTY_WITHIN: Duration = Duration::from_secs(5);

/// A network namespace: a host without a disk of its own.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace whose name holds `label` and this process, and brings its loopback up.
    ///
    /// # Errors
    /// Without root's rights or iproute2; the message says which.
    pub fn create(label: &str) -> anyhow::Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            bail!("network namespaces need root: run the tests as root");
        }
        leftover::sweep()?;
        let stem = leftover::stem_of_this_process()?;
        for number in 1..=u16::MAX {
            let name = format!("{stem}{label}-{number}");
            if Path::new(FOLDER).join(&name).exists() {
                continue;
            }
            match ip(&["netns", "add", &name]) {
                Ok(_) => {
                    let namespace = Self { name };
                    namespace.run("ip link set lo up")?;
                    return Ok(namespace);
                }
                // Another thread of this test took the name.
                Err(_) if Path::new(FOLDER).join(&name).exists() => {}
                Err(error) => return Err(error),
            }
        }
        bail!("no name is free for another namespace {label}")
    }

    /// The name by which `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A file that holds the namespace, for setns(2).
    pub fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(&self.name)
    }

    /// A command that will run in the namespace.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs a program to its end, at most 60 seconds, and returns what it wrote. `line` is split at blanks.
    ///
    /// # Errors
    /// When it fails; the message holds what it wrote.
    pub fn run(&self, line: &str) -> anyhow::Result<String> {
        let mut command = self.command("timeout");
        command.args(["--kill-after=1", RUN_SECONDS_MAX]).args(line.split_whitespace());
        finish(&mut command).with_context(|| format!("in namespace {}: {line}", self.name))
    }

    /// Starts a program that ends with the returned value. `line` is split at blanks.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, line: &str) -> anyhow::Result<Process> {
        let mut words = line.split_whitespace();
        let mut command = self.command(words.next().context("no program is named")?);
        command.args(words);
        Process::start(command)
    }

    /// Does `work` on a thread inside of the namespace. Sockets that it opens stay there, wherever they are used.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        let file = File::open(self.path()).with_context(|| format!("cannot open {}", self.path().display()))?;
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                setns(file, CloneFlags::CLONE_NEWNET).context("cannot enter the namespace")?;
                Ok(work())
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Lays a wire: `interface` here and `other_interface` there, both up, without addresses.
    ///
    /// # Errors
    /// When a name is taken or longer than 15 bytes.
    pub fn connect(&self, interface: &str, other: &Self, other_interface: &str) -> anyhow::Result<()> {
        let (here, there) = (self.name(), other.name());
        let ends = ["type", "veth", "peer", "name", other_interface, "netns", there];
        ip(&[&["link", "add", interface, "netns", here], ends.as_slice()].concat())?;
        self.run(&format!("ip link set {interface} up"))?;
        other.run(&format!("ip link set {other_interface} up"))?;
        Ok(())
    }

    /// Gives `interface` an address with its prefix length, usable at once (no duplicate address detection).
    ///
    /// # Errors
    /// When there is no such interface.
    pub fn add_address(&self, interface: &str, address: &str) -> anyhow::Result<()> {
        let detection = if address.contains(':') { " nodad" } else { "" };
        self.run(&format!("ip address add {address} dev {interface}{detection}"))?;
        Ok(())
    }

    /// Sends what goes to `prefix` by way of `gateway`.
    ///
    /// # Errors
    /// When the gateway is on no link of this namespace.
    pub fn add_route(&self, prefix: &str, gateway: &str) -> anyhow::Result<()> {
        self.run(&format!("ip route add {prefix} via {gateway}"))?;
        Ok(())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Kills what runs in the namespace, and removes it.
fn remove(name: &str) {
    let give_up_at = Instant::now() + EMPTY_WITHIN;
    while let Ok(processes) = ip(&["netns", "pids", name]) {
        if processes.trim().is_empty() || Instant::now() > give_up_at {
            break;
        }
        for process in processes.lines().filter_map(|line| line.trim().parse().ok()) {
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = ip(&["netns", "delete", name]);
}

fn ip(arguments: &[&str]) -> anyhow::Result<String> {
    finish(Command::new("ip").args(arguments)).with_context(|| format!("ip {}", arguments.join(" ")))
}

fn finish(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("cannot run ip (Debian's iproute2; `cargo xtask test` installs it)")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!("{}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
