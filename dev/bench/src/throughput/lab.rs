//! Client, gateway and server in namespaces of their own, and the measurement between them.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use warren_model::{PrivateKey, PublicKey};

use super::{Contender, Direction, Load, Sample, gateway::public_key};

pub const INTERFACE: &str = "benchgw";
pub const MTU: u16 = 1420;
pub const PORT: u16 = 51820;
pub const GATEWAY_KEY: [u8; 32] = [0x51; 32];
pub const CLIENT_KEY: [u8; 32] = [0x52; 32];
pub const CLIENT_ADDRESS: &str = "10.9.0.2/32";

const CLIENT: &str = "benchclient";
const SERVER_ADDRESS: &str = "10.8.0.2";
/// How long anything may take to come up.
const START_MAX: Duration = Duration::from_secs(10);

/// A gateway with a client before it and a server behind. Everything is gone on drop.
pub struct Lab {
    gateway: Process,
    _others: Vec<Process>,
    namespaces: Namespaces,
}

impl Lab {
    /// Starts everything and waits until the client reaches the server.
    pub fn set_up(contender: Contender) -> anyhow::Result<Self> {
        let namespaces = Namespaces::make()?;
        let gateway = start_gateway(&namespaces, contender)?;
        let client = start_wireguard_go(&namespaces.client, CLIENT)?;
        configure(
            &namespaces.client,
            CLIENT,
            CLIENT_KEY,
            &format!(
                "[Peer]\nPublicKey = {}\nAllowedIPs = 10.8.0.0/15\nEndpoint = 192.168.1.1:{PORT}\n",
                PublicKey::from_bytes(public_key(GATEWAY_KEY).to_bytes())?
            ),
        )?;
        run_in(&namespaces.client, &["ip", "addr", "add", CLIENT_ADDRESS, "dev", CLIENT])?;
        run_in(&namespaces.client, &["ip", "link", "set", CLIENT, "mtu", &MTU.to_string(), "up"])?;
        run_in(&namespaces.client, &["ip", "route", "add", "10.8.0.0/15", "dev", CLIENT])?;
        let server = Process::start(&namespaces.server, &["iperf3", "-s"])?;
        wait(|| Ok(run_in(&namespaces.server, &["ss", "-Hltn"])?.contains(":5201")), "iperf3 to listen")?;
        wait(
            || Ok(run_in(&namespaces.client, &["ping", "-c1", "-W1", SERVER_ADDRESS]).is_ok()),
            "the client to reach the server",
        )?;
        Ok(Self { gateway, _others: vec![client, server], namespaces })
    }

    /// One transfer.
    pub fn measure(&self, load: Load, length: Duration) -> anyhow::Result<Sample> {
        let (streams, seconds) = (load.streams.to_string(), length.as_secs().to_string());
        let mut command = vec!["iperf3", "-J", "-c", SERVER_ADDRESS, "-P", &streams, "-t", &seconds, "-O", "1"];
        if load.direction == Direction::Download {
            command.push("-R");
        }
        let before = self.gateway.cpu_seconds()?;
        let shown = run_in(&self.namespaces.client, &command)?;
        let cpu_seconds = self.gateway.cpu_seconds()? - before;
        let shown: serde_json::Value = serde_json::from_str(&shown).context("iperf3's answer")?;
        let number = |path| shown.pointer(path).and_then(serde_json::Value::as_f64).context("a figure of iperf3");
        let bits_per_second = number("/end/sum_received/bits_per_second")?;
        // The first second is left out of the rate and not of the processor time.
        let gigabytes = bits_per_second * (length.as_secs_f64() + 1.0) / 8e9;
        Ok(Sample { bits_per_second, cpu_seconds_per_gigabyte: cpu_seconds / gigabytes })
    }
}

fn start_gateway(namespaces: &Namespaces, contender: Contender) -> anyhow::Result<Process> {
    let this = std::env::current_exe()?;
    let this = this.to_str().context("this program's path is no text")?;
    let namespace = &namespaces.gateway;
    let process = match contender {
        Contender::Warren => Process::start(namespace, &[this, "throughput-gateway", "warren"])?,
        Contender::Gotatun => Process::start(namespace, &[this, "throughput-gateway", "gotatun"])?,
        Contender::WireguardGo => {
            let process = start_wireguard_go(namespace, INTERFACE)?;
            let client = PublicKey::from_bytes(public_key(CLIENT_KEY).to_bytes())?;
            let peer = format!("ListenPort = {PORT}\n[Peer]\nPublicKey = {client}\nAllowedIPs = {CLIENT_ADDRESS}\n");
            configure(namespace, INTERFACE, GATEWAY_KEY, &peer)?;
            process
        }
    };
    wait(|| Ok(run_in(namespace, &["ip", "link", "show", INTERFACE]).is_ok()), "the gateway's interface")?;
    run_in(namespace, &["ip", "addr", "add", "10.9.0.1/24", "dev", INTERFACE])?;
    run_in(namespace, &["ip", "link", "set", INTERFACE, "mtu", &MTU.to_string(), "up"])?;
    Ok(process)
}

fn start_wireguard_go(namespace: &str, interface: &str) -> anyhow::Result<Process> {
    let socket = format!("/var/run/wireguard/{interface}.sock");
    let _ = std::fs::remove_file(&socket);
    let process = Process::start(namespace, &["wireguard-go", "-f", interface])?;
    wait(|| Ok(Path::new(&socket).exists()), "wireguard-go (Debian's wireguard-go)")?;
    Ok(process)
}

fn configure(namespace: &str, interface: &str, key: [u8; 32], rest: &str) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(
        file.path(),
        format!("[Interface]\nPrivateKey = {}\n{rest}", PrivateKey::from_bytes(key).expose_base64()),
    )?;
    let path = file.path().to_str().context("the temporary directory is no text")?;
    run_in(namespace, &["wg", "setconf", interface, path])?;
    Ok(())
}

/// The three namespaces and the cables between them.
struct Namespaces {
    client: String,
    gateway: String,
    server: String,
}

impl Namespaces {
    fn make() -> anyhow::Result<Self> {
        let name = |role: &str| format!("bench-{role}-{}", std::process::id());
        let made = Self { client: name("client"), gateway: name("gateway"), server: name("server") };
        for namespace in [&made.client, &made.gateway, &made.server] {
            run(&["ip", "netns", "add", namespace])?;
            run_in(namespace, &["ip", "link", "set", "lo", "up"])?;
        }
        cable(&made.gateway, "toclient", "192.168.1.1/24", &made.client, "togateway", "192.168.1.2/24")?;
        cable(&made.gateway, "toserver", "10.8.0.1/24", &made.server, "togateway", "10.8.0.2/24")?;
        run_in(&made.gateway, &["sysctl", "-qw", "net.ipv4.ip_forward=1"])?;
        run_in(&made.server, &["ip", "route", "add", "default", "via", "10.8.0.1"])?;
        Ok(made)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for namespace in [&self.client, &self.gateway, &self.server] {
            let _ = run(&["ip", "netns", "del", namespace]);
        }
    }
}

fn cable(left: &str, one: &str, one_address: &str, right: &str, two: &str, two_address: &str) -> anyhow::Result<()> {
    run(&["ip", "link", "add", one, "netns", left, "type", "veth", "peer", "name", two, "netns", right])?;
    for (namespace, interface, address) in [(left, one, one_address), (right, two, two_address)] {
        run_in(namespace, &["ip", "addr", "add", address, "dev", interface])?;
        run_in(namespace, &["ip", "link", "set", interface, "up"])?;
    }
    Ok(())
}

/// A program in a namespace; killed on drop.
struct Process(Child);

impl Process {
    fn start(namespace: &str, command: &[&str]) -> anyhow::Result<Self> {
        let child = Command::new("ip")
            .args(["netns", "exec", namespace])
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start ip (Debian's iproute2)")?;
        Ok(Self(child))
    }

    /// User and system time so far. `ip netns exec` becomes the program that it starts, so the child is that program.
    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields = stat.rsplit_once(") ").context("/proc/…/stat")?.1.split(' ').collect::<Vec<_>>();
        ensure!(fields.len() > 12, "/proc/…/stat is short");
        Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / TICKS_PER_SECOND)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run_in(namespace: &str, command: &[&str]) -> anyhow::Result<String> {
    run(&[&["ip", "netns", "exec", namespace], command].concat())
}

fn run(command: &[&str]) -> anyhow::Result<String> {
    let shown = command.join(" ");
    let output = Command::new(command[0]).args(&command[1..]).output().with_context(|| shown.clone())?;
    if !output.status.success() {
        bail!("{shown}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn wait(mut is_so: impl FnMut() -> anyhow::Result<bool>, what: &str) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_MAX;
    while !is_so()? {
        ensure!(Instant::now() < deadline, "waited {} s for {what}", START_MAX.as_secs());
        sleep(Duration::from_millis(50));
    }
    Ok(())
}
