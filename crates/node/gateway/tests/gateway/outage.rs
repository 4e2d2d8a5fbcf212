//! What survives when the control plane, the gateway or its keeper is away.

use std::{process::Stdio, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use warren_gateway::GatewayError;
use warren_model::Clock;
use warren_runtime::SystemClock;
use warren_wire::node::v1::{Change, Network, Peer};

use crate::{
    client::Client,
    control::TOKEN,
    process::{Process, wait_for},
    scenario::{Scenario, device, enrol, network},
};

/// A network with a client that reaches the gateway.
fn with_client() -> (Scenario, Network, Peer, Client) {
    let scenario = Scenario::start();
    let network = network(0);
    let peer = device(&network, 2);
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), vec![peer.clone()])]));
    let client = scenario.client(&network, 2, &["10.20.0.0/24"]);
    client.wait_until_reaches("10.20.0.1");
    (scenario, network, peer, client)
}

pub fn a_restarted_gateway_carries_traffic_without_the_control_plane() {
    let (mut scenario, network, peer, client) = with_client();
    scenario.control.go_away();
    assert!(client.reaches("10.20.0.1"));
    scenario.gateway.stop();
    assert!(!client.reaches("10.20.0.1"));
    scenario.restart_gateway();
    client.reconnect();
    client.wait_until_reaches("10.20.0.1");
    // What was changed meanwhile comes with the next link.
    scenario.control.change(Change::PeerRemoved { network: network.id, device: peer.device });
    scenario.control.come_back(&scenario.host);
    wait_for("the removal arrives", || (!client.reaches("10.20.0.1")).then_some(()));
    let boots = scenario.control.boots();
    assert!(boots.len() == 2 && boots[0] != boots[1], "{boots:?}");
}

pub fn a_peer_expires_while_the_control_plane_is_away() {
    let (mut scenario, network, mut peer, client) = with_client();
    peer.expires_at = Some(SystemClock.now() + Duration::from_secs(2));
    scenario.control.in_force(scenario.control.change(Change::PeerSet { network: network.id, peer }));
    scenario.control.go_away();
    assert!(client.reaches("10.20.0.1"));
    std::thread::sleep(Duration::from_millis(2100));
    assert!(!client.reaches("10.20.0.1"));
    // Expired is expired, also for a gateway that starts again.
    scenario.gateway.stop();
    scenario.restart_gateway();
    std::thread::sleep(Duration::from_millis(500));
    assert!(!client.reaches("10.20.0.1"));
}

pub fn a_reconnect_with_the_same_state_touches_nothing() {
    let (mut scenario, _, peer, client) = with_client();
    let mut pinging = std::process::Command::new("ping");
    pinging.args(["-n", "-q", "-i", "0.01", "-c", "200", "-W", "1", "10.20.0.1"]).stdout(Stdio::piped());
    let pinging = client.place.spawn(&mut pinging);
    for links in 2..5 {
        scenario.control.go_away();
        scenario.control.come_back(&scenario.host);
        wait_for("the gateway is back", || (scenario.control.links() >= links).then_some(()));
    }
    let printed = pinging.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("200 received, 0% packet loss"), "{printed}");
    let boots = scenario.control.boots();
    assert!(boots.iter().all(|boot| *boot == boots[0]));
    scenario.control.forget_heard();
    wait_for("the counters are told", || scenario.control.last_report(peer.device));
}

pub fn a_killed_gateway_leaves_nothing_in_the_way_of_the_next() {
    let (mut scenario, _, _, client) = with_client();
    let keeper = scenario.gateway.keeper();
    scenario.gateway.signal(Signal::SIGKILL);
    scenario.gateway.ended(Duration::from_secs(1));
    wait_for("the keeper ends by itself", || {
        (!std::path::Path::new(&format!("/proc/{keeper}")).exists()).then_some(())
    });
    assert_eq!(scenario.left_on_host(), Vec::<String>::new());
    scenario.restart_gateway();
    client.reconnect();
    client.wait_until_reaches("10.20.0.1");
}

pub fn a_killed_keeper_ends_the_gateway_and_the_next_start_is_clean() {
    let (mut scenario, _, _, client) = with_client();
    let keeper = scenario.gateway.keeper();
    kill(Pid::from_raw(keeper.cast_signed()), Signal::SIGKILL).unwrap();
    assert!(!scenario.gateway.ended(Duration::from_secs(3)).success());
    scenario.restart_gateway();
    client.reconnect();
    client.wait_until_reaches("10.20.0.1");
    scenario.gateway.stop();
    assert_eq!(scenario.left_on_host(), Vec::<String>::new());
}

pub fn both_killed_at_once_leave_what_the_next_start_replaces() {
    let (mut scenario, _, _, client) = with_client();
    let keeper = scenario.gateway.keeper();
    kill(Pid::from_raw(keeper.cast_signed()), Signal::SIGKILL).unwrap();
    scenario.gateway.signal(Signal::SIGKILL);
    scenario.gateway.ended(Duration::from_secs(1));
    scenario.restart_gateway();
    client.reconnect();
    client.wait_until_reaches("10.20.0.1");
    scenario.gateway.stop();
    assert_eq!(scenario.left_on_host(), Vec::<String>::new());
}

pub fn only_the_keeper_has_capabilities() {
    let (scenario, _, _, _client) = with_client();
    let status = |pid: u32, field: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let gateway = scenario.gateway.id();
    for entry in std::fs::read_dir(format!("/proc/{gateway}/task")).unwrap() {
        let thread: u32 = entry.unwrap().file_name().to_str().unwrap().parse().unwrap();
        for field in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(status(thread, field), "0000000000000000", "{field}");
        }
        assert_eq!(status(thread, "NoNewPrivs:"), "1");
    }
    let keeper = scenario.gateway.keeper();
    // CAP_NET_ADMIN is bit 12, CAP_SYS_ADMIN bit 21.
    assert_eq!(status(keeper, "CapPrm:"), "0000000000201000");
    assert_eq!(status(keeper, "NoNewPrivs:"), "1");
}

pub fn a_gateway_ends_when_its_parent_lets_go() {
    let mut scenario = Scenario::start();
    scenario.gateway.stop();
    let mut gateway = Process::start_with(
        &scenario.host,
        &scenario.state.path().join("gateway"),
        &scenario.control.address(),
        "standard-input",
        Stdio::piped(),
        &["tcp/8080"],
    );
    wait_for("it connects", || (scenario.control.links() == 2).then_some(()));
    gateway.let_go_of_input();
    assert!(gateway.ended(Duration::from_secs(3)).success());
    assert_eq!(scenario.left_on_host(), Vec::<String>::new());
}

pub fn the_link_goes_over_tls_and_over_a_socket_of_the_host() {
    let mut scenario = Scenario::start();
    scenario.gateway.stop();
    let folder = scenario.state.path().join("gateway");
    let socket = scenario.state.path().join("node.sock");
    scenario.control.listen_at(&socket);
    scenario.gateway = Process::start(&scenario.host, &folder, &format!("unix:{}", socket.display()));
    wait_for("the gateway connects to the socket", || (scenario.control.links() == 2).then_some(()));
    scenario.gateway.stop();
    let ca_file = scenario.state.path().join("ca.pem");
    let port = scenario.control.listen_with_tls(&scenario.host, &ca_file);
    let server = format!("https://localhost:{port}");
    // Without the certificate nobody is trusted.
    scenario.gateway = Process::start(&scenario.host, &folder, &server);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(scenario.control.links(), 2);
    scenario.gateway.stop();
    let ca_file = format!("ca-file={}", ca_file.display());
    let input = Stdio::null();
    scenario.gateway = Process::start_with(&scenario.host, &folder, &server, "signals", input, &[&ca_file]);
    wait_for("the gateway connects with TLS", || (scenario.control.links() == 3).then_some(()));
}

pub fn a_used_token_enrols_nobody_and_a_second_gateway_finds_the_folder_locked() {
    let scenario = Scenario::start();
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = enrol(&scenario.host, &scenario.control, "another", &elsewhere);
    assert!(
        matches!(&refused, Err(GatewayError::TokenRefused { reason }) if reason == "the token was used"),
        "{refused:?}"
    );
    wait_for("the first gateway connects", || (scenario.control.links() == 1).then_some(()));
    let locked = enrol(&scenario.host, &scenario.control, TOKEN, &scenario.state);
    assert!(matches!(locked, Err(GatewayError::Lock(_))), "{locked:?}");
    let folder = scenario.state.path().join("gateway");
    let mut second = Process::start(&scenario.host, &folder, &scenario.control.address());
    assert!(!second.ended(Duration::from_secs(3)).success());
}

/// Pings ten times a second while `disturb` works, and gives how many of them were lost.
fn lost_while(client: &Client, disturb: impl FnOnce()) -> u32 {
    const COUNT: u32 = 100;
    let mut pinging = std::process::Command::new("ping");
    let count = COUNT.to_string();
    pinging.args(["-n", "-q", "-i", "0.1", "-W", "1", "-c", &count, "10.20.0.1"]).stdout(Stdio::piped());
    let pinging = client.place.spawn(&mut pinging);
    std::thread::sleep(Duration::from_secs(1));
    disturb();
    let printed = pinging.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    let received = printed.split(", ").find_map(|part| part.strip_suffix(" received")).unwrap();
    COUNT - received.parse::<u32>().unwrap()
}

/// Waits until the gateway has written where its devices are.
fn wait_until_kept(scenario: &Scenario, peer: &Peer) {
    let path = scenario.state.path().join("gateway/whereabouts.json");
    wait_for("the client's whereabouts are kept", || {
        std::fs::read_to_string(&path).ok()?.contains(&peer.device.to_string()).then_some(())
    });
}

pub fn a_client_that_does_nothing_goes_on_within_two_seconds_of_a_restart() {
    let (mut scenario, _, peer, client) = with_client();
    wait_until_kept(&scenario, &peer);
    let lost = lost_while(&client, || {
        scenario.gateway.stop();
        scenario.restart_gateway();
    });
    assert!(lost < 20, "{lost} pings were lost");
    let lost = lost_while(&client, || {
        // The next one does not wait for what the first one's keeper still has to clean up.
        scenario.gateway.signal(Signal::SIGKILL);
        scenario.gateway.ended(Duration::from_secs(1));
        scenario.restart_gateway();
    });
    assert!(lost < 20, "{lost} pings were lost after a kill");
}

pub fn a_network_whose_interface_is_deleted_is_a_fault_and_made_anew() {
    let (scenario, network, _, client) = with_client();
    let (inside, _) = scenario.gateway.place_with("tunnel");
    let lost = lost_while(&client, || {
        inside.run("ip link delete tunnel");
        scenario.control.fault(network.id, "");
    });
    assert!(lost < 40, "{lost} pings were lost");
    client.wait_until_reaches("10.20.0.1");
}
