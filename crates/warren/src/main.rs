//! Warren: a VPN platform for people who run private networks for more than one organisation.

mod failure;
mod folder;
mod manage;

use failure::Failure;

/// Where the command line asks for a new set-up link; on the admin socket only.
pub const SET_UP_LINK_PATH: &str = "/local/v1/set-up-link";

use clap::Parser;
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    m: manage::Manage,
}
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    match Cli::parse().m.run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            e.tell();
            e.exit_code()
        }
    }
}
