//! BullMQ on Debian's Redis, in a Node process: `dev/bench/peers/bullmq.mjs`.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context, ensure};
use serde::Deserialize;
use warren_testkit::servers::{RedisServer, RedisSettings};

use crate::jobs::course::{ASK_FOR, AT_ONCE, CALLERS, Figures, Lengths};

pub const NAME: &str = "BullMQ 6.7";
/// A newer one may measure otherwise: change it on purpose, with the name.
const PACKAGES: [&str; 2] = ["bullmq@6.7.0", "ioredis@6.0.0"];
const SCRIPT: &str = include_str!("../../../peers/bullmq.mjs");

/// What the script prints in the end.
#[derive(Deserialize)]
struct Said {
    asked_per_second: f64,
    drained_per_second: f64,
    waits_ms: Vec<f64>,
}

/// Takes it over the course.
///
/// # Errors
/// When npm does not bring it, or Redis or Node is missing.
pub fn measure(lengths: Lengths) -> anyhow::Result<Figures> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("bullmq.mjs"), SCRIPT)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(folder.path()).args(PACKAGES);
    run(&mut npm, folder.path())?;
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let further = vec![line("appendonly", "yes"), line("appendfsync", "always")];
    let redis = RedisServer::start_with(&RedisSettings { further, ..RedisSettings::default() })?;
    let mut node = Command::new("node");
    node.arg(folder.path().join("bullmq.mjs")).arg(redis.url());
    let seconds = |time: Duration| time.as_secs().to_string();
    node.args([lengths.jobs.to_string(), CALLERS.to_string(), seconds(ASK_FOR), AT_ONCE.to_string()]);
    node.args([lengths.rate.to_string(), seconds(lengths.trickle)]);
    let said: Said = serde_json::from_str(&run(&mut node, folder.path())?).context("read what bullmq.mjs says")?;
    Ok(Figures {
        asked_per_second: said.asked_per_second,
        drained_per_second: said.drained_per_second,
        waits: said.waits_ms.into_iter().map(|wait| Duration::from_secs_f64(wait.max(0.0) / 1e3)).collect(),
    })
}

/// What a command prints, when it ends well.
fn run(command: &mut Command, folder: &Path) -> anyhow::Result<String> {
    let output = command.current_dir(folder).output().with_context(|| format!("run {command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{:?} failed: {errors}", command.get_program());
    Ok(String::from_utf8(output.stdout)?)
}
