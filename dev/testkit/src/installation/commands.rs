//! The program itself: where its file is, and what its commands print.

use std::{env, ffi::OsStr, path::PathBuf, process::Stdio};

use anyhow::Context;

use super::Installation;

/// What a command ended with.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

impl Installation {
    /// Runs a management command on this installation, as a program does: without a terminal.
    ///
    /// # Errors
    /// When it cannot be run, or is killed.
    pub fn manage(&self, arguments: &[&str]) -> anyhow::Result<Outcome> {
        let mut command = self.command();
        command.args(arguments).env("WARREN_DATA", self.data()).stdin(Stdio::null());
        let output = command.output().context("cannot run warren")?;
        Ok(Outcome {
            code: output.status.code().context("warren was killed")?,
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a management command that must succeed, and returns what it printed.
    ///
    /// # Errors
    /// When it fails; the message holds what it wrote.
    pub fn managed(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let outcome = self.manage(arguments)?;
        anyhow::ensure!(outcome.code == 0, "warren {} ended with {outcome:?}", arguments.join(" "));
        Ok(outcome.output)
    }
}

/// The program's file: `CARGO_BIN_EXE_warren`, or beside the test's own folder.
///
/// # Panics
/// When it was not built.
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("CARGO_BIN_EXE_warren").filter(|path| path != OsStr::new("")) {
        return path.into();
    }
    let test = env::current_exe().expect("the test has a file");
    let beside = test.ancestors().skip(1).take(2).map(|folder| folder.join("warren")).find(|path| path.is_file());
    beside.expect("the program is not built beside this test; run: cargo build -p warren")
}
