//! Webhooks by command, from the secret that is shown once to what was sent.

use warren_testkit::installation::Installation;

const URL: &str = "https://hooks.example.org/warren";

#[test]
fn a_webhook_is_added_tested_changed_and_removed() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    installation.first_use()?;
    let said = |arguments: &[&str]| installation.managed(&[&["webhooks"], arguments].concat());
    assert!(said(&["list"])?.contains("warren webhooks add NAME URL"));
    let added = said(&["add", "Inventory", URL, "--event", "device.*", "--event", "person.joined"])?;
    assert!(added.contains("whsec_") && added.contains("device.*, person.joined"), "{added}");
    let listed = said(&["list"])?;
    assert!(listed.contains("Inventory") && listed.contains(URL) && !listed.contains("whsec_"), "{listed}");

    let tested = said(&["test", "inventory"])?;
    let delivery = tested.trim().trim_end_matches('.').rsplit(' ').next().unwrap_or_default();
    assert!(tested.starts_with("webhook.test is on its way as "), "{tested}");
    let sent = said(&["deliveries", "Inventory"])?;
    assert!(sent.contains("webhook.test") && sent.contains(delivery), "{sent}");
    assert!(said(&["replay", "Inventory", delivery])?.contains(delivery));

    let rotated = said(&["rotate", "Inventory"])?;
    assert!(rotated.contains("whsec_") && !added.contains(rotated.trim().rsplit(' ').next().unwrap_or_default()));
    let changed = said(&["change", "Inventory", "--name", "Stock", "--event", "*", "--disable"])?;
    assert!(changed.contains("Stock") && changed.contains("disabled"), "{changed}");
    let refused = installation.manage(&["webhooks", "test", "Stock"])?;
    assert!(refused.code == 3, "{refused:?}");
    let refused = installation.manage(&["webhooks", "add", "Inside", "https://127.0.0.1/"])?;
    assert!(refused.code == 3, "{refused:?}");
    assert!(said(&["remove", "Stock"])?.contains("Removed Stock."));
    Ok(())
}
