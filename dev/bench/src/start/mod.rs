//! How long the program takes to start, and what it keeps of the memory while nothing happens.
//!
//! The time begins before fork and exec and ends when `GET /health` is answered. Memory is what the kernel counts in
//! /proc/…/smaps_rollup: everything mapped and present (RSS), and with pages that several processes share divided between
//! them (PSS).

mod health;
mod memory;
mod report;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use http::Method;
use warren_testkit::{installation::Installation, namespaces::Namespace};

use self::{health::Program, memory::Usage};
use crate::{client::Server, figures::Times, page, warren};

/// How long nothing is asked of a process before its memory is looked at.
const IDLE: Duration = Duration::from_secs(10);
/// What is done between the two looks at the memory.
const REQUESTS: usize = 1_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How often it is started, on an empty folder and again on what that left.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=200))]
    rounds: u8,
    /// Where the figures are written as Markdown.
    #[arg(long, default_value = "docs/book/src/benchmarks/start.md")]
    output: PathBuf,
}

/// What came out.
#[derive(Debug)]
pub struct Measured {
    /// On an empty folder: keys, databases and their schema are made.
    pub first: Times,
    /// On the folder that a first start left.
    pub again: Times,
    /// Each process after a start and ten idle seconds.
    pub after_start: Vec<Usage>,
    /// The same after a sign-in, some requests, and ten idle seconds.
    pub after_use: Vec<Usage>,
}

/// Measures, prints the table and writes it.
///
/// # Errors
/// Without root or iproute2, when `warren` is not built, or when it does not start.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let machine = page::made_on("start")?;
    let (first, again) = starts(arguments.rounds)?;
    let (after_start, after_use) = memory_of_an_installation()?;
    let measured = Measured { first, again, after_start, after_use };
    page::publish(&report::page(&measured, arguments.rounds, &machine)?, &arguments.output)
}

fn starts(rounds: u8) -> anyhow::Result<(Times, Times)> {
    let namespace = Namespace::create("bench")?;
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let folder = tempfile::tempdir()?;
        for taken in [&mut first, &mut again] {
            let program = Program::start(&namespace, &folder.path().join("data"))?;
            taken.push(program.took);
            program.stop()?;
        }
        let shown = |taken: &[Duration]| taken.last().copied().unwrap_or_default();
        page::progress(&format!("round {round}: first {:?}, again {:?}", shown(&first), shown(&again)));
    }
    Ok((first.into_iter().collect(), again.into_iter().collect()))
}

/// Of one with an organisation and a network, whose gateway carries it.
fn memory_of_an_installation() -> anyhow::Result<(Vec<Usage>, Vec<Usage>)> {
    let namespace = Namespace::create("bench")?;
    let mut installation = Installation::inside(&namespace, &["--gateway-endpoint", "127.0.0.1"])?;
    let first = installation.first_use()?;
    first.operator.create_network(&first.organisation, "Office", "10.20.0.0/16", &[])?;
    // What was made by setting it up is not idle memory.
    installation.stop()?;
    installation.start_again()?;
    page::progress("waiting idly");
    std::thread::sleep(IDLE);
    let gateway = || installation.gateway_id().context("the gateway does not run");
    let after_start = memory::of(installation.id()?, gateway()?)?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::at(installation.portal(), Some(&namespace))?;
        let server = server.signed_in(&first.signed_in.account.email).await?;
        let (mut connection, path) = (server.connect().await?, warren::devices_path(&first.organisation));
        for _ in 0..REQUESTS {
            connection.send(Method::GET, &path, None).await?;
        }
        anyhow::Ok(())
    })?;
    std::thread::sleep(IDLE);
    Ok((after_start, memory::of(installation.id()?, gateway()?)?))
}
