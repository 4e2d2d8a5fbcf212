//! Places: network namespaces without a name, joined by cables. They go with the test.

use std::{
    fs::File,
    process::{Child, Command, Stdio},
    thread,
};

use nix::sched::{CloneFlags, setns, unshare};

/// Says what is missing for these tests.
pub fn require_tools() -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("these tests make network namespaces and have to run as root".into());
    }
    for (tool, package) in [
        ("wireguard-go", "wireguard-go"),
        ("wg", "wireguard-tools"),
        ("nft", "nftables"),
        ("ip", "iproute2"),
        ("ping", "iputils-ping"),
    ] {
        let found = ["/usr/bin", "/usr/sbin", "/sbin", "/bin"]
            .iter()
            .any(|folder| std::path::Path::new(folder).join(tool).exists());
        if !found {
            return Err(format!("{tool} is not installed; run: apt-get install {package}"));
        }
    }
    Ok(())
}

/// A network namespace.
pub struct Place(File);

impl Place {
    pub fn new() -> Self {
        let place = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        let place = Self(place.join().unwrap());
        place.run("ip link set lo up");
        place
    }

    /// The one that `path` under /proc stands for.
    pub fn open(path: &std::path::Path) -> Self {
        Self(File::open(path).unwrap())
    }

    /// Does `work` there, on a thread of its own.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let there = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            there.join().unwrap()
        })
    }

    pub fn spawn(&self, command: &mut Command) -> Child {
        self.inside(|| command.spawn().unwrap())
    }

    /// Runs a command line of plain words, which has to succeed; gives what it printed.
    pub fn run(&self, line: &str) -> String {
        let (success, printed) = self.attempt(line);
        assert!(success, "{line}: {printed}");
        printed
    }

    pub fn attempt(&self, line: &str) -> (bool, String) {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).stdin(Stdio::null());
        let output = self.inside(|| command.output().unwrap());
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
    }

    /// Lays a cable to `other`: `name` on both sides, each with its addresses.
    pub fn join(&self, other: &Self, name: &str, here: &[&str], there: &[&str]) {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/{}/fd/{}", std::process::id(), other.0.as_raw_fd());
        self.run(&format!("ip link add {name} type veth peer name {name} netns {path}"));
        for (place, addresses) in [(self, here), (other, there)] {
            for address in addresses {
                let nodad = if address.contains(':') { "nodad" } else { "" };
                place.run(&format!("ip address add {address} dev {name} {nodad}"));
            }
            place.run(&format!("ip link set {name} up"));
        }
    }
}
