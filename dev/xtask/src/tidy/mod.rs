//! Checks what the compiler does not. Each rule is a function from what it reads to what it found, so that its tests
//! show it failing on a bad input.

mod dependencies;
mod documentation;
mod floors;
mod inline_code;
mod known_commands;
mod purity;
mod sources;

use std::{fmt, fs, process::ExitCode, time::Instant};

use crate::{generate, workspace::Workspace};

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, or file and line, or crate.
    pub place: String,
    /// What is wrong and what to do.
    pub problem: String,
}

impl Finding {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Prints every finding; fails when there is one.
///
/// # Errors
/// When the project's files cannot be read.
pub fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let findings = findings(workspace)?;
    for (path, lines) in sources::long_files(&workspace.files(&["rs"])?) {
        println!("note: {path} has {lines} lines; is there a second idea in it?");
    }
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        println!("tidy: {} findings", findings.len());
        return Ok(ExitCode::FAILURE);
    }
    println!("tidy: {} crates, nothing found, {} ms", workspace.packages.len(), started.elapsed().as_millis());
    Ok(ExitCode::SUCCESS)
}

/// Every rule over the whole project.
fn findings(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let rust = workspace.files(&["rs"])?;
    let pages = workspace.files(&["md"])?;
    let manifest: toml::Table = fs::read_to_string(workspace.root.join("Cargo.toml"))?.parse()?;
    let mut findings = floors::check(&workspace.packages, floors::FLOORS);
    findings.extend(purity::check(&workspace.packages, &rust));
    findings.extend(dependencies::check_workspace(&manifest, &workspace.packages));
    findings.extend(dependencies::check_named(&workspace.packages, &rust));
    findings.extend(sources::check(&rust));
    let known =
        documentation::Known { workspace, xtask: known_commands::xtask(), warren: known_commands::warren(&rust)? };
    findings.extend(documentation::check(&pages, &known));
    findings.extend(documentation::check_floor_table(&pages, floors::FLOORS));
    findings.extend(generate::missing(workspace).map(|path| {
        Finding::new(path.clone(), "is generated and does not exist; run `cargo xtask generate` and commit it")
    }));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_tidy() {
        let findings = findings(&Workspace::load().unwrap()).unwrap();
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", text.join("\n"));
    }
}
