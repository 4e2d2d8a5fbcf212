//! Tools that the tests need and Debian does not have: cargo-nextest and axe-core.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail};

use super::packages::has_command;

/// The axe-core that pages are judged by. A newer one may find more: change it on purpose.
const AXE_VERSION: &str = "4.14.1";
/// Where it is put, relative to the workspace's root; `dev/testkit/src/browser/axe.rs` reads it from there.
const AXE_FOLDER: &str = "target/axe";

/// Builds cargo-nextest where it is missing.
///
/// # Errors
/// When it does not build.
pub fn install_nextest() -> anyhow::Result<()> {
    if has_command("cargo-nextest") {
        return Ok(());
    }
    println!("cargo-nextest is not on this machine; building it, which takes some minutes");
    run(Command::new("cargo").args(["install", "cargo-nextest", "--locked"]))
}

/// Fetches axe-core into the target folder where it is missing or of another version.
///
/// # Errors
/// When npm cannot fetch it.
pub fn install_axe(root: &Path) -> anyhow::Result<()> {
    let folder = root.join(AXE_FOLDER);
    let manifest = folder.join("node_modules/axe-core/package.json");
    let wanted = format!("\"version\": \"{AXE_VERSION}\"");
    if fs::read_to_string(&manifest).is_ok_and(|text| text.contains(&wanted)) {
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let package = format!("axe-core@{AXE_VERSION}");
    let options = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    run(Command::new("npm").arg("install").arg("--prefix").arg(&folder).args(options).arg(package))?;
    let found = fs::read_to_string(&manifest).unwrap_or_default();
    if !found.contains(&wanted) {
        bail!("npm did not leave axe-core {AXE_VERSION} in {}", folder.display());
    }
    Ok(())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    println!("$ {command:?}");
    let status = command.status().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}
