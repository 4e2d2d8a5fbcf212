//! The project's own commands, run as `cargo xtask <command>`: test, tidy, generate.
#![expect(clippy::print_stdout, reason = "these commands talk to the person who runs them")]

mod generate;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::workspace::Workspace;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what the tests need where it is missing, run every test, and print a closing summary.
    Test(TestOptions),
    /// Check what the compiler does not: layering, purity, file sizes, names, and that the docs tell the truth.
    Tidy,
    /// Write the generated files anew.
    Generate(GenerateOptions),
}

/// Which tests to run.
#[derive(Debug, Args)]
pub struct TestOptions {
    /// Only this package's tests; may be given more than once.
    #[arg(short, long)]
    package: Vec<String>,
    /// Passed on to nextest: names or filter expressions.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    filter: Vec<String>,
}

/// What to do with generated files.
#[derive(Debug, Args)]
pub struct GenerateOptions {
    /// Change nothing; fail when a file differs from what would be written.
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    match cli.command {
        Command::Test(options) => test::run(&workspace, &options),
        Command::Tidy => tidy::run(&workspace),
        Command::Generate(options) if options.check => generate::check(&workspace),
        Command::Generate(_) => generate::write(&workspace),
    }
}
