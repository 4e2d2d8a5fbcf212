//! The lines in which the gateway says what is in force, and since when.

use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use warren_model::Timestamp;
use warren_testkit::installation::Installation;

/// How long the gateway may take to carry out what it was told.
const CARRIED_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether it has.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The gateway's part of an installation's log.
#[derive(Debug)]
pub struct GatewayLog<'i>(&'i Installation);

/// Something that the gateway carried out.
#[derive(Debug, Clone, Copy)]
pub struct Carried {
    pub at: Timestamp,
    pub what: What,
    /// Of how many devices.
    pub count: usize,
}

/// What became of the peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Set,
    Removed,
}

#[derive(Deserialize)]
struct Line {
    #[serde(with = "time::serde::rfc3339")]
    timestamp: Timestamp,
    target: String,
    message: String,
    count: usize,
    ok: bool,
}

impl<'i> GatewayLog<'i> {
    /// The log of `installation`'s gateway, which must tell of its worker at the level `trace`.
    pub const fn of(installation: &'i Installation) -> Self {
        Self(installation)
    }

    /// Everything carried out so far, once it passes `is_enough`.
    ///
    /// # Errors
    /// When it does not within a minute, or something could not be carried out.
    pub async fn wait_for(&self, is_enough: impl Fn(&[Carried]) -> bool) -> anyhow::Result<Vec<Carried>> {
        let give_up_at = Instant::now() + CARRIED_WITHIN;
        loop {
            let carried = self.read()?;
            if is_enough(&carried) {
                return Ok(carried);
            }
            if Instant::now() > give_up_at {
                bail!("after {CARRIED_WITHIN:?} the gateway has carried out no more than {} steps", carried.len());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn read(&self) -> anyhow::Result<Vec<Carried>> {
        let log = self.0.log();
        let lines = log.lines().filter(|line| line.contains(r#""TRACE""#)).map(|line| {
            let line: Line = serde_json::from_str(line).with_context(|| format!("a line of the log: {line}"))?;
            let what = match (line.target.as_str(), line.message.as_str()) {
                ("warren_gateway::worker", "peers were set") => What::Set,
                ("warren_gateway::worker", "peers were removed") => What::Removed,
                (target, message) => bail!("an unknown line of {target}: {message}"),
            };
            anyhow::ensure!(line.ok, "the gateway could not carry a change out");
            Ok(Carried { at: line.timestamp, what, count: line.count })
        });
        lines.collect()
    }
}
