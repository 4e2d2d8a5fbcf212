//! The kernel carrier against stock clients. On a kernel without WireGuard it can only be seen to say so;
//! `crates/node/gateway/tests/machine/run` runs this on Debian's kernel in a virtual machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lab;

use std::{fs::File, net::IpAddr, os::fd::AsFd, process::Stdio, sync::mpsc};

use lab::{Client, Namespace, private_key, public_key};
use warren_gateway::{
    carrier::{CarrierError, PeerSettings, PeerStats},
    kernel::{Interface, Parts, is_available},
};
use warren_model::{DeviceId, PresharedKey, PublicKey};

const PORT: u16 = 51820;

/// An interface in a namespace of its own, its socket in another.
struct Gateway {
    host: Namespace,
    inside: Namespace,
}

impl Gateway {
    fn new() -> Self {
        Self { host: Namespace::new("kh"), inside: Namespace::new("ki") }
    }

    /// Makes an interface on a thread in the host's namespace, as the keeper does.
    fn create(&self, name: &'static str) -> Result<Interface, CarrierError> {
        let inside = File::open(format!("/run/netns/{}", self.inside.name())).unwrap();
        let (made, make) = mpsc::channel();
        let thread = self.host.inside(move || {
            let key = private_key(200);
            let parts = Parts { name, inside: inside.as_fd(), mtu: 1420, listen_port: PORT, private_key: key };
            made.send(Interface::create(&parts)).unwrap();
        });
        thread.join().unwrap();
        make.recv().unwrap()
    }

    fn ping_from_inside(&self, target: IpAddr) {
        self.inside.run("ping", &["-c1", "-W5", &target.to_string()]);
    }
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

fn strangers(count: u32) -> Vec<PeerSettings> {
    let stranger = |number: u32| {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        let host = std::net::Ipv4Addr::from(0x0a0a_0000 + number);
        PeerSettings {
            device: device(1000 + number),
            public_key: PublicKey::from_bytes(key).unwrap(),
            preshared_key: None,
            allowed: vec![IpAddr::from(host).into()],
        }
    };
    (0..count).map(stranger).collect()
}

fn stats_of(interface: &mut Interface, client: &Client) -> PeerStats {
    let wanted = device(client.index.into());
    interface.stats().unwrap().into_iter().find(|stats| stats.device == wanted).expect("the device is in force")
}

#[test]
fn the_kernel_carries_stock_clients_where_it_has_wireguard() {
    let gateway = Gateway::new();
    if !is_available() {
        assert!(matches!(gateway.create("tunnel"), Err(CarrierError::NoKernelWireGuard)));
        return;
    }
    let mut interface = gateway.create("tunnel").unwrap();
    for address in ["10.9.0.1/24", "fd09::1/64"] {
        gateway.inside.run("ip", &["addr", "add", address, "dev", "tunnel", "nodad"]);
    }
    interface.set_up().unwrap();
    let client = Client::start(&gateway.host, 21);
    interface.set_peers(vec![peer_of(&client)]).unwrap();
    assert_eq!(stats_of(&mut interface, &client).last_handshake_at, None);

    let key = public_key(&private_key(200));
    for endpoint in ["192.168.21.1:51820", "[fd00:21::1]:51820"] {
        client.connect(&key, None, endpoint);
        assert!(client.reaches("10.9.0.1".parse().unwrap()), "IPv4 through {endpoint}");
        assert!(client.reaches("fd09::1".parse().unwrap()), "IPv6 through {endpoint}");
        gateway.ping_from_inside(client.ipv4().into());
    }

    changes_to_others_lose_nothing(&gateway, &mut interface, &client);
    removal_shuts_out_and_keeps_the_bytes(&mut interface, &client);
    a_preshared_key_is_honoured(&mut interface, &client, &key);

    // Its port is the host's: a second interface cannot have it, and can once the first is gone.
    let mut second = gateway.create("second").unwrap();
    assert!(matches!(second.set_up(), Err(CarrierError::PortInUse { port: PORT })));
    assert!(matches!(gateway.create("second"), Err(CarrierError::System { .. })), "a name was given twice");
    interface.remove().unwrap();
    second.set_up().unwrap();
    second.remove().unwrap();
    assert!(!gateway.inside.run("ip", &["-o", "link"]).contains("tunnel"));
    println!("carried by the kernel");
}

fn changes_to_others_lose_nothing(gateway: &Gateway, interface: &mut Interface, client: &Client) {
    let before = stats_of(interface, client);
    assert_eq!(before.endpoint.unwrap().ip(), "fd00:21::2".parse::<IpAddr>().unwrap());
    let ping = client
        .namespace
        .command("ping")
        .args(["-q", "-c", "300", "-i", "0.01", "-W5", "10.9.0.1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let others = strangers(200);
    for other in &others {
        interface.set_peers(vec![other.clone()]).unwrap();
    }
    // More prefixes than one message holds, so that one peer comes back in parts.
    let mut wide = others[0].clone();
    wide.allowed = (0..400_u32).map(|number| IpAddr::from((0x0a14_0000 + number).to_be_bytes()).into()).collect();
    interface.set_peers(vec![wide]).unwrap();
    assert_eq!(interface.stats().unwrap().len(), 201);
    assert!(matches!(
        interface.set_peers(vec![PeerSettings { public_key: public_key(&private_key(200)), ..others[1].clone() }]),
        Err(CarrierError::OwnKey { .. })
    ));
    interface.remove_peers(others.iter().map(|other| other.device).collect()).unwrap();
    let mut wider = peer_of(client);
    wider.allowed.push("10.9.77.0/24".parse().unwrap());
    interface.set_peers(vec![wider]).unwrap();
    let shown = String::from_utf8(ping.wait_with_output().unwrap().stdout).unwrap();
    assert!(shown.contains("300 packets transmitted, 300 received, 0% packet loss"), "{shown}");
    let after = stats_of(interface, client);
    assert_eq!(after.last_handshake_at, before.last_handshake_at, "the session was made anew");
    assert!(after.received_bytes > before.received_bytes + 300 * 84, "{before:?} {after:?}");
    assert!(gateway.host.run("ss", &["-Hlun"]).contains(":51820"), "the socket is not in the host's namespace");
}

fn removal_shuts_out_and_keeps_the_bytes(interface: &mut Interface, client: &Client) {
    let before = stats_of(interface, client);
    interface.remove_peers(vec![before.device]).unwrap();
    assert!(interface.stats().unwrap().is_empty());
    assert!(!client.reaches("10.9.0.1".parse().unwrap()), "a removed device still gets through");
    interface.set_peers(vec![peer_of(client)]).unwrap();
    let after = stats_of(interface, client);
    assert!(after.received_bytes >= before.received_bytes && after.sent_bytes >= before.sent_bytes);
}

fn a_preshared_key_is_honoured(interface: &mut Interface, client: &Client, key: &PublicKey) {
    let shared = PresharedKey::from_bytes([3; 32]);
    interface.set_peers(vec![PeerSettings { preshared_key: Some(shared.clone()), ..peer_of(client) }]).unwrap();
    client.connect(key, Some(&PresharedKey::from_bytes([4; 32])), "192.168.21.1:51820");
    assert!(!client.reaches("10.9.0.1".parse().unwrap()), "a wrong pre-shared key let a device in");
    client.connect(key, Some(&shared), "192.168.21.1:51820");
    assert!(client.reaches("10.9.0.1".parse().unwrap()));
}
