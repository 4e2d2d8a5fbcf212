//! Warren: a VPN platform for people who run private networks for more than one organisation.
//!
//! Invariants
//! - This crate composes: what is decided is decided below.
//! - The command line is a client of the API. The one thing it asks for beside it is a new set-up link; `warren db` works on the
//!   databases themselves, while nothing else does.

mod building;
mod command_line;
mod database;
mod failure;
mod folder;
mod gateway;
mod manage;
mod nats;
mod set_up_link;
mod up;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use crate::{command_line::CommandLine, failure::Failure};

fn main() -> ExitCode {
    match CommandLine::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.exit_code()
        }
    }
}
