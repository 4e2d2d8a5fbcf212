//! The measurement itself, in a process of its own: where its data stands is decided by `TMPDIR`.

use std::time::Duration;

use anyhow::{Context, ensure};
use http::Method;
use tokio::time::sleep;
use uuid::Uuid;
use warren_model::{Clock, Timestamp};
use warren_runtime::SystemClock;
use warren_testkit::{installation::Installation, namespaces::Namespace};
use warren_wire::rest::v1::{Gateway, Page, UpdateDevice};

use super::{
    Measured,
    disk::Disk,
    gateway_log::{Carried, GatewayLog, LOOK_EVERY, What},
};
use crate::{
    client::{Connection, Server, json},
    page, warren,
};

/// Between two changes; odd, so that they do not fall into step with what happens each second.
const REST: Duration = Duration::from_millis(23);
/// For what enrolling many devices leaves to do, as the state that the gateway keeps.
const SETTLE: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    devices: usize,
    changes: u32,
}

/// Measures and prints a [`Measured`] as JSON.
///
/// # Errors
/// As [`super::run`].
#[expect(clippy::print_stdout, reason = "the process that started this one reads it")]
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(&measure(arguments.devices, arguments.changes)?)?);
    Ok(())
}

fn measure(devices: usize, changes: u32) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
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
        sleep(SETTLE).await;

        page::progress(&format!("changing {changes} times"));
        let path = warren::devices_path(&first.organisation);
        let mut begun = Vec::new();
        let (mut answered, mut disk) = (Vec::new(), Disk::on_file_system_of(&installation.data())?);
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
        Ok(Measured {
            devices,
            removed: removed.into_iter().collect(),
            set: set.into_iter().collect(),
            answered: answered.into_iter().collect(),
            disk: disk.times(),
        })
    })
}

/// What is done to which device.
struct Change {
    device: Uuid,
    expected: What,
}

impl Change {
    /// Each device is disabled and then enabled again; the next one stands far from it.
    fn numbered(number: u32, devices: &[Uuid]) -> Self {
        const STRIDE: usize = 7919;
        let device = devices[(number as usize / 2 * STRIDE) % devices.len()];
        let expected = if number.is_multiple_of(2) { What::Removed } else { What::Set };
        Self { device, expected }
    }

    fn body(&self) -> bytes::Bytes {
        let standing = match self.expected {
            What::Removed => "disabled",
            What::Set => "enabled",
        };
        json(&UpdateDevice { standing: Some(standing.into()), ..UpdateDevice::default() })
    }
}

/// Gives each change the line that says it is in force, and returns how long removals and additions took.
fn match_up(begun: &[(What, Timestamp)], carried: &[Carried]) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    ensure!(begun.len() == carried.len(), "{} changes came into force in {} steps", begun.len(), carried.len());
    let (mut removed, mut set) = (Vec::new(), Vec::new());
    for ((expected, before), one) in begun.iter().zip(carried) {
        ensure!(one.what == *expected && one.count == 1, "{expected:?} of one device was carried out as {one:?}");
        let took = elapsed(*before, one.at)?;
        match one.what {
            What::Removed => removed.push(took),
            What::Set => set.push(took),
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
