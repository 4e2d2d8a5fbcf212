//! The main job, end to end: real processes, network namespaces, and the stock WireGuard client with the configuration
//! exactly as it was downloaded.
//!
//! Needs root, iproute2, nftables, wireguard-tools and wireguard-go; `cargo xtask test` installs them.

mod client;
mod isolation;
mod outage;
mod remote;
mod server;
mod traffic;

use std::time::Duration;

use warren_testkit::{
    installation::{FirstUse, Installation, wait_until},
    namespaces::{Namespace, Site},
};

/// How long a handshake may take on a busy machine; a client tries again every five seconds.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(20);

/// Starts Warren on the site's host, with a gateway that devices dial by the host's address, and sets it up.
fn installed(site: &Site) -> anyhow::Result<(Installation, FirstUse)> {
    let installation = Installation::inside(&site.host, &["--gateway-endpoint", Site::HOST_IPV4])?;
    let first = installation.first_use()?;
    gateway_online(&installation, "local")?;
    Ok((installation, first))
}

fn gateway_online(installation: &Installation, name: &str) -> anyhow::Result<()> {
    let online = || installation.managed(&["gateways", "show", name]).is_ok_and(|shown| shown.contains("  online\n"));
    wait_until("the gateway is online", HANDSHAKE_WITHIN, || online().then_some(()))
}

/// Pings once a hundredth of a second and counts what was lost.
struct Pings(warren_testkit::namespaces::Process);

impl Pings {
    fn begin(from: &Namespace, address: &str) -> anyhow::Result<Self> {
        let mut process = from.spawn(&format!("ping -i 0.01 -W 2 {address}"))?;
        process.wait_for("bytes from", HANDSHAKE_WITHIN)?;
        Ok(Self(process))
    }

    /// How many were sent, and how many of them were answered.
    fn end(self) -> anyhow::Result<(u64, u64)> {
        // The last one's answer is still on its way.
        std::thread::sleep(Duration::from_millis(50));
        let summary = self.0.interrupt(Duration::from_secs(5))?;
        let line = summary.lines().find(|line| line.contains("packets transmitted")).unwrap_or_default();
        let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        anyhow::ensure!(numbers.len() >= 2, "ping summed up nothing:\n{summary}");
        Ok((numbers[0], numbers[1]))
    }
}
