//! The Debian packages that the tests need, each with its reason, and their installation.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::services;

/// A Debian package and how to see that what it brings is there, from wherever it came.
struct Package {
    name: &'static str,
    brings: Brings,
    reason: &'static str,
}

enum Brings {
    Command(&'static str),
    File(&'static str),
}

const fn command(name: &'static str, command: &'static str, reason: &'static str) -> Package {
    Package { name, brings: Brings::Command(command), reason }
}

const PACKAGES: &[Package] = &[
    command("iproute2", "ip", "network namespaces, the hosts that end-to-end tests run on"),
    command("nftables", "nft", "the gateway's forwarding and address translation"),
    command("wireguard-tools", "wg", "the stock client's configuration reader"),
    command("wireguard-go", "wireguard-go", "the stock client's tunnel where the kernel has none"),
    command("iputils-ping", "ping", "shows that no packet is lost across a change"),
    command("iperf3", "iperf3", "the load of the throughput tests"),
    command("util-linux", "setpriv", "ends the browser's driver and the database servers together with their test"),
    command("sqlite3", "sqlite3", "a second reader of the databases"),
    command("mariadb-server", "mariadbd", "the MariaDB that tests start for themselves"),
    command("mariadb-client", "mariadb", "makes and removes the databases of tests on MariaDB"),
    Package {
        name: "postgresql-15",
        brings: Brings::File("/usr/lib/postgresql/15/bin/postgres"),
        reason: "the PostgreSQL that tests start for themselves",
    },
    Package {
        name: "postgresql-client-15",
        brings: Brings::File("/usr/lib/postgresql/15/bin/psql"),
        reason: "makes and removes the databases of tests on PostgreSQL",
    },
    command(
        "redis-server",
        "redis-server",
        "the Redis that tests start for themselves, with the client that it brings",
    ),
    command("nats-server", "nats-server", "the NATS that tests start for themselves"),
    command("chromium", "chromium", "the browser that the portal is tried in"),
    command("chromium-driver", "chromedriver", "drives the browser by WebDriver"),
    Package {
        name: "fonts-noto-core",
        brings: Brings::File("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf"),
        reason: "text in screenshots",
    },
    Package {
        name: "python3-aiosmtpd",
        brings: Brings::File("/usr/lib/python3/dist-packages/aiosmtpd/smtp.py"),
        reason: "the mail server that tests start for themselves",
    },
    command("npm", "npm", "fetches axe-core, which judges the pages' accessibility"),
];

/// Where programs are that only root has in its search path on Debian.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Installs what is missing when run as root.
///
/// # Errors
/// When something is missing and this is not root (the message has the command that installs it), or apt-get fails.
pub fn install() -> anyhow::Result<()> {
    if is_root() {
        services::let_go_of_left_over()?;
    }
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !is_there(&package.brings)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("The tests need Debian packages that are not on this machine:");
    for package in &missing {
        println!("  {:<18} {}", package.name, package.reason);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !is_root() {
        bail!(
            "only root may install them; run this and then `cargo xtask test` again:\n  \
             sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
            names.join(" ")
        );
    }
    let _held = services::Held::back()?;
    apt_get(&["update"])?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], names.as_slice()].concat())?;
    let still: Vec<&str> = missing.iter().filter(|package| !is_there(&package.brings)).map(|p| p.name).collect();
    if !still.is_empty() {
        bail!("apt-get installed {} without bringing what the tests look for", still.join(", "));
    }
    Ok(())
}

/// Whether a program of this name can be run.
pub fn has_command(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(SYSTEM_FOLDERS.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).any(|file| file.is_file())
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn is_there(brings: &Brings) -> bool {
    match brings {
        Brings::Command(name) => has_command(name),
        Brings::File(path) => Path::new(path).exists(),
    }
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    println!("$ apt-get {}", arguments.join(" "));
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .context("cannot run apt-get; on a system other than Debian, install the packages above by hand")?;
    if !status.success() {
        bail!("apt-get {} failed: {status}", arguments.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_on_the_path_and_an_invented_one_is_not() {
        assert!(has_command("sh"));
        assert!(!has_command("warren-no-such-command"));
    }

    #[test]
    fn each_package_is_listed_once() {
        for (index, package) in PACKAGES.iter().enumerate() {
            assert!(!package.reason.is_empty(), "{}", package.name);
            assert!(PACKAGES[..index].iter().all(|other| other.name != package.name), "{}", package.name);
        }
    }
}
