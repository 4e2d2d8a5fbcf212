//! A stock client: Debian's wireguard-go, set up with `wg setconf` and `ip`.

use std::{
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tempfile::NamedTempFile;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::{process::wait_for, world::Place};

/// A Curve25519 key pair in Base64, made from a number.
pub struct KeyPair {
    pub private: String,
    pub public: String,
}

pub fn key_pair(number: u8) -> KeyPair {
    let private = StaticSecret::from([number.max(1); 32]);
    let public = PublicKey::from(&private);
    KeyPair { private: STANDARD.encode(private.to_bytes()), public: STANDARD.encode(public.to_bytes()) }
}

/// One wireguard-go in its place.
pub struct Client {
    pub place: Place,
    interface: String,
    configuration: NamedTempFile,
    daemon: Child,
}

/// What a client's configuration file says.
pub struct Profile<'a> {
    pub private_key: &'a str,
    pub addresses: &'a [&'a str],
    pub gateway_key: &'a str,
    pub endpoint: &'a str,
    pub allowed: &'a [&'a str],
}

impl Client {
    pub fn start(place: Place, number: u8, profile: &Profile) -> Self {
        // The control socket's name is in a folder that all namespaces share.
        let interface = format!("wt{}n{number}", std::process::id());
        let daemon = place
            .spawn(Command::new("wireguard-go").args(["-f", &interface]).stdout(Stdio::null()).stderr(Stdio::null()));
        let socket = format!("/var/run/wireguard/{interface}.sock");
        wait_for("wireguard-go listens", || Path::new(&socket).exists().then_some(()));
        let mut configuration = NamedTempFile::new().unwrap();
        let Profile { private_key, gateway_key, endpoint, allowed, .. } = profile;
        let allowed_ips = allowed.join(", ");
        write!(
            configuration,
            "[Interface]\nPrivateKey = {private_key}\n\
             [Peer]\nPublicKey = {gateway_key}\nEndpoint = {endpoint}\nAllowedIPs = {allowed_ips}\nPersistentKeepalive = 1\n"
        )
        .unwrap();
        place.run(&format!("wg setconf {interface} {}", configuration.path().display()));
        for address in profile.addresses {
            let nodad = if address.contains(':') { "nodad" } else { "" };
            place.run(&format!("ip address add {address} dev {interface} {nodad}"));
        }
        place.run(&format!("ip link set {interface} mtu 1420 up"));
        for net in *allowed {
            let family = if net.contains(':') { "-6" } else { "-4" };
            place.run(&format!("ip {family} route replace {net} dev {interface}"));
        }
        Self { place, interface, configuration, daemon }
    }

    /// Switches off and on: a client would otherwise notice a lost session only after 15 seconds (WireGuard paper, 6.2).
    pub fn reconnect(&self) {
        self.place.run(&format!("wg set {} private-key /dev/null", self.interface));
        self.place.run(&format!("wg setconf {} {}", self.interface, self.configuration.path().display()));
    }

    /// Whether an echo comes back within a second.
    pub fn reaches(&self, address: &str) -> bool {
        self.place.attempt(&format!("ping -n -c 1 -W 1 {address}")).0
    }

    pub fn wait_until_reaches(&self, address: &str) {
        wait_for(&format!("{} reaches {address}", self.interface), || self.reaches(address).then_some(()));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let _ = std::fs::remove_file(format!("/var/run/wireguard/{}.sock", self.interface));
    }
}
