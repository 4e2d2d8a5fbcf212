//! `warren db`: seeding an installation that rests, and looking at one that runs.

use warren_testkit::installation::Installation;

#[test]
fn a_resting_installation_is_seeded_once_and_a_running_one_is_analysed() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    let busy = installation.manage(&["db", "seed"])?;
    assert_eq!(busy.code, 3, "{busy:?}");
    installation.stop()?;
    let sizes = ["--organisations", "2", "--people", "4", "--devices", "1200", "--until", "2026-11-21T12:00:00Z"];
    let seed = [&["db", "seed", "--profile", "demo"], &sizes[..]].concat();
    let told = installation.managed(&seed)?;
    assert!(told.contains("2 organisations, 9 people, 6 networks, 2400 devices"), "{told}");
    assert!(told.contains("operator@warren.example  (operator)"), "{told}");
    let again = installation.manage(&seed)?;
    assert!(again.code == 3 && again.errors.contains("--add"), "{again:?}");
    let wrong = installation.manage(&["db", "seed", "--until", "yesterday"])?;
    assert!(wrong.code == 2 && wrong.errors.contains("2026-11-21T12:00:00Z"), "{wrong:?}");

    installation.start_again()?;
    let devices = installation.managed(&["devices", "list", "--organisation", "northwind-coffee"])?;
    assert!(devices.lines().count() > 1200, "{devices}");
    let report = installation.managed(&["db", "analyze"])?;
    for part in ["3 databases on sqlite", "Statements that took most time in all", "Largest tables", "devices"] {
        assert!(report.contains(part), "{part} is missing: {report}");
    }
    let json = installation.managed(&["db", "analyze", "--json"])?;
    let json: serde_json::Value = serde_json::from_str(&json)?;
    assert!(json["compared_with"].is_string(), "{json}");
    assert!(json["findings"].is_array() && json["slowest_by_worst"][0]["longest_us"].is_u64(), "{json}");
    Ok(())
}
