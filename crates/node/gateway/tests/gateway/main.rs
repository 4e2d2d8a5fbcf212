//! The gateway with stock clients, in network namespaces of its own: needs root, and wireguard-go, wireguard-tools,
//! nftables, iproute2 and ping. Each test has a "host" namespace, so that this machine's settings stay untouched.
//!
//! The test's executable is at once the gateway and its keeper; that is why it has a `main`.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod client;
mod control;
mod process;
mod scenario;
mod traffic;
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use warren_runtime::telemetry::{LogFormat, init};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(warren_gateway::KEEPER_COMMAND) => {
            init("info", LogFormat::Text);
            finish(warren_gateway::keeper::serve())
        }
        Some(process::RUN_COMMAND) => {
            init("info", LogFormat::Text);
            finish(warren_gateway::run(&process::config(&arguments[2..])))
        }
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

fn finish<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Vec<Trial> {
    traffic::tests().into_iter().map(|(name, test)| Trial::test(name, move || run(test))).collect()
}

fn run(test: fn()) -> Result<(), Failed> {
    world::require_tools()?;
    test();
    Ok(())
}
