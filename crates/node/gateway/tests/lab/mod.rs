//! Network namespaces with stock WireGuard clients in them, wired to one in which a gateway runs.
//!
//! Needs root, iproute2, wireguard-go and wireguard-tools; what is missing is named by the panic.

use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::sched::{CloneFlags, setns};
use warren_model::{PresharedKey, PrivateKey, PublicKey};

/// Distinguishes what one test process makes from what others make at the same time.
static NEXT: AtomicU32 = AtomicU32::new(0);

fn fresh(prefix: &str) -> String {
    format!("{prefix}{:x}{:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A network namespace that is removed on drop.
pub struct Namespace(String);

impl Namespace {
    pub fn new(prefix: &str) -> Self {
        let name = fresh(prefix);
        run("ip", &["netns", "add", &name]);
        let made = Self(name);
        made.run("ip", &["link", "set", "lo", "up"]);
        made
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    /// Runs a program inside and returns what it printed; panics when it fails.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        succeed(self.command(program).args(arguments), program, arguments)
    }

    pub fn try_run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().expect("iproute2 is installed")
    }

    /// Runs `work` on a thread of its own inside; threads that it starts are inside too.
    pub fn inside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
        let file = File::open(format!("/run/netns/{}", self.0)).expect("the namespace exists");
        thread::spawn(move || {
            setns(file, CloneFlags::CLONE_NEWNET).expect("root may enter a network namespace");
            work()
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).stderr(Stdio::null()).status();
    }
}

/// Joins two namespaces by a virtual cable: 192.168.`index`.1 and fd00:`index`::1 on the left side, `.2` on the right.
pub fn cable(left: &Namespace, right: &Namespace, index: u8) {
    let (one, two) = (fresh("va"), fresh("vb"));
    run(
        "ip",
        &["link", "add", &one, "netns", left.name(), "type", "veth", "peer", "name", &two, "netns", right.name()],
    );
    for (side, interface, host) in [(left, &one, 1), (right, &two, 2)] {
        side.run("ip", &["addr", "add", &format!("192.168.{index}.{host}/24"), "dev", interface]);
        side.run("ip", &["-6", "addr", "add", &format!("fd00:{index}::{host}/64"), "dev", interface, "nodad"]);
        side.run("ip", &["link", "set", interface, "up"]);
    }
}

/// A stock client: wireguard-go, configured with wireguard-tools.
pub struct Client {
    pub namespace: Namespace,
    pub interface: String,
    pub private_key: PrivateKey,
    pub index: u8,
    process: Child,
}

impl Client {
    /// Starts a client on a cable of its own to `gateway`, with the addresses 10.9.0.(`index`) and fd09::`index`.
    pub fn start(gateway: &Namespace, index: u8) -> Self {
        let namespace = Namespace::new("wc");
        cable(gateway, &namespace, index);
        let interface = fresh("wg");
        let process = namespace
            .command("wireguard-go")
            .args(["-f", &interface])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("iproute2 is installed");
        let socket = format!("/var/run/wireguard/{interface}.sock");
        wait_until("wireguard-go to start (Debian package wireguard-go)", || std::path::Path::new(&socket).exists());
        let private_key = private_key(index);
        Self { namespace, interface, private_key, index, process }
    }

    pub fn public_key(&self) -> PublicKey {
        public_key(&self.private_key)
    }

    pub fn ipv4(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 9, 0, self.index)
    }

    pub fn ipv6(&self) -> Ipv6Addr {
        Ipv6Addr::new(0xfd09, 0, 0, 0, 0, 0, 0, self.index.into())
    }

    /// Configures the client as its user would, the gateway being at `endpoint`.
    pub fn connect(&self, gateway: &PublicKey, preshared_key: Option<&PresharedKey>, endpoint: &str) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("client.conf");
        let shared = preshared_key.map(|key| format!("PresharedKey = {}\n", key.expose_base64())).unwrap_or_default();
        std::fs::write(
            &path,
            format!(
                "[Interface]\nPrivateKey = {}\n[Peer]\nPublicKey = {gateway}\n{shared}AllowedIPs = 10.9.0.0/24, fd09::/64\n\
                 Endpoint = {endpoint}\n",
                self.private_key.expose_base64()
            ),
        )
        .unwrap();
        self.namespace.run("wg", &["setconf", &self.interface, path.to_str().unwrap()]);
        for address in [format!("{}/24", self.ipv4()), format!("{}/64", self.ipv6())] {
            self.namespace.run("ip", &["addr", "replace", &address, "dev", &self.interface, "nodad"]);
        }
        self.namespace.run("ip", &["link", "set", &self.interface, "mtu", "1420", "up"]);
    }

    /// Whether `target` answers one ping within two seconds.
    pub fn reaches(&self, target: IpAddr) -> bool {
        self.namespace.try_run("ping", &["-c1", "-W2", &target.to_string()]).status.success()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(format!("/var/run/wireguard/{}.sock", self.interface));
    }
}

/// A private key that is the same for the same number.
pub fn private_key(number: u8) -> PrivateKey {
    PrivateKey::from_bytes([number.max(1); 32])
}

pub fn public_key(private_key: &PrivateKey) -> PublicKey {
    let secret = x25519_dalek::StaticSecret::from(*private_key.expose_bytes());
    PublicKey::from_bytes(x25519_dalek::PublicKey::from(&secret).to_bytes()).unwrap()
}

pub fn run(program: &str, arguments: &[&str]) -> String {
    succeed(Command::new(program).args(arguments), program, arguments)
}

fn succeed(command: &mut Command, program: &str, arguments: &[&str]) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    assert!(
        output.status.success(),
        "{program} {} failed (root and Debian's iproute2, wireguard-go, wireguard-tools, iperf3 are needed): {}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited ten seconds for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
