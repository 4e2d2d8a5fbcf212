//! What stock clients see of a gateway that runs.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use uuid::Uuid;
use warren_wire::node::v1::{Change, DeviceTraffic, Network, Peer};

use crate::{
    process::{Process, wait_for},
    scenario::{SERVER, SERVER_IPV6, SERVER_NET, SERVER_NET_IPV6, Scenario, device, get_http, network, serve_http},
};

pub fn a_stock_client_reaches_a_server_behind_the_gateway() {
    let mut scenario = Scenario::start();
    let network = network(0);
    let version = scenario.control.want(vec![(network.clone(), vec![device(&network, 2)])]);
    scenario.control.in_force(version);
    serve_http(&scenario.server, "[::]:80");
    let client = scenario.client(&network, 2, &["10.20.0.0/24", "fd00:20::/64", SERVER_NET, SERVER_NET_IPV6]);
    client.wait_until_reaches("10.20.0.1");
    assert!(client.reaches("fd00:20::1"));
    assert_eq!(get_http(&client.place, &format!("{SERVER}:80")).unwrap(), "hello ::ffff:198.51.100.1");
    assert_eq!(get_http(&client.place, &format!("[{SERVER_IPV6}]:80")).unwrap(), "hello 2001:db8:51::1");
    let report = wait_for("the traffic is reported", || {
        scenario.control.last_report(device(&network, 2).device).filter(|report| report.received_bytes > 500)
    });
    assert!(report.last_handshake_at.is_some() && report.sent_bytes > 500);
    assert_eq!(report.endpoint.unwrap().ip().to_string(), "192.0.0.10");
    scenario.gateway.stop();
    assert_eq!(scenario.left_on_host(), Vec::<String>::new());
}

pub fn a_removed_peer_is_cut_off_within_a_second() {
    let scenario = Scenario::start();
    let network = network(0);
    let peer = device(&network, 2);
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), vec![peer.clone()])]));
    let client = scenario.client(&network, 2, &["10.20.0.0/24"]);
    client.wait_until_reaches("10.20.0.1");
    let before = wait_for("a report", || scenario.control.last_report(peer.device));
    let removal = Change::PeerRemoved { network: network.id, device: peer.device };
    let taken = scenario.control.in_force(scenario.control.change(removal));
    assert!(taken < Duration::from_millis(500), "{taken:?}");
    assert!(!client.reaches("10.20.0.1"));
    // The counters go on where they were when it comes back.
    scenario.control.in_force(scenario.control.change(Change::PeerSet { network: network.id, peer: peer.clone() }));
    client.reconnect();
    client.wait_until_reaches("10.20.0.1");
    wait_for("a higher count is reported", || {
        let now = scenario.control.last_report(peer.device)?;
        assert!(now.received_bytes >= before.received_bytes && now.sent_bytes >= before.sent_bytes);
        (now.received_bytes > before.received_bytes).then_some(())
    });
}

pub fn networks_with_the_same_prefix_never_reach_each_other() {
    let scenario = Scenario::start();
    let (one, other) = (network(1), network(2));
    let wanted =
        vec![(one.clone(), vec![device(&one, 2)]), (other.clone(), vec![device(&other, 2), device(&other, 3)])];
    scenario.control.in_force(scenario.control.want(wanted));
    let first = scenario.client(&one, 2, &["10.20.0.0/24", "100.64.0.0/10", "198.51.100.0/24"]);
    let second = scenario.client(&other, 3, &["10.20.0.0/24"]);
    first.wait_until_reaches("10.20.0.1");
    second.wait_until_reaches("10.20.0.1");
    // Device 3 exists in the other network only.
    serve_http(&second.place, "10.20.0.3:80");
    assert!(!first.reaches("10.20.0.3"));
    assert!(get_http(&first.place, "10.20.0.3:80").is_err());
    // Not even a network with all routes reaches the ways of others to the host, or the host itself.
    let mut open = one.clone();
    open.routes = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
    scenario.control.in_force(scenario.control.change(Change::NetworkSet { network: open }));
    serve_http(&scenario.host, "0.0.0.0:8080");
    for address in (0..4).map(|last| format!("100.127.192.{last}:8080")).chain(["198.51.100.1:8080".to_owned()]) {
        assert!(get_http(&first.place, &address).is_err(), "{address}");
    }
    assert!(!first.reaches("100.127.192.1") || !first.reaches("100.127.192.3"), "one of them is the other network's");
}

pub fn a_change_to_one_device_loses_no_packet_of_another() {
    const CHANGES: u8 = 200;
    let scenario = Scenario::start();
    let network = network(0);
    let peers = vec![device(&network, 2), device(&network, 3)];
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), peers)]));
    let client = scenario.client(&network, 2, &["10.20.0.0/24"]);
    client.wait_until_reaches("10.20.0.1");
    let mut pinging = Command::new("ping");
    pinging.args(["-n", "-q", "-i", "0.01", "-c", "400", "-W", "1", "10.20.0.1"]).stdout(Stdio::piped());
    let pinging = client.place.spawn(&mut pinging);
    let begin = Instant::now();
    for number in 0..CHANGES {
        let peer = device(&network, 3);
        let change = match number % 4 {
            0 => Change::PeerRemoved { network: network.id, device: peer.device },
            1 => Change::PeerSet { network: network.id, peer },
            2 => {
                let mut other_key = peer;
                other_key.public_key = device(&network, 77).public_key;
                Change::PeerSet { network: network.id, peer: other_key }
            }
            _ => {
                let mut settings = network.clone();
                settings.mtu = 1380 + u16::from(number % 40);
                Change::NetworkSet { network: settings }
            }
        };
        let version = scenario.control.change(change);
        thread::sleep(Duration::from_millis(15));
        scenario.control.in_force(version);
    }
    assert!(begin.elapsed() > Duration::from_secs(3));
    let printed = pinging.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("400 packets transmitted, 400 received, 0% packet loss"), "{printed}");
}

pub fn device_traffic_is_as_the_network_says() {
    let scenario = Scenario::start();
    let mut network = network(0);
    let peers = vec![device(&network, 2), device(&network, 3)];
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), peers)]));
    let first = scenario.client(&network, 2, &["10.20.0.0/24", "fd00:20::/64"]);
    let second = scenario.client(&network, 3, &["10.20.0.0/24", "fd00:20::/64"]);
    second.wait_until_reaches("10.20.0.1");
    first.wait_until_reaches("10.20.0.3");
    assert!(first.reaches("fd00:20::3"));
    serve_http(&second.place, "10.20.0.3:80");
    assert_eq!(get_http(&first.place, "10.20.0.3:80").unwrap(), "hello 10.20.0.2");
    network.device_traffic = DeviceTraffic::Blocked;
    scenario.control.in_force(scenario.control.change(Change::NetworkSet { network: network.clone() }));
    assert!(!first.reaches("10.20.0.3") && !first.reaches("fd00:20::3"));
    assert!(get_http(&first.place, "10.20.0.3:80").is_err());
    assert!(first.reaches("10.20.0.1"));
}

pub fn devices_go_only_where_routes_lead() {
    let scenario = Scenario::start();
    let mut network = network(0);
    network.routes = vec!["10.20.0.0/24".parse().unwrap()];
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), vec![device(&network, 2)])]));
    serve_http(&scenario.server, "[::]:80");
    let client = scenario.client(&network, 2, &["0.0.0.0/1", SERVER_NET_IPV6, "fd00:20::/64", SERVER_NET]);
    client.wait_until_reaches("10.20.0.1");
    assert!(get_http(&client.place, &format!("{SERVER}:80")).is_err());
    network.routes = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap(), SERVER_NET.parse().unwrap()];
    scenario.control.in_force(scenario.control.change(Change::NetworkSet { network: network.clone() }));
    assert_eq!(get_http(&client.place, &format!("{SERVER}:80")).unwrap(), "hello ::ffff:198.51.100.1");
    assert_eq!(get_http(&client.place, &format!("[{SERVER_IPV6}]:80")).unwrap(), "hello 2001:db8:51::1");
}

pub fn devices_reach_only_the_named_ports_of_the_host() {
    let mut scenario = Scenario::start();
    scenario.gateway.stop();
    let folder = scenario.state.path().join("gateway");
    let server = scenario.control.address();
    scenario.gateway = Process::start_with(&scenario.host, &folder, &server, "signals", Stdio::null(), &["tcp/8080"]);
    let mut network = network(0);
    network.routes = vec!["0.0.0.0/0".parse().unwrap()];
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), vec![device(&network, 2)])]));
    let client = scenario.client(&network, 2, &["10.20.0.0/24", SERVER_NET]);
    client.wait_until_reaches("10.20.0.1");
    serve_http(&scenario.host, "198.51.100.1:8080");
    serve_http(&scenario.host, "198.51.100.1:8081");
    assert_eq!(get_http(&client.place, "198.51.100.1:8080").unwrap(), "hello 100.127.192.1");
    assert!(get_http(&client.place, "198.51.100.1:8081").is_err());
    assert!(client.reaches("198.51.100.1"));
}

pub fn another_port_or_key_makes_another_tunnel() {
    let scenario = Scenario::start();
    let network = network(0);
    let peer = device(&network, 2);
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), vec![peer.clone()])]));
    let client = scenario.client(&network, 2, &["10.20.0.0/24"]);
    client.wait_until_reaches("10.20.0.1");
    let mut moved = network.clone();
    moved.listen_port += 1;
    scenario.control.in_force(scenario.control.change(Change::NetworkSet { network: moved.clone() }));
    assert!(!client.reaches("10.20.0.1"));
    moved.listen_port -= 1;
    scenario.control.in_force(scenario.control.change(Change::NetworkSet { network: moved }));
    client.reconnect();
    client.wait_until_reaches("10.20.0.1");
}

pub fn a_port_that_is_taken_becomes_a_fault_and_is_tried_again() {
    let scenario = Scenario::start();
    let (network, healthy) = (network(0), network(1));
    let holder = scenario.host.inside(|| std::net::UdpSocket::bind(("0.0.0.0", network.listen_port)).unwrap());
    let wanted = vec![(network.clone(), vec![device(&network, 2)]), (healthy.clone(), vec![device(&healthy, 2)])];
    let version = scenario.control.want(wanted);
    scenario.control.fault(network.id, "51808 is in use");
    let client = scenario.client(&healthy, 2, &["10.20.0.0/24"]);
    client.wait_until_reaches("10.20.0.1");
    drop(holder);
    scenario.control.in_force(version);
    let mut stranger = device(&network, 5);
    stranger.device = Uuid::from_u128(9);
    stranger.public_key = "not a key".into();
    scenario.control.change(Change::PeerSet { network: network.id, peer: stranger });
    scenario.control.fault(network.id, "not a WireGuard key");
}

#[expect(clippy::print_stdout, reason = "the measurement is worth reading")]
pub fn changes_among_ten_thousand_devices_come_into_force() {
    const CHANGES: u32 = 100;
    let scenario = Scenario::start();
    let mut network = network(0);
    network.ipv4 = Some("10.20.0.0/16".parse().unwrap());
    let peers: Vec<_> = (2..10_002).map(|number| numbered(&network, number)).collect();
    let version = scenario.control.want(vec![(network.clone(), peers)]);
    scenario.control.in_force_within(version, Duration::from_secs(60));
    for (kind, make) in [
        (
            "a new device",
            (|network, number| {
                let mut peer = numbered(network, 20_000 + number);
                peer.public_key = numbered(network, 40_000 + number).public_key;
                Change::PeerSet { network: network.id, peer }
            }) as fn(&Network, u32) -> Change,
        ),
        ("a new pre-shared key", |network, number| {
            let mut peer = numbered(network, 2 + number * 33);
            peer.preshared_key = Some(numbered(network, 30_000 + number).public_key);
            Change::PeerSet { network: network.id, peer }
        }),
        ("a new key", |network, number| {
            let mut peer = numbered(network, 2 + number * 33);
            peer.public_key = numbered(network, 30_000 + number).public_key;
            Change::PeerSet { network: network.id, peer }
        }),
        ("a removal", |network, number| Change::PeerRemoved {
            network: network.id,
            device: numbered(network, 2 + number * 33).device,
        }),
    ] {
        let mut times: Vec<_> = (0..CHANGES).map(|number| scenario.control.time(make(&network, number))).collect();
        times.sort();
        let [median, slow] = [times[times.len() / 2], times[times.len() * 99 / 100]];
        println!("{kind} among 10,000 is in force after {median:?}, p99 {slow:?}");
    }
}

/// A device of a /16 with a key that nobody holds.
fn numbered(network: &Network, number: u32) -> Peer {
    let mut key = [9; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    let mut peer = device(network, 0);
    peer.device = Uuid::from_u128(0x9000_0000 + u128::from(number));
    peer.public_key = warren_model::PublicKey::from_bytes(key).unwrap().to_string();
    peer.ipv4 = Some((0x0a14_0000 + number).into());
    peer.ipv6 = None;
    peer
}
