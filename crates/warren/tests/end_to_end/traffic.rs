//! One organisation: a device reaches a server behind the gateway, is seen, is revoked; others notice nothing of it.

use std::time::{Duration, Instant};

use warren_testkit::{installation::wait_until, namespaces::Site};
use warren_wire::rest::v1::UpdateDevice;

use crate::{Pings, client::StockClient, installed, server};

#[test]
fn a_device_reaches_a_server_behind_the_gateway_is_seen_and_revoked() -> anyhow::Result<()> {
    let site = Site::with_clients(1)?;
    let address = format!("{}:80", Site::SERVER_IPV4);
    server::serve(&site.server, &address)?;
    let (installation, first) = installed(&site)?;
    let network = first.operator.create_network(&first.organisation, "Office", "10.20.0.0/24", &[Site::INSIDE_IPV4])?;
    let laptop = first.operator.enrol(&first.organisation, &network, "Anna's laptop")?;
    assert!(laptop.configuration.text.contains(&format!("Endpoint = {}:51820", Site::HOST_IPV4)));

    let outside = &site.clients[0];
    assert!(server::request(outside, &address).is_err(), "the server is reached without a tunnel");
    let client = StockClient::up(outside, &laptop.configuration.text)?;
    let answer = server::request(outside, &address)?;
    assert!(answer.ends_with("inside"), "{answer}");

    let seen = wait_until("the API shows the device online with its bytes", Duration::from_secs(10), || {
        let device = first.operator.device(&first.organisation, &laptop.device).ok()?;
        (device.live.online && device.live.received_bytes > 0 && device.live.sent_bytes > 0).then_some(device)
    })?;
    assert!(seen.live.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("192.0.2.10:")), "{seen:?}");
    let (received, sent) = client.transfer()?;
    assert!(received >= seen.live.sent_bytes / 2 && sent >= seen.live.received_bytes / 2, "{received} {sent} {seen:?}");

    first.operator.revoke(&first.organisation, &laptop.device)?;
    let revoked = Instant::now();
    wait_until("a revoked device is shut out", Duration::from_secs(1), || {
        outside.run("ping -c 1 -W 0.2 10.20.0.1").is_err().then_some(())
    })?;
    assert!(revoked.elapsed() < Duration::from_secs(1), "it took {:?}", revoked.elapsed());
    assert!(server::request(outside, &address).is_err());
    drop(client);
    drop(installation);
    Ok(())
}

#[test]
fn two_hundred_changes_of_one_device_cost_another_no_packet() -> anyhow::Result<()> {
    let site = Site::with_clients(1)?;
    let (_installation, first) = installed(&site)?;
    let organisation = &first.organisation;
    let network = first.operator.create_network(organisation, "Office", "10.20.0.0/24", &[])?;
    let steady = first.operator.enrol(organisation, &network, "steady")?;
    let restless = first.operator.enrol(organisation, &network, "restless")?;
    let _client = StockClient::up(&site.clients[0], &steady.configuration.text)?;
    let pings = Pings::begin(&site.clients[0], "10.20.0.1")?;

    let path = warren_testkit::installation::device_path(organisation, &restless.device);
    for number in 0..200 {
        let standing = if number % 2 == 0 { "disabled" } else { "enabled" };
        let body = UpdateDevice { standing: Some(standing.into()), ..UpdateDevice::default() };
        let reply = first.operator.patch(&path, "*", &body)?;
        assert!(reply.status.is_success(), "{reply:?}");
    }
    let (sent, answered) = pings.end()?;
    assert!(sent > 50, "only {sent} pings were sent while the changes were made");
    assert_eq!(sent, answered, "packets were lost");
    Ok(())
}
