//! The command line as people and programs meet it: tables, JSON, exit codes, completions.

mod databases;
mod redaction;
mod webhooks;

use std::{fs, os::unix::fs::MetadataExt, process::Command};

use redaction::redacted;
use warren_testkit::installation::{FirstUse, Installation, binary};

/// An installation with a gateway that nobody runs, a network and a device whose key the server made.
fn furnished() -> anyhow::Result<(Installation, FirstUse)> {
    let installation = Installation::start()?;
    let first = installation.first_use()?;
    installation.managed(&["gateways", "create", "fra-1", "vpn.example.org"])?;
    installation.managed(&["networks", "create", "Office", "--ipv4", "10.20.0.0/24", "--route", "192.168.7.0/24"])?;
    installation.managed(&["devices", "enrol", "Anna's laptop", "--server-key"])?;
    Ok((installation, first))
}

#[test]
fn tables_for_people() -> anyhow::Result<()> {
    let (installation, _) = furnished()?;
    let mut shown = String::new();
    for line in [
        "organisations list",
        "organisations show northwind",
        "people list",
        "networks list",
        "networks show office",
        "devices list",
        "gateways list",
        "gateways show fra-1",
        "activity",
        "activity --installation",
        "status",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        shown.push_str(&format!("$ warren {line}\n{}\n", installation.managed(&words)?));
    }
    shown.push_str(&format!(
        "$ warren devices show \"Anna's laptop\"\n{}",
        installation.managed(&["devices", "show", "Anna's laptop"])?
    ));
    insta::assert_snapshot!(redacted(&shown, installation.portal()));
    Ok(())
}

#[test]
fn how_the_databases_are_is_told_in_tables_and_as_json() -> anyhow::Result<()> {
    let (installation, _) = furnished()?;
    let shown = installation.managed(&["db", "status", "--limit", "3"])?;
    assert!(shown.starts_with("SQLite at "), "{shown}");
    for title in ["CONNECTIONS\nDATABASE  FOR    STATE", "BUSIEST ORGANISATIONS", "STATEMENTS ON THE SYSTEM DATABASE"] {
        assert!(shown.contains(title), "{title} is not in\n{shown}");
    }
    assert!(shown.lines().any(|line| line.starts_with("northwind ")), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&installation.managed(&["db", "status", "--json"])?)?;
    assert_eq!((&json["engine"], &json["state"]), (&"sqlite".into(), &"fine".into()));
    assert_eq!(json["organisations"][0]["organisation"]["slug"], "northwind");
    Ok(())
}

#[test]
fn json_is_what_the_api_says() -> anyhow::Result<()> {
    let (installation, first) = furnished()?;
    for (line, path) in [
        ("organisations list", "/api/v1/organisations?limit=200"),
        ("networks list", "/api/v1/organisations/northwind/networks?limit=200"),
        ("devices list", "/api/v1/organisations/northwind/devices?limit=200"),
        ("people list", "/api/v1/organisations/northwind/people?limit=200"),
        ("gateways list", "/api/v1/gateways?limit=200"),
    ] {
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        assert_eq!(installation.managed(&words)?.trim_end(), first.operator.get(path)?.body, "{line}");
    }
    Ok(())
}

#[test]
fn a_device_passes_through_its_states() -> anyhow::Result<()> {
    let (installation, _) = furnished()?;
    let laptop = "Anna's laptop";
    for (arguments, expected) in [
        (vec!["devices", "disable", laptop], "disabled"),
        (vec!["devices", "enable", laptop], "active"),
        (vec!["devices", "expire", laptop, "30d"], "expires         20"),
        (vec!["devices", "expire", laptop, "never"], "expires         never"),
        (vec!["devices", "rename", laptop, "Anna's old laptop"], "Anna's old laptop"),
        (vec!["devices", "revoke", "Anna's old laptop"], "Revoked Anna's old laptop."),
    ] {
        let said = installation.managed(&arguments)?;
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn networks_people_and_organisations_are_changed_and_removed() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    installation.first_use()?;
    installation.managed(&["gateways", "create", "fra-1", "vpn.example.org"])?;
    for (arguments, expected) in [
        (vec!["networks", "create", "Lab"], "Lab"),
        (
            vec!["networks", "change", "lab", "--name", "Attic", "--full", "--dns", "9.9.9.9", "--mtu", "1380"],
            "full: all traffic",
        ),
        (vec!["networks", "remove", "Attic"], "Removed Attic."),
        (vec!["people", "invite", "ben@example.org", "Ben Carter"], "/invitation#"),
        (vec!["people", "invitation", "ben@example.org"], "/invitation#"),
        (vec!["people", "role", "Ben Carter", "admin"], "admin"),
        (vec!["people", "remove", "Ben Carter"], "Removed Ben Carter."),
        (vec!["organisations", "rename", "northwind", "Northwind Holding"], "Northwind Holding"),
        (vec!["organisations", "suspend", "northwind"], "suspended"),
        (vec!["organisations", "resume", "northwind"], "active"),
        (vec!["organisations", "create", "contoso", "Contoso"], "Created Contoso"),
        (vec!["gateways", "change", "fra-1", "--name", "fra-2"], "fra-2"),
        (vec!["gateways", "join-token", "fra-2"], "warren gateway join"),
        (vec!["gateways", "remove", "fra-2"], "Removed fra-2."),
    ] {
        let said = installation.managed(&arguments)?;
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    Ok(())
}

#[test]
fn a_key_made_here_stands_in_the_configuration_and_nowhere_else() -> anyhow::Result<()> {
    let (installation, first) = furnished()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("phone.conf");
    let path = file.display().to_string();
    installation.managed(&["devices", "enrol", "Phone", "--preshared-key", "--output", &path])?;
    let text = fs::read_to_string(&file)?;
    assert_eq!(fs::metadata(&file)?.mode() & 0o777, 0o600);
    let private = text.lines().find_map(|line| line.strip_prefix("PrivateKey = ")).unwrap_or_default();
    assert_eq!(private.len(), 44, "{text}");
    assert!(text.contains("PresharedKey = "), "{text}");

    let public = public_key_of(private)?;
    let device = first.operator.devices("northwind")?.into_iter().find(|device| device.name == "Phone");
    assert_eq!(device.map(|device| device.public_key).as_deref(), Some(public.as_str()));
    let again = installation.managed(&["devices", "configuration", "Phone"])?;
    assert!(!again.contains(private) && again.contains("REPLACE_WITH_THE_PRIVATE_KEY"), "{again}");

    // Never over a file that is there, and no device is made for it.
    let refused = installation.manage(&["devices", "enrol", "Tablet", "--output", &path])?;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(fs::read_to_string(&file)?, text);
    assert_eq!(first.operator.devices("northwind")?.len(), 2);
    Ok(())
}

/// As the stock tool has it.
fn public_key_of(private: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("key");
    fs::write(&file, private)?;
    let output = Command::new("wg").arg("pubkey").stdin(fs::File::open(&file)?).output()?;
    anyhow::ensure!(output.status.success(), "wg pubkey failed; `cargo xtask test` installs wireguard-tools");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[test]
fn a_qr_code_is_drawn() -> anyhow::Result<()> {
    let (installation, _) = furnished()?;
    let drawn = installation.managed(&["devices", "enrol", "Phone", "--qr"])?;
    assert!(drawn.lines().count() > 20, "{drawn}");
    assert!(drawn.chars().all(|c| matches!(c, '█' | '▀' | '▄' | ' ' | '\n')), "{drawn}");
    Ok(())
}

#[test]
fn programs_tell_failures_apart() -> anyhow::Result<()> {
    let (mut installation, _) = furnished()?;
    let laptop = "Anna's laptop";
    installation.managed(&["devices", "enrol", laptop, "--server-key"])?;
    installation.managed(&["devices", "enrol", "Phone", "--server-key"])?;
    for (code, arguments, expected) in [
        (2, vec!["devices", "explode"], "unrecognized subcommand"),
        (2, vec!["devices", "enrol", "X", "--json"], "--output"),
        (2, vec!["devices", "expire", "Phone", "tomorrow"], "never"),
        (3, vec!["devices", "show", laptop], "identifier"),
        (3, vec!["networks", "create", "Bad", "--ipv4", "10.20.0.7/24"], "10.20.0.0/24"),
        (3, vec!["networks", "create", "Office", "--ipv4", "10.99.0.0/24"], "request "),
        (3, vec!["devices", "enrol", "X", "--public-key", "short"], "public_key"),
        (4, vec!["devices", "show", "Toaster"], "devices list"),
        (4, vec!["organisations", "show", "nobody"], "request "),
        (4, vec!["networks", "list", "--organisation", "nobody"], "request "),
    ] {
        let outcome = installation.manage(&arguments)?;
        assert_eq!(outcome.code, code, "{arguments:?}: {outcome:?}");
        assert!(outcome.errors.contains(expected), "{arguments:?}: {outcome:?}");
        assert!(outcome.output.is_empty(), "{arguments:?}: {outcome:?}");
    }
    installation.stop()?;
    let outcome = installation.manage(&["status"])?;
    assert_eq!(outcome.code, 5, "{outcome:?}");
    assert!(outcome.errors.contains("warren up --data"), "{outcome:?}");
    Ok(())
}

#[test]
fn another_user_is_told_whom_to_be() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"])
        .arg(binary())
        .args(["status", "--data"])
        .arg(installation.data())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("sudo -u root"), "{said}");
    Ok(())
}

#[test]
fn several_organisations_have_to_be_told_apart() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    installation.first_use()?;
    installation.managed(&["organisations", "create", "contoso", "Contoso"])?;
    let outcome = installation.manage(&["people", "list"])?;
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.errors.contains("--organisation") && outcome.errors.contains("contoso"), "{outcome:?}");
    installation.managed(&["people", "list", "--organisation", "northwind"])?;
    Ok(())
}

#[test]
fn lists_longer_than_a_page_are_shown_whole() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let first = installation.first_use()?;
    for number in 0..205 {
        first.operator.create_organisation(&format!("customer-{number}"))?;
    }
    assert_eq!(installation.managed(&["organisations", "list"])?.lines().count(), 1 + 206);
    let short = installation.managed(&["organisations", "list", "--limit", "3"])?;
    assert_eq!(short.lines().count(), 1 + 3 + 1, "{short}");
    Ok(())
}

#[test]
fn completions_and_the_description_need_no_server() -> anyhow::Result<()> {
    for arguments in [["completions", "bash"], ["completions", "zsh"], ["completions", "fish"]] {
        let output = Command::new(binary()).args(arguments).output()?;
        let script = String::from_utf8(output.stdout)?;
        assert!(
            output.status.success() && script.contains("set-up-link") && script.contains("warren"),
            "{arguments:?}"
        );
    }
    let output = Command::new(binary()).arg("openapi").output()?;
    let document = String::from_utf8(output.stdout)?;
    assert!(output.status.success() && document.contains("\"openapi\": \"3.1"), "{document}");
    assert!(document.ends_with("}\n") && !document.ends_with("\n\n"));
    Ok(())
}

#[test]
fn people_are_imported_from_a_table_and_files_are_fetched() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    installation.first_use()?;
    let folder = tempfile::tempdir()?;
    let table = folder.path().join("people.csv");
    fs::write(&table, "email,name\nben@example.org,Ben Carter\ncleo@,Cleo\n")?;
    let table = table.to_str().unwrap();
    let tried = installation.managed(&["import", "people", table])?;
    assert!(tried.starts_with("Nothing was changed yet; it would be: 1 new, 0 there already, 1 of 2 lines"), "{tried}");
    assert!(tried.contains("Not an e-mail address"), "{tried}");
    assert!(!installation.managed(&["people", "list"])?.contains("ben@example.org"));
    assert!(installation.managed(&["import", "people", table, "--all-or-nothing"]).is_err());
    let done = installation.managed(&["import", "people", table, "--skip-bad"])?;
    assert!(done.starts_with("Done: 1 new"), "{done}");
    assert!(installation.managed(&["people", "list"])?.contains("ben@example.org"));
    let json: serde_json::Value = serde_json::from_str(&installation.managed(&["import", "people", table, "--json"])?)?;
    assert_eq!((&json["end"], &json["there"], &json["failed"]), (&"planned".into(), &1.into(), &1.into()));

    let files = installation.managed(&["files", "list", "outcome"])?;
    assert_eq!(files.matches("people.results.csv").count(), 4, "{files}");
    let id = done.trim().rsplit(' ').next().unwrap();
    assert!(installation.managed(&["files", "get", id])?.contains("/invitation#"));
    let kept = folder.path().join("kept.csv");
    installation.managed(&["files", "get", id, "--output", kept.to_str().unwrap()])?;
    assert_eq!(fs::metadata(&kept)?.mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&kept)?.contains("ben@example.org"));
    assert!(installation.managed(&["files", "remove", id])?.contains("Removed people.results.csv."));
    assert!(installation.managed(&["files", "get", id]).is_err());
    Ok(())
}
