//! `warren db` on the databases of an installation: refused while it runs, and what it tells and does when it does not.

use std::{fs, process::Command};

use anyhow::Context;
use warren_testkit::installation::{Installation, binary};

/// Runs `warren db` on the installation: the exit code, what it printed, what it complained of.
fn db(installation: &Installation, line: &str) -> anyhow::Result<(i32, String, String)> {
    let mut command = Command::new(binary());
    command.arg("db").args(line.split(' ')).arg("--data").arg(installation.data());
    let output = command.output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.code().context("it was killed")?, text(&output.stdout), text(&output.stderr)))
}

#[test]
fn the_databases_are_migrated_planned_and_rolled_back_while_warren_is_stopped() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    installation.first_use()?;
    let (code, _, refused) = db(&installation, "migrate")?;
    assert_eq!(code, 3, "{refused}");
    assert!(refused.contains("Warren is running on") && refused.contains("stop it, run this again"), "{refused}");
    installation.stop()?;

    let (code, told, _) = db(&installation, "schema --all")?;
    assert_eq!(code, 0);
    assert!(told.contains("up to date (m0003_jobs)"), "{told}");
    assert!(told.contains("1 organisations: 1 up to date, 0 not\n  northwind: up to date (m0002_records)"), "{told}");

    let (_, planned, _) = db(&installation, "plan --rollback 1")?;
    assert!(planned.contains("-- m0003_jobs (expand"), "{planned}");
    assert!(planned.contains("DROP TABLE \"jobs\";"), "{planned}");
    let (code, told, _) = db(&installation, "migrate")?;
    assert_eq!(code, 0);
    assert!(told.contains("System database: nothing to do"), "{told}");
    assert!(told.contains("1 organisations: 0 migrated, 1 with nothing to do"), "{told}");

    let (code, _, refused) = db(&installation, "rollback --system --yes --accept-loss")?;
    assert_eq!(code, 0, "{refused}");
    // The rollout has noted the organisation, and that would be lost.
    let (code, _, refused) = db(&installation, "rollback --system --yes")?;
    assert_eq!(code, 3, "{refused}");
    assert!(refused.contains("tenant_migrations goes with 1 rows"), "{refused}");
    let (code, told, _) = db(&installation, "rollback --system --yes --accept-loss")?;
    assert_eq!((code, told.trim()), (0, "m0002_tenant_migrations rolled back"));
    let (_, planned, _) = db(&installation, "plan")?;
    assert!(planned.contains("CREATE TABLE \"tenant_migrations\""), "{planned}");
    assert!(planned.contains("1 organisations' databases: nothing to do"), "{planned}");
    let (code, _, refused) = db(&installation, "rollback --organisation northwind --yes --accept-loss")?;
    assert_eq!(code, 0, "{refused}");
    for line in ["rollback --system --accept-loss", "rollback --organisation northwind --accept-loss"] {
        let (code, _, refused) = db(&installation, line)?;
        assert_eq!(code, 3, "{refused}");
        assert!(refused.contains("the first migration too"), "{refused}");
    }

    installation.start_again()?;
    assert!(installation.managed(&["organisations", "list"])?.contains("northwind"));
    Ok(())
}

#[test]
fn what_cannot_be_done_is_said_with_what_to_do() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    installation.first_use()?;
    installation.stop()?;
    for (line, code, said) in [
        ("migrate --canary nobody", 4, "there is no organisation called “nobody”"),
        ("migrate --percent 0", 2, "1..=100"),
        ("migrate --parallel 65", 2, "from 1 to 64"),
        ("migrate --stop-after-failures none", 2, "as 5%"),
        ("rollback", 2, "--all-organisations"),
    ] {
        let (found, _, refused) = db(&installation, line)?;
        assert_eq!(found, code, "{line}: {refused}");
        assert!(refused.contains(said), "{line}: {refused}");
    }

    let tenants = fs::read_dir(installation.data().join("tenants"))?;
    let tenant = tenants.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?.remove(0);
    fs::remove_file(tenant)?;
    let (code, told, refused) = db(&installation, "migrate")?;
    assert_eq!(code, 1, "{told}{refused}");
    assert!(told.contains("northwind: ") && told.contains("it is missing"), "{told}");
    assert!(refused.contains("some failed") && refused.contains("warren db schema"), "{refused}");
    let (_, told, _) = db(&installation, "schema")?;
    assert!(told.contains("failed after one attempt"), "{told}");

    let nowhere = tempfile::tempdir()?;
    let output = Command::new(binary()).args(["db", "schema", "--data"]).arg(nowhere.path()).output()?;
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no installation in"));
    Ok(())
}
