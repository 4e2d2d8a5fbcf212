//! Where a server runs: a user, a folder of its own, and a command line.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tempfile::TempDir;

use super::unprivileged::Unprivileged;

/// Where a server runs.
#[derive(Debug)]
pub struct Seat {
    pub user: Unprivileged,
    pub command: Vec<String>,
    folder: TempDir,
    /// The signal that ends the server at once.
    ending: &'static str,
}

impl Seat {
    /// A folder that belongs to the user of the server's package, and no command line yet.
    ///
    /// # Errors
    /// When this is root and there is no such user.
    pub fn of(user: &str, prefix: &str, ending: &'static str) -> anyhow::Result<Self> {
        let user = Unprivileged::named(user)?;
        let folder = TempDir::with_prefix(prefix).context("cannot make a folder for a server")?;
        user.own(folder.path())?;
        Ok(Self { user, command: Vec::new(), folder, ending })
    }

    /// The folder that holds the data and everything else of the server.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a guardian is told: the folder, the ending signal, and the command line.
    pub fn guarded(&self) -> Vec<String> {
        let mut words = vec![self.folder().display().to_string(), self.ending.to_owned()];
        words.extend(self.command.iter().cloned());
        words
    }

    /// Leaves the folder's removal to a guardian.
    pub fn leave_folder(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// Writes a file that the server's user may read.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder().join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        self.user.own(&path)?;
        Ok(path)
    }
}
