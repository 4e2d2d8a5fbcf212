//! A gateway on another host, joined by a token over TLS.

use std::fs;

use warren_testkit::{
    installation::{Installation, binary},
    namespaces::Site,
};

use crate::{HANDSHAKE_WITHIN, client::StockClient, gateway_online};

/// A certificate for the site's host that signs itself, and its key.
fn certificate(folder: &std::path::Path) -> anyhow::Result<(String, String)> {
    let made = rcgen::generate_simple_self_signed([Site::HOST_IPV4.to_owned()])?;
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    fs::write(&certificate, made.cert.pem())?;
    fs::write(&key, made.signing_key.serialize_pem())?;
    Ok((certificate.display().to_string(), key.display().to_string()))
}

#[test]
fn a_gateway_on_another_host_joins_by_token_and_carries_traffic() -> anyhow::Result<()> {
    let site = Site::with_clients(2)?;
    let [far, outside] = &site.clients[..] else { anyhow::bail!("two clients") };
    let folder = tempfile::tempdir()?;
    let (certificate, key) = certificate(folder.path())?;
    let listen = format!("{}:8443", Site::HOST_IPV4);
    let installation = Installation::inside(
        &site.host,
        &["--listen", &listen, "--tls-cert", &certificate, "--tls-key", &key, "--no-gateway"],
    )?;
    assert_eq!(installation.portal(), format!("https://{listen}"));

    // 192.0.2.10 is the address of the first client's host, which becomes the gateway.
    let told = installation.managed(&["gateways", "create", "fra-1", "192.0.2.10"])?;
    let token = told.split("--token ").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    let state = folder.path().join("gateway").display().to_string();
    let program = binary().display().to_string();
    let place = format!("--server {} --state {state} --ca-file {certificate}", installation.portal());
    let joined = far.run(&format!("{program} gateway join {place} --token {token}"))?;
    assert!(joined.contains("fra-1") && joined.contains("warren gateway run"), "{joined}");
    assert!(far.run(&format!("{program} gateway join {place} --token {token}")).is_err(), "the token worked twice");
    let _gateway = far.spawn(&format!("{program} gateway run {place}"))?;
    gateway_online(&installation, "fra-1")?;

    installation.managed(&["organisations", "create", "northwind", "Northwind Ltd"])?;
    installation.managed(&["networks", "create", "Office", "--ipv4", "10.20.0.0/24"])?;
    installation.managed(&["people", "invite", "anna@example.org", "Anna Berg"])?;
    let configuration = installation.managed(&["devices", "enrol", "laptop"])?;
    assert!(configuration.contains("Endpoint = 192.0.2.10:51820"), "{configuration}");
    let _client = StockClient::up(outside, &configuration)?;
    warren_testkit::installation::wait_until("traffic flows", HANDSHAKE_WITHIN, || {
        outside.run("ping -c 1 -W 1 10.20.0.1").ok()
    })?;
    Ok(())
}
