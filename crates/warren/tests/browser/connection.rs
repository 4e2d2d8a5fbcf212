//! A device on its way into the network, as the portal shows it: with the stock client, and when nothing comes.

use std::time::Duration;

use anyhow::Context;
use warren_testkit::{
    installation::{Installation, wait_until},
    namespaces::{Namespace, Site},
};

use crate::{client::StockClient, reader::Reader, value};

/// A client tries again every five seconds.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(20);
/// The gateway reports every second, and what it reports is pushed to the page.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// Does `work` in `namespace`: the browser, its driver and every socket are there.
fn browsing<T: Send>(namespace: &Namespace, work: impl AsyncFnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    namespace.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work())
    })?
}

/// Adds a device with a key of this browser's making, and returns its configuration.
async fn enrols(reader: &Reader, name: &str) -> anyhow::Result<String> {
    reader.visit("/o/northwind/devices/new").await?;
    reader.sees("[data-enrol][data-ready]").await?;
    reader.fill("#name", name).await?;
    reader.press("main button.first").await?;
    reader.content("#enrolment #configuration").await
}

#[test]
fn a_page_that_waits_shows_the_connection_its_bytes_and_its_end() -> anyhow::Result<()> {
    let site = Site::with_clients(1)?;
    let outside = &site.clients[0];
    let installation = Installation::inside(&site.host, &["--gateway-endpoint", Site::HOST_IPV4])?;
    browsing(&site.host, async || {
        let reader = Reader::who_sets_up(&installation).await?;
        wait_until("the gateway is online", HANDSHAKE_WITHIN, || {
            let shown = installation.managed(&["gateways", "show", "local"]).ok()?;
            shown.contains("  online\n").then_some(())
        })?;
        reader.makes_a_network("Office").await?;
        assert!(!reader.has(".notice").await?, "a gateway in order is warned of");
        let configuration = enrols(&reader, "Anna's laptop").await?;
        assert_eq!(reader.reads(".waiting[data-presence=offline] strong").await?, "Waiting for the first handshake…");

        let client = StockClient::up(outside, &configuration)?;
        let (prefix, _) = value(&configuration, "Address").split_once(".2/").context("the first address of a /24")?;
        let gateway = format!("{prefix}.1");
        wait_until("traffic flows", HANDSHAKE_WITHIN, || outside.run(&format!("ping -c 1 -W 1 {gateway}")).ok())?;
        reader.sees(".waiting[data-presence=online]").await?;
        assert_eq!(reader.reads(".waiting[data-presence=online] .when-online strong").await?, "Connected");
        reader.finds_it_in_order("device-connected").await?;

        reader.press("[data-download]").await?;
        reader.press("[data-device-link]").await?;
        assert_eq!(reader.reads(".head .badge").await?, "Connected");
        let before = reader.reads("[data-live=received]").await?;
        outside.run(&format!("ping -c 20 -i 0.05 -s 1000 {gateway}"))?;
        reader.waits_until_changed("[data-live=received]", &before, SHOWN_WITHIN).await?;
        let (received, sent) = client.transfer()?;
        assert!(received > 20_000 && sent > 20_000, "{received} {sent}");

        reader.press("main .button.danger").await?;
        reader.press("main button.danger").await?;
        reader.sees("main .notice").await?;
        assert_eq!(reader.reads(".head .badge").await?, "Revoked");
        wait_until("the revoked device is shut out", Duration::from_secs(2), || {
            outside.run(&format!("ping -c 1 -W 0.2 {gateway}")).is_err().then_some(())
        })
    })
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_explained_after_a_while() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let reader = Reader::who_sets_up(&installation).await?;
    reader.adds_a_gateway_at("127.0.0.1").await?;
    reader.makes_a_network("Office").await?;
    assert_eq!(reader.reads("#network > .notice + .notice h2").await?, "Devices elsewhere cannot find the gateway");
    enrols(&reader, "Anna's laptop").await?;
    reader.press("[data-download]").await?;
    reader.press("[data-device-link]").await?;
    reader.sees(".facts").await?;
    let notices = reader.reads("#waiting").await?;
    for part in ["The gateway has not joined yet", "connect to 127.0.0.1:51820, which only the gateway's own machine"] {
        assert!(notices.replace('’', "'").contains(part), "{part}: {notices}");
    }
    assert!(!reader.shows(".waiting .late h3").await?, "it is explained at once");

    // The twenty seconds that the style sheet waits pass now.
    let passed =
        "return document.getAnimations().filter((a) => a.animationName === 'late').map((a) => a.finish()).length";
    assert_eq!(reader.script(passed).await?.as_i64(), Some(1));
    let explained = reader.reads(".waiting .late").await?;
    assert!(explained.contains("UDP port 51820 is open") && explained.contains("reaches 127.0.0.1"), "{explained}");
    reader.finds_it_in_order("device-late").await
}
