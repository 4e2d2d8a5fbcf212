//! `cargo xtask test`: from a Debian machine with only Rust to a closing summary.

mod packages;
mod services;
mod summary;
mod tools;

use std::{
    io::{BufRead, BufReader, IsTerminal, Write},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use anyhow::Context;

use crate::{TestOptions, workspace::Workspace};

/// Installs what is missing, runs the tests and the documentation's examples, and prints the summary.
///
/// # Errors
/// When something is missing that cannot be installed from here, or the tests do not build.
pub fn run(workspace: &Workspace, options: &TestOptions) -> anyhow::Result<ExitCode> {
    packages::install()?;
    tools::install_nextest()?;
    tools::install_axe(&workspace.root)?;
    if !packages::is_root() {
        println!("note: not root; tests in network namespaces will fail");
    }

    let nextest = in_workspace(workspace, &nextest_arguments(options));
    let (nextest_status, output) = run_and_keep(nextest, Stream::Error)?;
    let Some(closing_line) = summary::closing_line(&output) else {
        anyhow::bail!("nextest ran no tests ({nextest_status})");
    };
    let mut counts = summary::of_nextest(closing_line).context("nextest's closing line reads unlike any known")?;
    let mut passed = nextest_status.success();

    if options.filter.is_empty() && has_documentation(workspace, options) {
        let documentation = in_workspace(workspace, &documentation_arguments(options));
        let (status, output) = run_and_keep(documentation, Stream::Output)?;
        let examples = summary::of_libtest(&output);
        println!("\nexamples in the documentation: {examples}");
        counts = counts + examples;
        passed &= status.success();
    }

    println!("{closing_line}\n{counts}");
    Ok(if passed && counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn nextest_arguments(options: &TestOptions) -> Vec<String> {
    let mut arguments = vec!["nextest".to_owned(), "run".to_owned()];
    if std::io::stderr().is_terminal() {
        arguments.extend(["--color".to_owned(), "always".to_owned()]);
    }
    arguments.extend(selection(options));
    arguments.extend(options.filter.iter().cloned());
    arguments
}

fn documentation_arguments(options: &TestOptions) -> Vec<String> {
    let mut arguments = vec!["test".to_owned(), "--doc".to_owned(), "--no-fail-fast".to_owned()];
    arguments.extend(selection(options));
    arguments
}

/// Whether there is a library among what was chosen; cargo takes the absence of one for an error.
fn has_documentation(workspace: &Workspace, options: &TestOptions) -> bool {
    let chosen = |name: &String| options.package.is_empty() || options.package.contains(name);
    workspace.packages.iter().any(|package| package.has_library && chosen(&package.name))
}

fn selection(options: &TestOptions) -> Vec<String> {
    if options.package.is_empty() {
        return vec!["--workspace".to_owned()];
    }
    options.package.iter().flat_map(|package| ["--package".to_owned(), package.clone()]).collect()
}

fn in_workspace(workspace: &Workspace, arguments: &[String]) -> Command {
    println!("\n$ cargo {}", arguments.join(" "));
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(&workspace.root);
    command
}

/// The stream that a program writes its results to.
enum Stream {
    Output,
    Error,
}

/// Shows the program's output as it comes and keeps a copy of one stream.
fn run_and_keep(mut command: Command, kept: Stream) -> anyhow::Result<(ExitStatus, String)> {
    match kept {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Error => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().context("cannot run cargo")?;
    let output = child.stdout.take().map(|pipe| copy(pipe, std::io::stdout()));
    let error = child.stderr.take().map(|pipe| copy(pipe, std::io::stderr()));
    let text = output.or(error).transpose()?.unwrap_or_default();
    Ok((child.wait()?, text))
}

fn copy(from: impl std::io::Read, mut to: impl Write) -> std::io::Result<String> {
    let mut reader = BufReader::new(from);
    let (mut kept, mut line) = (Vec::new(), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        kept.append(&mut line);
    }
    Ok(String::from_utf8_lossy(&kept).into_owned())
}
