//! The portal's main paths in a real browser.

// The stock client of the end-to-end tests.
#[path = "../end_to_end/client.rs"]
mod client;
mod background;
mod code;
mod connection;
mod reader;
mod settings;

use reader::{PASSWORD, Reader};
use warren_testkit::{
    browser::{Scheme, Viewport},
    installation::Installation,
};
use x25519_dalek::{PublicKey, StaticSecret};

/// The value of `key` in a configuration.
fn value<'a>(configuration: &'a str, key: &str) -> &'a str {
    let line = configuration.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
    line.unwrap_or_else(|| panic!("no {key} in:\n{configuration}"))
}

/// What the QR code on the page says.
async fn code_on(reader: &Reader) -> anyhow::Result<String> {
    let squares = reader.sees(".qr-plate svg path").await?.attr("d").await?;
    code::read(&squares.expect("a path has a form"))
}

/// The public key that belongs to a private one, both in Base64, by the browser's own decoder of Base64.
async fn public_key_of(reader: &Reader, private_key: &str) -> anyhow::Result<String> {
    let bytes = reader.script(&format!("return [...atob('{private_key}')].map((c) => c.charCodeAt(0))")).await?;
    let bytes: Vec<u8> = serde_json::from_value(bytes)?;
    let secret = StaticSecret::from(<[u8; 32]>::try_from(bytes).expect("a key has 32 bytes"));
    let public = PublicKey::from(&secret).to_bytes();
    let text = reader.script(&format!("return btoa(String.fromCharCode(...{public:?}))")).await?;
    Ok(text.as_str().expect("Base64 is text").to_owned())
}

#[tokio::test]
async fn from_the_set_up_link_to_a_device_whose_key_never_left_the_browser() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let reader = Reader::who_sets_up(&installation).await?;
    assert_eq!(reader.reads(".path .now h3").await?, "Make a network");
    reader.finds_it_in_order("overview-first").await?;
    reader.adds_a_gateway().await?;
    reader.makes_a_network("Office").await?;

    reader.visit("/o/northwind/devices/new").await?;
    reader.sees("[data-enrol][data-ready]").await?;
    reader.fill("#name", "Anna's laptop").await?;
    // Everything that leaves the page from here on is kept to be looked at.
    reader
        .script(
            "window.sent = []; const real = window.fetch;
             window.fetch = (url, options) => { window.sent.push(String(url) + JSON.stringify(options ?? {})); return real(url, options); };",
        )
        .await?;
    reader.press("main button.first").await?;
    reader.sees("#enrolment .qr-plate svg path").await?;
    let configuration = reader.content("#enrolment #configuration").await?;
    assert_eq!(code_on(&reader).await?, configuration);
    let private_key = value(&configuration, "PrivateKey");
    let sent = reader.script("return window.sent.join()").await?;
    let public_key = public_key_of(&reader, private_key).await?;
    let sent = sent.as_str().expect("joined text");
    assert!(sent.contains(&public_key), "another key was enrolled: {sent}");
    assert!(!sent.contains(private_key), "the private key left the browser");
    assert_eq!(reader.reads(".waiting strong").await?, "Waiting for the first handshake…");
    assert_eq!(reader.reads("#waiting .notice h2").await?, "The gateway has not joined yet");
    reader.finds_it_in_order("device-made-in-browser").await?;

    // The page asks before it is left with a key that was not taken along.
    reader.press("[data-download]").await?;
    reader.press("[data-device-link]").await?;
    assert_eq!(reader.reads("h1").await?, "Anna's laptop");
    assert!(reader.content(".facts").await?.contains(&public_key));
    Ok(())
}

#[tokio::test]
async fn a_key_of_the_server_s_making_is_shown_once_and_revoked_for_ever() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let reader = Reader::who_sets_up(&installation).await?;
    reader.adds_a_gateway().await?;
    reader.makes_a_network("Office").await?;

    reader.visit("/o/northwind/devices/new").await?;
    reader.sees("[data-enrol][data-ready]").await?;
    reader.fill("#name", "Anna's phone").await?;
    reader.press("[name=key][value=server]").await?;
    reader.press("main button.first").await?;
    let configuration = reader.content("#configuration").await?;
    assert_eq!(value(&configuration, "PrivateKey").len(), 44);
    assert_eq!(code_on(&reader).await?, configuration);
    reader.finds_it_in_order("device-made-by-server").await?;

    reader.press("[data-device-link]").await?;
    reader.press("main .button.danger").await?;
    reader.finds_it_in_order("device-revoke").await?;
    reader.press("main button.danger").await?;
    reader.sees(".notice").await?;
    assert_eq!(reader.reads(".head .badge").await?, "Revoked");

    reader.visit("/o/northwind/activity").await?;
    let diary = reader.reads(".diary").await?;
    for sentence in ["Anna Berg revoked the device Anna's phone", "Anna Berg made the network Office"] {
        assert!(diary.contains(sentence), "{sentence}: {diary}");
    }
    Ok(())
}

#[tokio::test]
async fn a_person_joins_by_invitation_and_sees_what_is_theirs() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let anna = Reader::who_sets_up(&installation).await?;
    let link = anna.invites("Ben Carter", "ben@example.org").await?;
    anna.finds_it_in_order("person-invited").await?;

    let ben = Reader::of(&installation).await?;
    ben.visit_link(&link).await?;
    assert_eq!(ben.reads("h1").await?, "Join Northwind");
    ben.finds_it_in_order("invitation").await?;
    ben.fill("#password", "short").await?;
    ben.press("main button.first").await?;
    assert!(ben.reads("#password-wrong").await?.starts_with("Too short: 5 characters"));
    ben.fill("#password", PASSWORD).await?;
    ben.press("main button.first").await?;
    ben.arrives_at("/o/northwind").await?;
    let ways = ben.reads(".ways").await?;
    assert!(!ways.contains("People") && !ways.contains("Activity"), "{ways}");

    // The link works once.
    let late = Reader::of(&installation).await?;
    late.visit_link(&link).await?;
    assert_eq!(late.reads(".notice.bad h2").await?, "This link no longer works");
    Ok(())
}

#[tokio::test]
async fn signing_in_leads_back_to_the_page_that_was_asked_for() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let reader = Reader::who_sets_up(&installation).await?;
    reader.press(".person-menu summary").await?;
    reader.press(".person-menu button").await?;
    reader.arrives_at("/sign-in?signed-out").await?;
    reader.visit("/o/northwind/people").await?;
    assert_eq!(reader.path().await?, "/sign-in");
    reader.fill("#email", "anna@example.org").await?;
    reader.fill("#password", "not the password").await?;
    reader.press("main button.first").await?;
    assert_eq!(reader.reads(".notice.bad h2").await?, "That did not match");
    let kept = reader.sees("#email").await?.prop("value").await?;
    assert_eq!(kept.as_deref(), Some("anna@example.org"));
    reader.fill("#password", PASSWORD).await?;
    reader.press("main button.first").await?;
    reader.arrives_at("/o/northwind/people").await?;

    reader.press(".foot button[value=de]").await?;
    assert_eq!(reader.reads("h1").await?, "Personen");
    Ok(())
}

#[tokio::test]
async fn every_page_is_in_order_on_a_desk_and_on_a_phone() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let reader = Reader::who_sets_up(&installation).await?;
    reader.adds_a_gateway().await?;
    reader.makes_a_network("Office").await?;
    let network = reader.path().await?;
    reader.visit("/o/northwind/devices/new").await?;
    reader.sees("[data-enrol][data-ready]").await?;
    reader.fill("#name", "Anna's laptop").await?;
    reader.press("[name=key][value=server]").await?;
    reader.press("main button.first").await?;
    reader.press("[data-device-link]").await?;
    let device = reader.path().await?;

    let (network_edit, device_revoke) = (format!("{network}/edit"), format!("{device}/revoke"));
    let pages = [
        ("settings", "/o/northwind/settings"),
        ("overview", "/o/northwind"),
        ("devices", "/o/northwind/devices"),
        ("devices-none-found", "/o/northwind/devices?q=nothing"),
        ("device-new", "/o/northwind/devices/new"),
        ("device", &device),
        ("device-revoke", &device_revoke),
        ("networks", "/o/northwind/networks"),
        ("network-new", "/o/northwind/networks/new"),
        ("network", &network),
        ("network-edit", &network_edit),
        ("people", "/o/northwind/people"),
        ("person-invite", "/o/northwind/people/new"),
        ("activity", "/o/northwind/activity"),
        ("status", "/operator"),
        ("organisations", "/operator/organisations"),
        ("organisation-new", "/operator/organisations/new"),
        ("organisation", "/operator/organisations/northwind"),
        ("gateways", "/operator/gateways"),
        ("gateway-new", "/operator/gateways/new"),
        ("jobs", "/operator/jobs"),
        ("mail", "/operator/mail"),
        ("dependencies", "/operator/dependencies"),
        ("database", "/operator/database"),
        ("operator-activity", "/operator/activity"),
    ];
    for (viewport, scheme, way) in
        [(Viewport::Desktop, Scheme::Light, "desktop-light"), (Viewport::Phone, Scheme::Dark, "phone-dark")]
    {
        reader.looks(viewport, scheme).await?;
        for (name, path) in pages {
            reader.visit(path).await?;
            reader.sees("h1").await?;
            reader.finds_it_in_order(&format!("{name}-{way}")).await?;
        }
    }
    Ok(())
}
