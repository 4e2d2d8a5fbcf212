//! Parts that die: the gateway comes back by itself, and the control plane's death is not noticed by traffic.

use std::{thread, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use warren_testkit::{
    installation::wait_until,
    namespaces::{Namespace, Site},
};

use crate::{HANDSHAKE_WITHIN, Pings, client::StockClient, gateway_online, installed};

/// A client finds out after 15 seconds that its session is gone (WireGuard's KEEPALIVE_TIMEOUT and REKEY_TIMEOUT).
const BACK_WITHIN: Duration = Duration::from_secs(40);

fn answers(from: &Namespace) -> bool {
    from.run("ping -c 1 -W 1 10.20.0.1").is_ok()
}

#[test]
fn a_killed_gateway_comes_back_and_so_does_the_traffic() -> anyhow::Result<()> {
    let site = Site::with_clients(1)?;
    let (mut installation, first) = installed(&site)?;
    installation.expect_error("the gateway ended; it is started again");
    let network = first.operator.create_network(&first.organisation, "Office", "10.20.0.0/24", &[])?;
    let laptop = first.operator.enrol(&first.organisation, &network, "laptop")?;
    let _client = StockClient::up(&site.clients[0], &laptop.configuration.text)?;
    wait_until("traffic flows", HANDSHAKE_WITHIN, || answers(&site.clients[0]).then_some(()))?;

    let before = installation.gateway_id();
    kill(Pid::from_raw(before.unwrap_or_default()), Signal::SIGKILL)?;
    wait_until("another gateway runs", Duration::from_secs(10), || {
        installation.gateway_id().filter(|id| Some(*id) != before)
    })?;
    wait_until("traffic flows again", BACK_WITHIN, || answers(&site.clients[0]).then_some(()))?;
    gateway_online(&installation, "local")
}

#[test]
fn a_killed_control_plane_takes_its_gateway_over_again_and_traffic_notices_nothing() -> anyhow::Result<()> {
    let site = Site::with_clients(1)?;
    let (mut installation, mut first) = installed(&site)?;
    let network = first.operator.create_network(&first.organisation, "Office", "10.20.0.0/24", &[])?;
    let laptop = first.operator.enrol(&first.organisation, &network, "laptop")?;
    let _client = StockClient::up(&site.clients[0], &laptop.configuration.text)?;
    let pings = Pings::begin(&site.clients[0], "10.20.0.1")?;
    let gateway = installation.gateway_id();

    installation.kill()?;
    thread::sleep(Duration::from_secs(2));
    installation.start_again()?;
    assert_eq!(installation.gateway_id(), gateway, "the gateway was not taken over");
    assert!(installation.said("Gateway").is_some_and(|said| said.contains("taken over")));
    gateway_online(&installation, "local")?;
    first.operator.follow(&installation);
    let before = first.operator.device(&first.organisation, &laptop.device)?.live.received_bytes;
    wait_until("the new control plane counts on", Duration::from_secs(10), || {
        let device = first.operator.device(&first.organisation, &laptop.device).ok()?;
        (device.live.online && device.live.received_bytes > before).then_some(())
    })?;
    let (sent, answered) = pings.end()?;
    assert!(sent > 150, "only {sent} pings were sent across the outage");
    assert_eq!(sent, answered, "packets were lost while the control plane was away");

    // Changes reach the gateway that was taken over.
    first.operator.revoke(&first.organisation, &laptop.device)?;
    wait_until("the revoked device is shut out", Duration::from_secs(2), || {
        (!answers(&site.clients[0])).then_some(())
    })?;
    let took = installation.stop()?;
    assert!(took < Duration::from_secs(5));
    assert!(installation.gateway_id().is_none_or(|id| kill(Pid::from_raw(id), None).is_err()), "the gateway lives on");
    Ok(())
}
