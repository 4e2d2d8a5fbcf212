//! `warren db move`: a real installation moves to a server and back, and goes on there with everything that it had.

use std::{fs, path::Path, process::Stdio};

use anyhow::Context;
use warren_testkit::{
    installation::Installation,
    servers::{FreshDatabases, ServerKind},
};

const NO_GATEWAY: &str = "--no-gateway";

/// What `warren up` says where it is to be refused.
fn refused_up(installation: &Installation) -> anyhow::Result<String> {
    let mut command = installation.command();
    command.arg("up").arg("--data").arg(installation.data()).args([NO_GATEWAY, "--listen", "127.0.0.1:0"]);
    let output = command.stdin(Stdio::null()).output()?;
    anyhow::ensure!(!output.status.success(), "it started");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn moves_there_and_back(kind: ServerKind) -> anyhow::Result<()> {
    let server = FreshDatabases::of_this_run(kind)?;
    let url = server.url();
    let mut installation = Installation::start()?;
    let mut first = installation.first_use()?;
    let organisation = first.organisation.clone();
    installation.managed(&["gateways", "create", "far", "vpn.example.org"])?;
    let network = first.operator.create_network(&organisation, "Office", "10.20.0.0/16", &[])?;
    let laptop = first.operator.enrol(&organisation, &network, "Anna's laptop")?;

    let running = installation.manage(&["db", "move", "--to", &url])?;
    assert_eq!(running.code, 3, "{running:?}");
    assert!(running.errors.contains("in use by process") && running.errors.contains("stop"), "{running:?}");

    installation.stop()?;
    let said = installation.managed(&["db", "move", "--to", &url])?;
    assert!(said.contains("each row compared") && said.contains("warren up --data"), "{said}");
    assert!(said.contains("--database-url '") && said.contains("PASSWORD"), "{said}");
    assert!(!said.contains(&url), "the password is printed: {said}");
    assert!(said.contains("sealing key"), "{said}");
    let refused = refused_up(&installation)?;
    assert!(refused.contains("was moved to") && refused.contains("--back-out"), "{refused}");

    installation.change_arguments(&[NO_GATEWAY, "--database-url", &url]);
    installation.start_again()?;
    first.operator.follow(&installation);
    // The session, the device and the network's sealed key came along.
    assert_eq!(first.operator.device(&organisation, &laptop.device)?.name, "Anna's laptop");
    let browser = installation.browse()?;
    browser.sign_in()?;
    browser.enrol(&organisation, &network, "Anna's phone")?;
    installation.stop()?;

    // Back into the folder: what is left there is in the way until it is put away.
    let back = ["db", "move", "--database-url", &url, "--to-folder"];
    let occupied = installation.manage(&back)?;
    assert_eq!(occupied.code, 3, "{occupied:?}");
    assert!(occupied.errors.contains("put away"), "{occupied:?}");
    put_away(&installation.data())?;
    let said = installation.managed(&back)?;
    assert!(!said.contains("--database-url"), "{said}");

    installation.change_arguments(&[NO_GATEWAY]);
    installation.start_again()?;
    first.operator.follow(&installation);
    let mut names: Vec<String> = first.operator.devices(&organisation)?.into_iter().map(|device| device.name).collect();
    names.sort();
    assert_eq!(names, ["Anna's laptop", "Anna's phone"]);
    first.operator.enrol(&organisation, &network, "Anna's tablet")?;
    Ok(())
}

fn put_away(data: &Path) -> anyhow::Result<()> {
    let away = data.join("before-the-move");
    fs::create_dir(&away)?;
    for name in ["system.sqlite", "tenants"] {
        fs::rename(data.join(name), away.join(name)).with_context(|| format!("cannot put {name} away"))?;
    }
    Ok(())
}

#[test]
fn an_installation_moves_to_mariadb_and_back() -> anyhow::Result<()> {
    moves_there_and_back(ServerKind::MariaDb)
}

#[test]
fn an_installation_moves_to_postgresql_and_back() -> anyhow::Result<()> {
    moves_there_and_back(ServerKind::PostgreSql)
}

#[test]
fn going_back_to_what_was_moved_away_takes_saying_so() -> anyhow::Result<()> {
    let server = FreshDatabases::of_this_run(ServerKind::PostgreSql)?;
    let mut installation = Installation::start()?;
    let mut first = installation.first_use()?;
    installation.stop()?;
    let url_file = installation.data().join("database-url");
    fs::write(&url_file, server.url())?;
    let url_file = url_file.display().to_string();
    let said = installation.managed(&["db", "move", "--to-file", &url_file])?;
    assert!(said.contains(&format!("--database-url-file '{url_file}'")), "{said}");
    let again = installation.manage(&["db", "move", "--to-file", &url_file])?;
    assert_eq!(again.code, 3, "{again:?}");
    assert!(again.errors.contains("was moved to"), "{again:?}");

    let said = installation.managed(&["db", "move", "--back-out"])?;
    assert!(said.contains("Never run Warren at both"), "{said}");
    installation.start_again()?;
    first.operator.follow(&installation);
    assert_eq!(first.operator.get("/api/v1/session")?.status, 200);
    Ok(())
}
