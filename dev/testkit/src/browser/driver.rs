//! ChromeDriver on a port of its own choosing, and the Chromium that it starts on a fresh profile.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use fantoccini::wd::Capabilities;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::json;
use tempfile::TempDir;

const START_WITHIN: Duration = Duration::from_secs(30);
const END_WITHIN: Duration = Duration::from_secs(5);

/// The driver's process and the profile of its browser; both end with the value.
#[derive(Debug)]
pub struct Driver {
    process: Child,
    address: String,
    profile: TempDir,
}

impl Driver {
    /// Starts ChromeDriver and learns its port.
    ///
    /// # Errors
    /// When it is missing or says nothing within 30 seconds.
    pub fn start() -> anyhow::Result<Self> {
        let profile = tempfile::Builder::new().prefix("warren-browser-").tempdir()?;
        // `setpriv` has the kernel end the driver when the test is killed and no destructor runs.
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "chromedriver", "--port=0"])
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run setpriv (Debian's util-linux)")?;
        let output = process.stdout.take().context("the driver has no output")?;
        let (port, said) = mpsc::channel();
        thread::spawn(move || {
            // Reads on to the end, or the driver would block on a full pipe.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(found) = port_in(&line) {
                    let _ = port.send(found);
                }
            }
        });
        let mut driver = Self { process, address: String::new(), profile };
        let Ok(port) = said.recv_timeout(START_WITHIN) else {
            bail!("chromedriver does not start; `cargo xtask test` installs Debian's chromium-driver");
        };
        driver.address = format!("http://127.0.0.1:{port}");
        Ok(driver)
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The folder of the browser's profile.
    #[cfg(test)]
    pub fn profile(&self) -> &std::path::Path {
        self.profile.path()
    }

    /// What the session asks for: no window, no sandbox (tests run as root), no connection of Chromium's own accord.
    pub fn capabilities(&self) -> Capabilities {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let options = json!({
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-GB", profile,
            ],
        });
        let mut capabilities = Capabilities::new();
        capabilities.insert("browserName".to_owned(), json!("chrome"));
        capabilities.insert("acceptInsecureCerts".to_owned(), json!(true));
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({"browser": "ALL"}));
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        capabilities
    }

    /// Processes that work on the profile: Chromium, which outlives a killed driver, and its crash handler.
    fn browser_processes(&self) -> Vec<Pid> {
        let profile = self.profile.path().display().to_string();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
            .filter(|(_, path)| {
                let words = fs::read(path.join("cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&words).contains(&profile)
            })
            .map(|(id, _)| Pid::from_raw(id))
            .collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let give_up_at = Instant::now() + END_WITHIN;
        loop {
            let left = self.browser_processes();
            if left.is_empty() || Instant::now() > give_up_at {
                break;
            }
            for process in left {
                let _ = kill(process, Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The port in `ChromeDriver was started successfully on port 40123.`
fn port_in(line: &str) -> Option<u16> {
    line.strip_prefix("ChromeDriver was started successfully on port ")?.trim_end_matches('.').parse().ok()
}
