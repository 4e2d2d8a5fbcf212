//! How long a change to one device takes to be in force on its gateway.
//!
//! `warren up` runs as people run it, with its gateway as a process of its own, in a network namespace. The time begins
//! before the first byte of the request is written, and ends where the gateway's log says that the peer is in, or out of, the
//! table that every packet is looked up in: both by the one clock of the machine. One change at a time, never before the
//! one before it was in force.

mod disk;
mod gateway_log;
mod report;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use http::Method;
use tokio::time::sleep;
use uuid::Uuid;
use warren_model::{Clock, Timestamp};
use warren_runtime::SystemClock;
use warren_testkit::{installation::Installation, namespaces::Namespace};
use warren_wire::rest::v1::{Gateway, Page, UpdateDevice};

use self::gateway_log::{Carried, GatewayLog};
use crate::{
    client::{Connection, Server, json},
    figures::Times,
    page, warren,
};

/// How long the gateway may take to carry everything out that was enrolled before.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two changes; odd, so that they do not fall into step with what happens each second.
const REST: Duration = Duration::from_millis(23);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many devices the gateway serves; one measurement for each number.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    devices: Vec<usize>,
    /// Changes that are measured, half of them disabling a device and half enabling it again.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    changes: u32,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/latency.md")]
    output: PathBuf,
}

/// What came out for one number of devices.
#[derive(Debug)]
pub struct Measured {
    pub devices: usize,
    /// From the call to the peer shut out.
    pub removed: Times,
    /// From the call to the peer let in.
    pub set: Times,
    pub all: Times,
    /// From the call to the whole of its answer, which waits for the disk and for nothing of the gateway.
    pub answered: Times,
    /// A write of 4 KiB and its fsync, in a file of the same file system, between the changes.
    pub disk: Times,
}

/// Measures, prints the table and writes it.
///
/// # Errors
/// Without root or iproute2, when `warren` is not built, or when a change does not come into force.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let machine = page::made_on("latency")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut measured = Vec::new();
    for devices in &arguments.devices {
        measured.push(measure(&runtime, *devices, arguments.changes)?);
    }
    page::publish(&report::page(&measured, &machine)?, &arguments.output)
}

fn measure(runtime: &tokio::runtime::Runtime, devices: usize, changes: u32) -> anyhow::Result<Measured> {
    let namespace = Namespace::create("bench")?;
    let options = ["--gateway-endpoint", "127.0.0.1", "--log", "info,warren_gateway::worker=trace"];
    let installation = Installation::inside(&namespace, &options)?;
    let first = installation.first_use()?;
    let network = first.operator.create_network(&first.organisation, "Office", "10.0.0.0/12", &[])?;
    runtime.block_on(async {
        let server = Server::at(installation.portal(), Some(&namespace))?;
        let server = server.signed_in(&first.signed_in.account.email).await?;
        let mut connection = server.connect().await?;
        online(&mut connection).await?;
        page::progress(&format!("enrolling {devices} devices"));
        let enrolled = warren::enrol_many(&server, &first.organisation, network.id, devices).await?;
        let log = GatewayLog::of(&installation);
        let carried = log.wait_for(|carried| carried.iter().map(|one| one.count).sum::<usize>() >= devices).await?;
        // What the many changes left to do, as the state that is kept on disk.
        sleep(Duration::from_secs(3)).await;

        page::progress(&format!("changing {changes} times"));
        let path = warren::devices_path(&first.organisation);
        let mut begun = Vec::new();
        let (mut answered, mut disk) = (Vec::new(), disk::Disk::on_file_system_of(&installation.data())?);
        for number in 0..changes {
            let change = Change::numbered(number, &enrolled);
            let path = format!("{path}/{}", change.device);
            let before = SystemClock.now();
            connection.send(Method::PATCH, &path, Some(change.body())).await?;
            answered.push(elapsed(before, SystemClock.now())?);
            begun.push((change.expected, before));
            sleep(REST).await;
            if number % 4 == 0 {
                disk.measure()?;
                sleep(REST).await;
            }
        }
        let wanted = carried.len() + begun.len();
        let after = log.wait_for(|all| all.len() >= wanted).await?;
        let (removed, set) = match_up(&begun, &after[carried.len()..])?;
        let all = removed.iter().chain(&set).copied().collect();
        Ok(Measured {
            devices,
            removed: removed.into_iter().collect(),
            set: set.into_iter().collect(),
            all,
            answered: answered.into_iter().collect(),
            disk: disk.times(),
        })
    })
}

/// What is done to which device.
struct Change {
    device: Uuid,
    expected: gateway_log::What,
}

impl Change {
    /// Each device is disabled and then enabled again; the next one stands far from it.
    fn numbered(number: u32, devices: &[Uuid]) -> Self {
        const STRIDE: usize = 7919;
        let device = devices[(number as usize / 2 * STRIDE) % devices.len()];
        let expected = if number.is_multiple_of(2) { gateway_log::What::Removed } else { gateway_log::What::Set };
        Self { device, expected }
    }

    fn body(&self) -> bytes::Bytes {
        let standing = match self.expected {
            gateway_log::What::Removed => "disabled",
            gateway_log::What::Set => "enabled",
        };
        json(&UpdateDevice { standing: Some(standing.into()), ..UpdateDevice::default() })
    }
}

/// Gives each change the line that says it is in force, and returns how long removals and additions took.
fn match_up(
    begun: &[(gateway_log::What, Timestamp)],
    carried: &[Carried],
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    ensure!(begun.len() == carried.len(), "{} changes came into force in {} steps", begun.len(), carried.len());
    let (mut removed, mut set) = (Vec::new(), Vec::new());
    for ((expected, before), one) in begun.iter().zip(carried) {
        ensure!(one.what == *expected && one.count == 1, "{expected:?} of one device was carried out as {one:?}");
        let took = elapsed(*before, one.at)?;
        match one.what {
            gateway_log::What::Removed => removed.push(took),
            gateway_log::What::Set => set.push(took),
        }
    }
    Ok((removed, set))
}

fn elapsed(from: Timestamp, to: Timestamp) -> anyhow::Result<Duration> {
    Duration::try_from(to - from).context("the machine's clock was set back during the run")
}

async fn online(connection: &mut Connection) -> anyhow::Result<()> {
    for _ in 0..200 {
        let page: Page<Gateway> = connection.send(Method::GET, "/api/v1/gateways", None).await?.read()?;
        if page.items.iter().any(|gateway| gateway.state == "online") {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
    anyhow::bail!("the gateway did not connect within 20 s")
}
