//! One start, from fork to the first answer.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use warren_testkit::{installation::binary, namespaces::Namespace};

/// Nobody else is in the namespace, so that the port is free.
const ADDRESS: &str = "127.0.0.1:8080";
const START_WITHIN: Duration = Duration::from_secs(10);
const STOP_WITHIN: Duration = Duration::from_secs(5);
const ASK_EVERY: Duration = Duration::from_micros(250);

/// A running `warren up`; ended on drop.
#[derive(Debug)]
pub struct Program {
    child: std::process::Child,
    /// From fork to the answer.
    pub took: Duration,
}

impl Program {
    /// Starts it on `data`, with its gateway, and waits until it answers.
    ///
    /// # Errors
    /// When it does not within ten seconds.
    pub fn start(namespace: &Namespace, data: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(binary());
        command.arg("up").arg("--data").arg(data).args(["--listen", ADDRESS, "--gateway-endpoint", "127.0.0.1"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A child belongs to the namespace of the thread that starts it.
        namespace.enter(move || {
            let begin = Instant::now();
            let child = command.spawn().context("start warren")?;
            let mut program = Self { child, took: Duration::ZERO };
            while !is_healthy() {
                ensure!(begin.elapsed() < START_WITHIN, "warren did not answer within {START_WITHIN:?}");
                if let Some(status) = program.child.try_wait()? {
                    bail!("warren ended with {status}");
                }
                sleep(ASK_EVERY);
            }
            program.took = begin.elapsed();
            Ok(program)
        })?
    }

    /// Ends it as systemd does, and waits until it has ended.
    ///
    /// # Errors
    /// When it takes longer than five seconds or fails.
    pub fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.child.id().try_into()?), Signal::SIGTERM)?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "warren ended with {status}");
                return Ok(());
            }
            ensure!(asked.elapsed() < STOP_WITHIN, "warren did not end within {STOP_WITHIN:?}");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_healthy() -> bool {
    let ask = || {
        let address: SocketAddr = ADDRESS.parse().map_err(std::io::Error::other)?;
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: warren\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}
