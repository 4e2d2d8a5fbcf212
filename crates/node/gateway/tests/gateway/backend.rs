//! Which part carries the packets: the kernel where it can, the gateway itself elsewhere.

use std::{process::Stdio, time::Duration};

use warren_gateway::kernel;
use warren_wire::node::v1::Backend;

use crate::{
    process::{Process, wait_for},
    scenario::{Scenario, device, network},
};

/// Starts the scenario's gateway again with a backend of its own.
fn start_with(scenario: &mut Scenario, backend: &str) {
    scenario.gateway.stop();
    let folder = scenario.state.path().join("gateway");
    let (server, links) = (scenario.control.address(), scenario.control.links());
    let more = format!("backend={backend}");
    scenario.gateway = Process::start_with(&scenario.host, &folder, &server, "signals", Stdio::null(), &[&more]);
    wait_for("the gateway connects", || (scenario.control.links() > links).then_some(()));
}

#[expect(clippy::print_stdout, reason = "who runs this in a virtual machine wants to see that it was tried")]
pub fn the_kernel_carries_where_it_can() {
    let scenario = Scenario::start();
    let expected = if kernel::is_available() { Backend::Kernel } else { Backend::Userspace };
    assert_eq!(scenario.control.backend(), Some(expected));
    let network = network(0);
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), vec![device(&network, 2)])]));
    let client = scenario.client(&network, 2, &["10.20.0.0/24"]);
    client.wait_until_reaches("10.20.0.1");
    let (_, links) = scenario.gateway.place_with("tunnel");
    let kind = if expected == Backend::Kernel { "wireguard" } else { "tun type tun" };
    assert!(links.contains(kind), "{links}");
    if expected == Backend::Kernel {
        println!("the gateway is carried by the kernel");
    }
}

pub fn the_backend_that_was_asked_for_carries() {
    let mut scenario = Scenario::start();
    start_with(&mut scenario, "userspace");
    assert_eq!(scenario.control.backend(), Some(Backend::Userspace));
    if kernel::is_available() {
        start_with(&mut scenario, "kernel");
        assert_eq!(scenario.control.backend(), Some(Backend::Kernel));
        return;
    }
    scenario.gateway.stop();
    let folder = scenario.state.path().join("gateway");
    let server = scenario.control.address();
    let more = ["backend=kernel"];
    let mut refused = Process::start_with(&scenario.host, &folder, &server, "signals", Stdio::null(), &more);
    assert!(!refused.ended(Duration::from_secs(3)).success());
    let missing = warren_gateway::preflight(warren_gateway::BackendChoice::Kernel).unwrap_err();
    assert_eq!(missing[0].remedy(), "sudo modprobe wireguard");
}

pub fn sockets_have_room_for_bursts() {
    let mut scenario = Scenario::start();
    start_with(&mut scenario, "userspace");
    let network = network(0);
    scenario.control.in_force(scenario.control.want(vec![(network.clone(), vec![])]));
    // The kernel doubles what it is asked for (socket(7)); its own limit is 208 KiB on most systems.
    let sockets = scenario.host.run("ss -Hlunm");
    assert!(sockets.contains("rb16777216") && sockets.contains("tb16777216"), "{sockets}");
}
