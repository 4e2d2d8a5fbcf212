//! Two organisations on one gateway with the same addresses: both work, and neither reaches the other.

use warren_testkit::namespaces::Site;

use crate::{client::StockClient, installed, server};

const PREFIX: &str = "10.77.0.0/24";

#[test]
fn two_organisations_use_the_same_prefix_and_never_meet() -> anyhow::Result<()> {
    let site = Site::with_clients(3)?;
    let address = format!("{}:80", Site::SERVER_IPV4);
    server::serve(&site.server, &address)?;
    let (installation, first) = installed(&site)?;
    let operator = &first.operator;
    operator.create_organisation("contoso")?;
    let northwind = operator.create_network("northwind", "Office", PREFIX, &[Site::INSIDE_IPV4])?;
    let contoso = operator.create_network("contoso", "Office", PREFIX, &[Site::INSIDE_IPV4])?;
    assert_ne!(northwind.endpoint, contoso.endpoint);

    let [one, two, other] = &site.clients[..] else { anyhow::bail!("three clients") };
    let first_device = operator.enrol("northwind", &northwind, "one")?;
    let second_device = operator.enrol("northwind", &northwind, "two")?;
    installation.managed(&["people", "invite", "ben@example.org", "Ben Carter", "-o", "contoso"])?;
    let other_configuration = installation.managed(&["devices", "enrol", "other", "-o", "contoso"])?;
    let shared = first_device.device.ipv4.unwrap_or_default();
    assert!(
        other_configuration.contains(&format!("Address = {shared}/32")),
        "both organisations begin at the same address"
    );

    let _one = StockClient::up(one, &first_device.configuration.text)?;
    let _two = StockClient::up(two, &second_device.configuration.text)?;
    let _other = StockClient::up(other, &other_configuration)?;
    for client in [one, two, other] {
        assert!(server::request(client, &address)?.ends_with("inside"));
    }

    // Within the organisation devices meet; the other organisation's device finds nobody at the same address.
    let second_address = second_device.device.ipv4.unwrap_or_default();
    server::serve(two, &format!("{second_address}:8000"))?;
    assert!(server::request(one, &format!("{second_address}:8000"))?.ends_with("inside"));
    assert!(server::request(other, &format!("{second_address}:8000")).is_err(), "organisations reach each other");
    one.run(&format!("ping -c 1 -W 2 {second_address}"))?;
    assert!(other.run(&format!("ping -c 1 -W 2 {second_address}")).is_err(), "organisations reach each other");
    Ok(())
}
