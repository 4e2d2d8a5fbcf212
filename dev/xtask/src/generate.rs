//! Generated files: each is what one command of the `warren` binary prints, committed, and checked for drift.

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, bail};

use crate::workspace::Workspace;

/// A committed file and the arguments of `warren` that print it.
struct Generator {
    path: &'static str,
    arguments: &'static [&'static str],
}

/// Every generated file.
const GENERATORS: &[Generator] = &[Generator { path: "docs/openapi.json", arguments: &["openapi"] }];

/// Writes each file anew.
///
/// # Errors
/// When the binary does not build or a command of it fails.
pub fn write(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    for (path, text) in generated(workspace)? {
        fs::write(workspace.root.join(path), text).with_context(|| format!("cannot write {path}"))?;
        println!("wrote {path}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares each file with what would be written.
///
/// # Errors
/// When the binary does not build or a command of it fails.
pub fn check(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for (path, text) in generated(workspace)? {
        if fs::read_to_string(workspace.root.join(path)).ok().as_ref() != Some(&text) {
            println!("{path} differs from what is generated; run `cargo xtask generate` and commit it");
            code = ExitCode::FAILURE;
        }
    }
    println!("generate: {} files compared", GENERATORS.len());
    Ok(code)
}

/// Generated files that do not exist.
pub fn missing(workspace: &Workspace) -> impl Iterator<Item = String> {
    GENERATORS.iter().filter(|g| !workspace.root.join(g.path).exists()).map(|g| g.path.to_owned())
}

fn generated(workspace: &Workspace) -> anyhow::Result<Vec<(&'static str, String)>> {
    if GENERATORS.is_empty() {
        return Ok(Vec::new());
    }
    let binary = build(workspace)?;
    GENERATORS
        .iter()
        .map(|generator| {
            let output = Command::new(&binary).args(generator.arguments).stderr(Stdio::inherit()).output()?;
            if !output.status.success() {
                bail!("`warren {}` failed: {}", generator.arguments.join(" "), output.status);
            }
            Ok((generator.path, String::from_utf8(output.stdout).context("it printed something other than text")?))
        })
        .collect()
}

/// Builds what the tests build, so that nothing is compiled twice, and says where the binary is.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let output = Command::new("cargo")
        .args(["build", "--workspace", "--bins", "--tests", "--message-format=json-render-diagnostics"])
        .current_dir(&workspace.root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the workspace does not build");
    }
    cargo_metadata::Message::parse_stream(output.stdout.as_slice())
        .filter_map(Result::ok)
        .find_map(|message| match message {
            cargo_metadata::Message::CompilerArtifact(made) if made.target.name == "warren" && !made.profile.test => {
                made.executable
            }
            _ => None,
        })
        .map(cargo_metadata::camino::Utf8PathBuf::into_std_path_buf)
        .context("cargo built no binary of the name warren")
}
