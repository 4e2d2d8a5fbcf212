//! The userspace carrier against stock clients.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lab;

use std::{
    net::IpAddr,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, mpsc},
    time::Duration,
};

use lab::{Client, Namespace, private_key, public_key};
use tokio::sync::oneshot;
use warren_gateway::{
    carrier::{PeerSettings, PeerStats},
    userspace::{Parts, Tunnel, bind},
};
use warren_model::{DeviceId, PresharedKey, PublicKey};
use warren_runtime::SystemClock;

const PORT: u16 = 51820;
const GATEWAY_IPV4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 9, 0, 1));
const GATEWAY_IPV6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0xfd09, 0, 0, 0, 0, 0, 0, 1));

/// A tunnel that runs in a namespace of its own.
struct Gateway {
    namespace: Namespace,
    tunnel: Arc<Tunnel>,
    runtime: tokio::runtime::Handle,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Gateway {
    fn start() -> Self {
        let namespace = Namespace::new("wgw");
        let (started, start) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        let thread = namespace.inside(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let tunnel = Arc::new(Tunnel::start(parts(), Arc::new(SystemClock)).await.unwrap());
                started.send((tunnel, tokio::runtime::Handle::current())).unwrap();
                let _ = ended.await;
            });
        });
        let (tunnel, runtime) = start.recv_timeout(Duration::from_secs(10)).expect("the tunnel starts");
        Self { namespace, tunnel, runtime, end: Some(end), thread: Some(thread) }
    }

    fn key() -> PublicKey {
        public_key(&private_key(200))
    }

    fn set(&self, peers: Vec<PeerSettings>) {
        self.runtime.block_on(self.tunnel.set_peers(peers)).unwrap();
    }

    fn remove(&self, devices: Vec<DeviceId>) {
        self.runtime.block_on(self.tunnel.remove_peers(devices)).unwrap();
    }

    fn stats(&self, device: DeviceId) -> PeerStats {
        let all = self.runtime.block_on(self.tunnel.stats());
        all.into_iter().find(|stats| stats.device == device).expect("the device is in force")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a tunnel in the calling thread's namespace is made of.
fn parts() -> Parts {
    Parts { tun: open_tun("tun0"), mtu: 1420, socket: bind(PORT).unwrap(), private_key: private_key(200) }
}

/// Opens a TUN device with offload in the calling thread's namespace, 10.9.0.1/24 and fd09::1/64 on it.
fn open_tun(name: &str) -> OwnedFd {
    let device =
        tun_rs::DeviceBuilder::new().name(name).offload(true).build_sync().expect("root may open /dev/net/tun");
    lab::run("ip", &["addr", "add", "10.9.0.1/24", "dev", name]);
    lab::run("ip", &["-6", "addr", "add", "fd09::1/64", "dev", name, "nodad"]);
    lab::run("ip", &["link", "set", name, "mtu", "1420", "up"]);
    device.as_fd().try_clone_to_owned().expect("a descriptor is free")
}

/// The endpoint that the client believes its gateway to be at.
fn gateway_endpoint(client: &Client) -> String {
    let shown = client.namespace.run("wg", &["show", &client.interface, "endpoints"]);
    shown.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn device(number: u32) -> DeviceId {
    format!("01900000-0000-7000-8000-{number:012x}").parse().unwrap()
}

fn peer_of(client: &Client) -> PeerSettings {
    PeerSettings {
        device: device(client.index.into()),
        public_key: client.public_key(),
        preshared_key: None,
        allowed: vec![IpAddr::from(client.ipv4()).into(), IpAddr::from(client.ipv6()).into()],
    }
}

/// Peers that nobody stands behind, with addresses of their own.
fn strangers(numbers: std::ops::Range<u32>) -> Vec<PeerSettings> {
    numbers
        .map(|number| {
            let mut key = [7; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            let host = std::net::Ipv4Addr::from(0x0a0a_0000 + number);
            PeerSettings {
                device: device(1000 + number),
                public_key: PublicKey::from_bytes(key).unwrap(),
                preshared_key: None,
                allowed: vec![IpAddr::from(host).into(), IpAddr::from(host.to_ipv6_mapped()).into()],
            }
        })
        .collect()
}

fn transfer(gateway: &Gateway, client: &Client, target: IpAddr, extra: &[&str]) -> f64 {
    let mut server = gateway
        .namespace
        .command("iperf3")
        .args(["-s", "-1", "-B", &target.to_string()])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    lab::wait_until("iperf3 to listen", || gateway.namespace.run("ss", &["-Hltn"]).contains(":5201"));
    let target = target.to_string();
    let mut arguments = vec!["-c", &target, "-t", "1", "-f", "m", "--connect-timeout", "3000"];
    arguments.extend(extra);
    let shown = client.namespace.run("iperf3", &arguments);
    server.wait().unwrap();
    let line = shown.lines().rev().find(|line| line.contains("receiver")).expect("iperf3 sums up").to_owned();
    let words: Vec<_> = line.split_whitespace().collect();
    let unit = words.iter().position(|word| word.starts_with("Mbits")).expect("a rate in Mbit/s");
    words[unit - 1].parse().unwrap()
}

#[test]
fn stock_clients_reach_the_gateway_and_back_over_ipv4_and_ipv6() {
    let gateway = Gateway::start();
    let client = Client::start(&gateway.namespace, 11);
    gateway.set(vec![peer_of(&client)]);
    for endpoint in ["192.168.11.1:51820", "[fd00:11::1]:51820"] {
        client.connect(&Gateway::key(), None, endpoint);
        for target in [GATEWAY_IPV4, GATEWAY_IPV6] {
            assert!(client.reaches(target), "{target} through {endpoint}");
            for extra in [&[][..], &["-R"][..]] {
                let rate = transfer(&gateway, &client, target, extra);
                assert!(rate > 10.0, "{rate} Mbit/s to {target} through {endpoint}, {extra:?}");
            }
        }
        for own in [IpAddr::from(client.ipv4()), client.ipv6().into()] {
            gateway.namespace.run("ping", &["-c1", "-W2", &own.to_string()]);
        }
    }
}

#[test]
fn changes_to_other_peers_lose_no_packet() {
    let gateway = Gateway::start();
    let client = Client::start(&gateway.namespace, 12);
    gateway.set(vec![peer_of(&client)]);
    client.connect(&Gateway::key(), None, "192.168.12.1:51820");
    assert!(client.reaches(GATEWAY_IPV4));
    let before = gateway.stats(device(12));
    let ping = client
        .namespace
        .command("ping")
        .args(["-q", "-c", "400", "-i", "0.01", "-W2", "10.9.0.1"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let others = strangers(0..200);
    for other in &others {
        gateway.set(vec![other.clone()]);
        std::thread::sleep(Duration::from_millis(5));
    }
    gateway.set(strangers(200..400));
    for other in &others {
        gateway.remove(vec![other.device]);
        std::thread::sleep(Duration::from_millis(5));
    }
    // The peer itself, unchanged and with one more prefix: its session must stand too.
    gateway.set(vec![peer_of(&client)]);
    let mut wider = peer_of(&client);
    wider.allowed.push("10.9.77.0/24".parse().unwrap());
    gateway.set(vec![wider]);
    let shown = String::from_utf8(ping.wait_with_output().unwrap().stdout).unwrap();
    assert!(shown.contains("400 packets transmitted, 400 received, 0% packet loss"), "{shown}");
    let after = gateway.stats(device(12));
    assert_eq!(after.last_handshake_at, before.last_handshake_at, "the session was made anew");
    assert!(after.received_bytes >= before.received_bytes + 400 * 84, "{before:?} {after:?}");
    assert_eq!(gateway.runtime.block_on(gateway.tunnel.stats()).len(), 201);
}

#[test]
fn a_preshared_key_is_honoured() {
    let gateway = Gateway::start();
    let client = Client::start(&gateway.namespace, 13);
    let (right, wrong) = (PresharedKey::from_bytes([3; 32]), PresharedKey::from_bytes([4; 32]));
    gateway.set(vec![PeerSettings { preshared_key: Some(right.clone()), ..peer_of(&client) }]);
    client.connect(&Gateway::key(), Some(&wrong), "192.168.13.1:51820");
    assert!(!client.reaches(GATEWAY_IPV4), "a wrong pre-shared key let a device in");
    client.connect(&Gateway::key(), Some(&right), "192.168.13.1:51820");
    assert!(client.reaches(GATEWAY_IPV4));
    // Another pre-shared key shuts the device out at once, not with the next handshake.
    gateway.set(vec![PeerSettings { preshared_key: Some(wrong), ..peer_of(&client) }]);
    assert!(!client.reaches(GATEWAY_IPV4));
}

#[test]
fn statistics_tell_what_passed_and_survive_removal() {
    let gateway = Gateway::start();
    let client = Client::start(&gateway.namespace, 14);
    gateway.set(vec![peer_of(&client)]);
    let stats = gateway.stats(device(14));
    assert_eq!((stats.last_handshake_at, stats.endpoint, stats.received_bytes, stats.sent_bytes), (None, None, 0, 0));
    client.connect(&Gateway::key(), None, "192.168.14.1:51820");
    assert!(client.reaches(GATEWAY_IPV4));
    let stats = gateway.stats(device(14));
    let age = warren_model::Clock::now(&SystemClock) - stats.last_handshake_at.expect("a handshake took place");
    assert!(age.whole_seconds() < 10, "{age}");
    assert_eq!(stats.endpoint.expect("an endpoint is known").ip(), "192.168.14.2".parse::<IpAddr>().unwrap());
    assert!(stats.received_bytes > 84 && stats.sent_bytes > 84, "{stats:?}");
    assert_eq!(gateway.stats(device(14)).last_handshake_at, stats.last_handshake_at);

    gateway.remove(vec![device(14)]);
    assert!(gateway.runtime.block_on(gateway.tunnel.stats()).is_empty());
    assert!(!client.reaches(GATEWAY_IPV4), "a removed device still gets through");
    gateway.set(vec![peer_of(&client)]);
    let again = gateway.stats(device(14));
    assert!(again.received_bytes >= stats.received_bytes && again.sent_bytes >= stats.sent_bytes, "{again:?}");
}

#[test]
fn replies_leave_from_the_address_that_was_dialled() {
    let gateway = Gateway::start();
    let client = Client::start(&gateway.namespace, 15);
    let route = gateway.namespace.run("ip", &["-o", "route", "get", "192.168.15.2"]);
    let interface = route.split_whitespace().nth(2).unwrap();
    gateway.namespace.run("ip", &["addr", "add", "192.168.15.77/24", "dev", interface]);
    gateway.namespace.run("ip", &["-6", "addr", "add", "fd00:15::77/64", "dev", interface, "nodad"]);
    gateway.set(vec![peer_of(&client)]);
    for endpoint in ["192.168.15.77:51820", "[fd00:15::77]:51820"] {
        client.connect(&Gateway::key(), None, endpoint);
        assert!(client.reaches(GATEWAY_IPV4));
        assert_eq!(gateway_endpoint(&client), endpoint);
    }
    // An address that leaves the machine meanwhile must not silence the gateway.
    client.connect(&Gateway::key(), None, "192.168.15.77:51820");
    assert!(client.reaches(GATEWAY_IPV4));
    gateway.namespace.run("ip", &["addr", "del", "192.168.15.77/24", "dev", interface]);
    gateway.namespace.run("ping", &["-c1", "-W2", &client.ipv4().to_string()]);
}

#[test]
fn one_of_ten_thousand_peers_is_removed_and_only_that_one() {
    let gateway = Gateway::start();
    gateway.set(strangers(0..10_000));
    gateway.remove(vec![device(1500)]);
    let left = gateway.runtime.block_on(gateway.tunnel.stats());
    assert_eq!(left.len(), 9_999);
    assert!(left.iter().all(|peer| peer.device != device(1500)));
}

#[test]
fn a_stopped_tunnel_frees_its_port_and_device() {
    let namespace = Namespace::new("wgw");
    namespace
        .inside(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                for round in 0..20 {
                    let tunnel = Tunnel::start(parts(), Arc::new(SystemClock)).await;
                    let tunnel = tunnel.unwrap_or_else(|error| panic!("round {round}: {error}"));
                    tunnel.set_peers(strangers(0..3)).await.unwrap();
                    tunnel.stop().await;
                }
            });
        })
        .join()
        .unwrap();
}

#[test]
fn a_port_in_use_is_named() {
    let namespace = Namespace::new("wgw");
    namespace
        .inside(|| {
            let _taken = std::net::UdpSocket::bind(("0.0.0.0", PORT)).unwrap();
            let error = bind(PORT).unwrap_err();
            assert_eq!(error.to_string(), "UDP port 51820 is in use; free it or give the network another port");
        })
        .join()
        .unwrap();
}
