//! How long large imports take and how much memory: `cargo run --release -p warren-app --example large_import`.
#![expect(clippy::print_stdout, reason = "the measurements are its output")]

use std::{
    error::Error,
    fs,
    io::BufWriter,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use warren_app::{
    App, Config, Inside, Language, OpContext, gateways,
    imports::{self, Import, Kind, Mode, PendingInvitations},
    installation,
    networks::{self, Create},
    organisations,
    records::{
        Unobserved,
        csv::{Content, CsvWriter},
    },
    sessions::Browser,
};
use warren_auth::{Password, SecretToken, Subject};
use warren_model::{
    Clock, PublicKey, RequestId, Tunnel,
    address::Prefixes,
    ambient::random_bytes,
    audit::Source,
    network::{DeviceTraffic, Dns, Keepalive, Mtu, NetworkSettings},
};
use warren_runtime::{SystemClock, SystemRandom};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = Config::new(folder.path().to_owned(), "https://vpn.example.org".into());
    let app = App::build(config, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    let cx = |subject| OpContext {
        app: app.clone(),
        subject,
        source: Source::Local,
        request: RequestId::generate(SystemClock.now(), &SystemRandom),
        idempotency: None,
    };
    let link = installation::issue_set_up_link(&app).await?.ok_or("already set up")?.link;
    let input = installation::SetUp {
        token: SecretToken::parse(link.split_once('#').ok_or("no token")?.1).ok_or("no token")?,
        name: "Anna".parse()?,
        email: "anna@example.org".parse()?,
        password: Password::to_set("a long and quiet river".into())?,
        organisation: organisations::Create { slug: "northwind".parse()?, name: "Northwind".parse()? },
    };
    installation::set_up(&cx(Subject::LinkHolder), input, Browser::default()).await?;
    let local = cx(Subject::LocalOperator { user: "root".into() });
    gateways::ensure_local(&local, &"local".parse()?, &"vpn.example.org".parse()?, 51820).await?;
    let inside = local.enter(&"northwind".parse()?).await?;
    let settings = NetworkSettings {
        name: "Office".parse()?,
        prefixes: Prefixes::new(Some("10.0.0.0/8".parse()?), None)?,
        dns: Dns::default(),
        tunnel: Tunnel::split(vec![])?,
        device_traffic: DeviceTraffic::Allowed,
        mtu: Mtu::default(),
        keepalive: Keepalive::default(),
    };
    networks::create(&inside, Create { settings, gateway: None }).await?;

    println!("at the start: {} MiB at most", peak_mib()?);
    let (million, some) = (folder.path().join("million.csv"), folder.path().join("some.csv"));
    write_devices(&million, 1_000_000)?;
    write_devices(&some, 10_000)?;
    run(&inside, "looked at 1,000,000 devices", Kind::Devices, Mode::DryRun, &million).await?;
    run(&inside, "enrolled 10,000 devices, 200 at once", Kind::Devices, Mode::SkipBad, &some).await?;
    run(&inside, "looked at them again", Kind::Devices, Mode::SkipBad, &some).await?;
    write_devices(&some, 10_000)?;
    run(&inside, "enrolled 10,000 devices together", Kind::Devices, Mode::AllOrNothing, &some).await?;
    write_people(&some, 2_000)?;
    run(&inside, "invited 2,000 people together", Kind::People, Mode::AllOrNothing, &some).await?;
    drop(inside);
    app.close().await;
    Ok(())
}

async fn run(inside: &Inside<'_>, what: &str, kind: Kind, mode: Mode, path: &Path) -> Result<(), Box<dyn Error>> {
    let (content, language) = (Content::File(path.to_owned()), Language::English);
    let import = Import { kind, content, mode, pending: PendingInvitations::Keep, language };
    let mut results = BufWriter::new(fs::File::create(path.with_extension("results"))?);
    let begun = Instant::now();
    let outcome = imports::carry_out(inside, &import, &mut results, &Unobserved).await?;
    let took = Duration::from_millis(u64::try_from(begun.elapsed().as_millis())?);
    let size_mib = fs::metadata(path)?.len() / 1024 / 1024;
    println!(
        "{what} ({size_mib} MiB): {} new, {} there, {} bad, in {took:?}; {} MiB at most",
        outcome.created,
        outcome.there,
        outcome.failed,
        peak_mib()?
    );
    Ok(())
}

fn write_devices(path: &Path, count: u32) -> Result<(), Box<dyn Error>> {
    let mut out = CsvWriter::new(BufWriter::new(fs::File::create(path)?))?;
    out.line(["name", "owner", "network", "public_key", "expires"])?;
    for number in 0..count {
        let key = PublicKey::from_bytes(random_bytes(&SystemRandom))?.to_string();
        out.line([&format!("device {number}"), "anna@example.org", "Office", &key, ""])?;
    }
    out.finish()?;
    Ok(())
}

fn write_people(path: &Path, count: u32) -> Result<(), Box<dyn Error>> {
    let mut out = CsvWriter::new(BufWriter::new(fs::File::create(path)?))?;
    out.line(["email", "name"])?;
    for number in 0..count {
        out.line([format!("person-{number}@example.org"), format!("Person {number}")])?;
    }
    out.finish()?;
    Ok(())
}

/// The most memory that the process has held (proc(5), `VmHWM`).
fn peak_mib() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
