//! The user that a server runs as: both servers refuse root, and Debian's packages bring a user for each.

use std::{
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::Command,
};

use anyhow::Context;
use nix::unistd::{Uid, User};

/// The package's user when the test is root, the test's own otherwise.
#[derive(Debug)]
pub struct Unprivileged(Option<User>);

impl Unprivileged {
    /// Looks the user up.
    ///
    /// # Errors
    /// When this is root and there is no such user.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        if !Uid::effective().is_root() {
            return Ok(Self(None));
        }
        let user = User::from_name(name)?;
        user.map(|user| Self(Some(user)))
            .with_context(|| format!("there is no user {name}; `cargo xtask test` installs the server that brings it"))
    }

    /// A program that is to run as the user, without anything of the test's environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs([("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C.UTF-8")]).current_dir("/");
        if let Some(user) = &self.0 {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Gives a file or folder to the user.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn own(&self, path: &Path) -> anyhow::Result<()> {
        let Some(user) = &self.0 else { return Ok(()) };
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .with_context(|| format!("cannot give {} to {}", path.display(), user.name))
    }
}
