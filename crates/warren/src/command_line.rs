//! The command line as a whole: what there is to say, and who does it.

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    database,
    failure::{EXIT_CODES, Failure},
    gateway, manage, up, worker,
};

/// Private networks for more than one organisation.
#[derive(Debug, Parser)]
#[command(name = "warren", version, after_help = EXIT_CODES, disable_help_subcommand = true, propagate_version = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the portal, the API and, where this machine allows it, a gateway.
    Up(Box<up::Options>),
    /// Work on jobs of an installation whose databases are on a server, on this host or another, and do nothing else.
    Worker(Box<worker::Options>),
    #[command(flatten)]
    Manage(manage::Manage),
    /// The databases: how they are, migrations, moves.
    #[command(subcommand)]
    Db(database::Db),
    /// Be a gateway: the process that carries traffic.
    #[command(subcommand)]
    Gateway(gateway::Gateway),
    /// The small part of a gateway that keeps its rights. A gateway starts it.
    #[command(hide = true)]
    GatewayKeeper(gateway::Keeper),
    /// Print the API's description (OpenAPI 3.1).
    Openapi,
    /// Print a completion script for a shell.
    Completions { shell: Shell },
    /// Print the version.
    Version,
}

impl CommandLine {
    /// Does what was said.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Up(options) => up::run(*options),
            Command::Worker(options) => worker::run(*options),
            Command::Manage(manage) => block_on(manage.run()),
            Command::Db(db) => block_on(db.run()),
            Command::Gateway(gateway) => gateway.run(),
            Command::GatewayKeeper(keeper) => keeper.run(),
            Command::Openapi => manage::print(warren_portal::openapi_json()),
            Command::Completions { shell } => completions(shell),
            Command::Version => manage::print(concat!("warren ", env!("CARGO_PKG_VERSION"))),
        }
    }
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "warren", &mut script);
    manage::print(String::from_utf8_lossy(&script))
}

/// Runs a command that waits for one thing at a time.
pub fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Failure::start("start", source))?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn what_everybody_can_run_is_explained() {
        fn check(command: &clap::Command) {
            for inner in command.get_subcommands() {
                assert!(inner.get_about().is_some(), "{} has no help", inner.get_name());
                check(inner);
            }
        }
        check(&CommandLine::command());
    }
}
