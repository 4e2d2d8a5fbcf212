//! The servers that are measured, each on a copy of the same data.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use http::Method;
use uuid::Uuid;
use warren_testkit::installation::Installation;
use warren_wire::rest::v1::{CreateGateway, CreatedGateway, Device, Page};

use super::{Contender, Operation};
use crate::{
    client::{Connection, Server},
    page,
    warren::{self, devices_path},
};

/// Everything that answers.
pub struct Servers {
    _installation: Installation,
    warren: Server<'static>,
    _bare: Bare,
    bare: Server<'static>,
    pub organisation: String,
    pub network: Uuid,
}

impl Servers {
    /// Sets an installation up, enrols `devices`, copies its data, and starts both programs.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start(runtime: &tokio::runtime::Runtime, devices: usize) -> anyhow::Result<Self> {
        let mut installation = Installation::start()?;
        let first = installation.first_use()?;
        let _: CreatedGateway = first
            .operator
            .post(
                "/api/v1/gateways",
                &CreateGateway { name: "elsewhere".into(), endpoint_host: "vpn.example.org".into(), first_port: None },
            )?
            .read()?;
        let network = first.operator.create_network(&first.organisation, "Office", "10.0.0.0/8", &[])?.id;
        let organisation = first.organisation;
        let email = first.signed_in.account.email;

        page::progress(&format!("enrolling {devices} devices"));
        runtime.block_on(async {
            let server = Server::at(installation.portal(), None)?.signed_in(&email).await?;
            warren::enrol_many(&server, &organisation, network, devices).await
        })?;
        installation.stop()?;
        let copy = tempfile::tempdir()?;
        copy_databases(&installation.data(), copy.path())?;
        installation.start_again()?;
        let warren = runtime.block_on(Server::at(installation.portal(), None)?.signed_in(&email))?;
        let bare_process = Bare::start(copy)?;
        let bare = Server::at(&bare_process.url, None)?;
        Ok(Self { _installation: installation, warren, _bare: bare_process, bare, organisation, network })
    }

    /// A connection to `contender`, and where it does `operation`.
    ///
    /// # Errors
    /// When it does not listen any more.
    pub async fn connect(&self, contender: Contender, operation: Operation) -> anyhow::Result<(Connection, String)> {
        let (server, path) = match contender {
            Contender::Warren => (&self.warren, devices_path(&self.organisation)),
            Contender::SameStatements => (&self.bare, "/same-statements".to_owned()),
            Contender::DevicesAlone => (&self.bare, "/devices-alone".to_owned()),
        };
        let query = match operation {
            Operation::List => "?limit=50",
            Operation::Enrol => "",
        };
        Ok((server.connect().await?, path + query))
    }

    /// Makes sure that the bare handler does the same work: its page is Warren's.
    ///
    /// # Errors
    /// When it is another.
    pub async fn answer_alike(&self) -> anyhow::Result<()> {
        let mut pages = Vec::new();
        for contender in [Contender::Warren, Contender::SameStatements] {
            let (mut connection, path) = self.connect(contender, Operation::List).await?;
            pages.push(connection.send(Method::GET, &path, None).await?.read::<Page<Device>>()?);
        }
        ensure!(pages[0].items == pages[1].items, "the bare handler lists other devices than Warren");
        Ok(())
    }
}

fn copy_databases(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let (entry, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        if path.is_dir() {
            fs::create_dir_all(to.join(&entry))?;
            copy_databases(&path, &to.join(entry))?;
        } else if path.extension().is_some_and(|extension| extension == "sqlite") {
            fs::copy(&path, to.join(entry))?;
        }
    }
    Ok(())
}

/// The bare handlers' process. Killed on drop.
struct Bare {
    child: Child,
    url: String,
    _data: tempfile::TempDir,
}

impl Bare {
    fn start(data: tempfile::TempDir) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("api-bare")
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the bare handlers")?;
        let output = child.stdout.take().context("the bare handlers have no output")?;
        let mut started = Self { child, url: String::new(), _data: data };
        BufReader::new(output).read_line(&mut started.url)?;
        started.url.truncate(started.url.trim_end().len());
        ensure!(!started.url.is_empty(), "the bare handlers did not start");
        Ok(started)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
