//! The gateway as a process: this executable, started again in a place.

use std::{
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use warren_gateway::{Config, Lifeline};

use crate::world::Place;

/// The argument by which this executable becomes a gateway.
pub const RUN_COMMAND: &str = "gateway-run";

/// `state server lifeline [ca-file=… | backend=… | host port …]`
pub fn config(arguments: &[String]) -> Config {
    let mut config = Config::new(arguments[0].clone().into(), arguments[1].parse().unwrap());
    if arguments[2] == "standard-input" {
        config.lifeline = Lifeline::StandardInput;
    }
    for argument in &arguments[3..] {
        match argument.split_once('=') {
            Some(("ca-file", path)) => config.ca_file = Some(path.into()),
            Some(("backend", backend)) => config.backend = backend.parse().unwrap(),
            _ => config.host_ports.push(argument.parse().unwrap()),
        }
    }
    config
}

/// A running gateway; killed on drop.
pub struct Process(Child);

impl Process {
    pub fn start(host: &Place, state: &Path, server: &str) -> Self {
        Self::start_with(host, state, server, "signals", Stdio::null(), &[])
    }

    pub fn start_with(host: &Place, state: &Path, server: &str, lifeline: &str, input: Stdio, more: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(RUN_COMMAND).arg(state).args([server, lifeline]).args(more).stdin(input);
        Self(host.spawn(&mut command))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The keeper's process.
    pub fn keeper(&self) -> u32 {
        let path = format!("/proc/{0}/task/{0}/children", self.id());
        wait_for("the keeper starts", || std::fs::read_to_string(&path).ok()?.split_whitespace().next()?.parse().ok())
    }

    /// The network's namespace that has an interface of this name, and what `ip` shows there; only the keeper holds it.
    pub fn place_with(&self, interface: &str) -> (Place, String) {
        let descriptors = format!("/proc/{}/fd", self.keeper());
        wait_for("a namespace with the interface", || {
            let paths = std::fs::read_dir(&descriptors).unwrap().map(|entry| entry.unwrap().path());
            paths
                .filter(|path| {
                    std::fs::read_link(path).is_ok_and(|target| target.to_string_lossy().starts_with("net:"))
                })
                .map(|path| {
                    let place = Place::open(&path);
                    let links = place.run("ip -d link show");
                    (place, links)
                })
                .find(|(_, links)| links.contains(&format!(": {interface}:")))
        })
    }

    pub fn let_go_of_input(&mut self) {
        drop(self.0.stdin.take());
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id().cast_signed()), signal).unwrap();
    }

    /// Waits for the end, at most `within`.
    pub fn ended(&mut self, within: Duration) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < within, "the gateway did not end within {within:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn stop(&mut self) {
        self.signal(Signal::SIGTERM);
        assert!(self.ended(Duration::from_secs(3)).success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until there is an answer, for at most ten seconds.
pub fn wait_for<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    wait_long_for(Duration::from_secs(10), what, ask)
}

pub fn wait_long_for<T>(within: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < within, "this did not come about: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
