//! Keeps the services of newly installed packages from starting: tests start servers of their own, and a machine that
//! tests something else need not run a MariaDB and a PostgreSQL on their usual ports because of that.
//!
//! By Debian's own means, a program that is asked before any service is started (policy-rc.d, described in invoke-rc.d(8)).

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;

const POLICY: &str = "/usr/sbin/policy-rc.d";
/// 101 says that the action is forbidden.
const NOTHING_STARTS: &str =
    "#!/bin/sh\n# Made by `cargo xtask test` while it installs packages; may be removed.\nexit 101\n";

/// As long as the value lives, no service is started by an installation.
#[derive(Debug)]
pub struct Held(Option<PathBuf>);

impl Held {
    /// Begins to hold services back. A policy that the machine has already is left alone.
    ///
    /// # Errors
    /// When the policy cannot be written.
    pub fn back() -> anyhow::Result<Self> {
        Self::by(Path::new(POLICY))
    }

    fn by(policy: &Path) -> anyhow::Result<Self> {
        if policy.exists() {
            return Ok(Self(None));
        }
        fs::write(policy, NOTHING_STARTS).with_context(|| format!("cannot write {}", policy.display()))?;
        let held = Self(Some(policy.to_owned()));
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(policy) = &self.0 {
            let _ = fs::remove_file(policy);
        }
    }
}

/// Removes the policy of an installation that was broken off.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn let_go_of_left_over() -> anyhow::Result<()> {
    remove_ours(Path::new(POLICY))
}

fn remove_ours(policy: &Path) -> anyhow::Result<()> {
    let ours = fs::read_to_string(policy).is_ok_and(|text| text == NOTHING_STARTS);
    if !ours {
        return Ok(());
    }
    fs::remove_file(policy).with_context(|| format!("cannot remove {}", policy.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn policy(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("warren-policy-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    #[test]
    fn a_policy_forbids_starts_while_it_is_held() {
        let path = policy("held");
        let held = Held::by(&path).unwrap();
        let status = Command::new(&path).args(["postgresql", "start"]).status().unwrap();
        assert_eq!(status.code(), Some(101));
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn a_policy_of_the_machine_stays_and_a_left_over_one_goes() {
        let path = policy("kept");
        fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
        drop(Held::by(&path).unwrap());
        remove_ours(&path).unwrap();
        assert!(path.exists());
        fs::write(&path, NOTHING_STARTS).unwrap();
        remove_ours(&path).unwrap();
        assert!(!path.exists());
    }
}
