//! `warren worker` beside `warren up`: how it starts, what it refuses, how it ends and dies, and the bell between them.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;
use warren_testkit::{
    installation::{Installation, binary},
    namespaces::Process,
    servers::{FreshDatabases, NatsServer, ServerKind},
};

const SOON: Duration = Duration::from_secs(30);
const PUBLIC_URL: &str = "https://vpn.example.org";
const WORKING: &str = "Working on 5 jobs at once, of the queues webhooks, reports.";

fn worker(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.arg("worker").arg("--data").arg(data).args(["--public-url", PUBLIC_URL, "--log-format", "json"]);
    command.args(arguments);
    command
}

/// What the command says when it does not start.
fn refused(data: &Path, arguments: &[&str]) -> anyhow::Result<(i32, String)> {
    let output = worker(data, arguments).stdin(Stdio::null()).output()?;
    Ok((output.status.code().context("it was killed")?, String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// The processes that work on jobs, as the database has them.
fn workers(databases: &FreshDatabases) -> anyhow::Result<Vec<String>> {
    let query = "SELECT process FROM job_workers ORDER BY started_at";
    let output = Command::new("psql").args(["-Atc", query]).arg(databases.url()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

fn until<T: std::fmt::Debug>(look: impl Fn() -> anyhow::Result<T>, wanted: impl Fn(&T) -> bool) -> anyhow::Result<T> {
    let give_up_at = Instant::now() + SOON;
    loop {
        let found = look()?;
        if wanted(&found) {
            return Ok(found);
        }
        ensure!(Instant::now() < give_up_at, "it never was so: {found:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_worker_joins_hears_the_bell_ends_in_order_and_is_replaced_when_it_is_killed() -> anyhow::Result<()> {
    let (databases, nats) = (FreshDatabases::of_this_run(ServerKind::PostgreSql)?, NatsServer::start()?);
    let (url, nats_url) = (databases.url(), nats.url());
    let password = tempfile::NamedTempFile::new()?;
    fs::write(password.path(), nats.password())?;
    let by_file = format!("nats://warren@127.0.0.1:{}", nats.port());
    let folder = tempfile::tempdir()?;

    let on = ["--database-url", &url, "--places", "5"];
    let (code, told) = refused(folder.path(), &on)?;
    ensure!(code == 4 && told.contains("there is no installation in"), "{code}: {told}");
    let installation = Installation::with(&["--no-gateway", "--database-url", &url, "--nats-url", &nats_url])?;
    let (code, told) = refused(folder.path(), &on)?;
    ensure!(code == 4 && told.contains("copy sealing.key there"), "{code}: {told}");
    fs::copy(installation.data().join("sealing.key"), folder.path().join("sealing.key"))?;

    let arguments =
        [&on[..], &["--nats-url", &by_file, "--nats-password-file", password.path().to_str().context("a path")?]]
            .concat();
    let start = || -> anyhow::Result<Process> {
        let mut process = Process::start(worker(folder.path(), &arguments))?;
        process.wait_for(WORKING, SOON)?;
        process.wait_for("rings for jobs go over NATS", SOON)?;
        Ok(process)
    };
    let mut first = start()?;
    until(|| Ok(installation.log()), |log| log.contains("rings for jobs go over NATS"))?;
    let id = first.id().to_string();
    until(|| workers(&databases), |workers| workers.contains(&id) && workers.len() == 2)?;
    first.signal(Signal::SIGTERM)?;
    let status = first.wait(SOON)?;
    ensure!(status.success(), "{status}: {}", first.log());
    ensure!(workers(&databases)?.len() == 1, "it stays in the list");

    let mut killed = start()?;
    killed.signal(Signal::SIGKILL)?;
    killed.wait(SOON)?;
    let again = start()?;
    let id = again.id().to_string();
    until(|| workers(&databases), |workers| workers.contains(&id))?;
    let told = format!("{}{}", again.log(), installation.log());
    ensure!(!told.contains(nats.password()), "a log holds the password");
    Ok(())
}

#[test]
fn a_worker_refuses_what_cannot_work() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (arguments, said) in [
        (&[][..], "a worker needs them on a server"),
        (&["--database-url", "postgresql://w@127.0.0.1:9/warren", "--queues", "records"], "leave records out"),
        (
            &["--database-url", "postgresql://w@127.0.0.1:9/warren", "--nats-url", "http://x"],
            "nats://USER:PASSWORD@HOST",
        ),
    ] {
        let (code, told) = refused(folder.path(), arguments)?;
        ensure!(code == 2 && told.contains(said), "{code}: {told}");
    }
    Ok(())
}
