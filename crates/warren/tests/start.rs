//! `warren up` on its folder: what it makes, how it ends, and what it says when something stands in its way.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use anyhow::Context;
use warren_testkit::installation::{Installation, binary};

/// Runs `warren up`, which is to fail within the time that the test gives it.
fn refused(arguments: &[&str], data: &Path) -> anyhow::Result<(i32, String)> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", "20"]).arg(binary()).arg("up").arg("--data").arg(data).args(arguments);
    ended(command.stdin(Stdio::null()).output()?)
}

fn ended(output: Output) -> anyhow::Result<(i32, String)> {
    let code = output.status.code().context("it was killed")?;
    Ok((code, String::from_utf8_lossy(&output.stderr).into_owned()))
}

const ANYWHERE: &[&str] = &["--listen", "127.0.0.1:0", "--no-gateway"];

#[test]
fn an_empty_folder_becomes_an_installation_that_only_its_owner_can_read() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    assert!(installation.set_up_link()?.starts_with(&format!("{}/set-up#", installation.portal())));
    fn check(folder: &Path) -> anyhow::Result<()> {
        assert_eq!(fs::metadata(folder)?.mode() & 0o777, 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder)? {
            let (path, meta) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if meta.is_dir() {
                check(&path)?;
            } else {
                assert_eq!(meta.mode() & 0o777, 0o600, "{}", path.display());
            }
        }
        Ok(())
    }
    installation.first_use()?;
    check(&installation.data())?;
    installation.stop()?;
    check(&installation.data())
}

#[test]
fn started_again_it_resumes() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    let mut first = installation.first_use()?;
    assert!(installation.stop()? < Duration::from_secs(5));
    assert!(!installation.data().join("admin.sock").exists(), "the admin socket stays behind");

    installation.start_again()?;
    assert!(installation.set_up_link().is_err(), "a set-up link is printed though there is an operator");
    first.operator.follow(&installation);
    let session = first.operator.get("/api/v1/session")?;
    assert_eq!(session.status, 200, "the session was lost: {}", session.body);
    Ok(())
}

#[test]
fn one_folder_has_one_server() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let (code, said) = refused(ANYWHERE, &installation.data())?;
    assert_eq!(code, 3, "{said}");
    assert!(said.contains(&format!("in use by process {}", installation.id()?)), "{said}");
    Ok(())
}

#[test]
fn a_port_in_use_is_named() -> anyhow::Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let folder = tempfile::tempdir()?;
    let (code, said) = refused(&["--listen", &address, "--no-gateway"], &folder.path().join("data"))?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&format!("{address} is in use")) && said.contains("--listen"), "{said}");
    Ok(())
}

#[test]
fn passwords_do_not_cross_a_network_readable_unless_allowed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (code, said) = refused(&["--listen", "0.0.0.0:0", "--no-gateway"], &folder.path().join("data"))?;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--tls-cert") && said.contains("--allow-plain-http"), "{said}");
    assert!(!folder.path().join("data").exists(), "a refused start made a folder");
    Ok(())
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let missing = folder.path().join("missing.pem").display().to_string();
    let data = folder.path().join("data");
    let (code, said) = refused(&[ANYWHERE, &["--tls-cert", &missing, "--tls-key", &missing]].concat(), &data)?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&missing), "{said}");

    let other = folder.path().join("other.pem");
    fs::write(&other, "not a certificate")?;
    let other = other.display().to_string();
    let (code, said) = refused(&[ANYWHERE, &["--tls-cert", &other, "--tls-key", &other]].concat(), &data)?;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("holds no certificate in PEM"), "{said}");
    Ok(())
}

#[test]
fn a_folder_that_others_can_enter_is_refused_with_the_command_that_mends_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let (code, said) = refused(ANYWHERE, folder.path())?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("chmod 0700"), "{said}");
    Ok(())
}

#[test]
fn a_corrupt_database_is_named_and_left_alone() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    installation.stop()?;
    let database = installation.data().join("system.sqlite");
    let spoilt = vec![b'x'; 8192];
    fs::write(&database, &spoilt)?;
    let (code, said) = refused(ANYWHERE, &installation.data())?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("system.sqlite"), "{said}");
    assert_eq!(fs::read(&database)?, spoilt, "the corrupt file was written to");
    Ok(())
}

#[test]
fn a_lost_sealing_key_is_not_replaced_by_a_new_one() -> anyhow::Result<()> {
    let mut installation = Installation::start()?;
    installation.first_use()?;
    installation.stop()?;
    fs::remove_file(installation.data().join("sealing.key"))?;
    let (code, said) = refused(ANYWHERE, &installation.data())?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("sealing.key"), "{said}");
    assert!(!installation.data().join("sealing.key").exists());
    Ok(())
}

/// A file system of its own, unmounted with the value. Needs root.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn with(options: &str) -> anyhow::Result<Self> {
        let mounted = Self(tempfile::tempdir()?);
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(mounted.0.path()).output()?;
        anyhow::ensure!(mount.status.success(), "mounting needs root: {}", String::from_utf8_lossy(&mount.stderr));
        Ok(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).output();
    }
}

#[test]
fn a_read_only_disk_is_named() -> anyhow::Result<()> {
    let disk = Mounted::with("ro")?;
    let (code, said) = refused(ANYWHERE, &disk.0.path().join("data"))?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("read-only") && said.contains("--data"), "{said}");
    Ok(())
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() -> anyhow::Result<()> {
    let disk = Mounted::with("size=64k,mode=0700")?;
    let (code, said) = refused(ANYWHERE, &disk.0.path().join("data"))?;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("space") || said.contains("full"), "{said}");

    let remounted = Command::new("mount").args(["-o", "remount,size=64m"]).arg(disk.0.path()).status()?;
    assert!(remounted.success());
    let mut child = Command::new(binary())
        .arg("up")
        .arg("--data")
        .arg(disk.0.path().join("data"))
        .args(ANYWHERE)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child.stdout.take().context("no output")?;
    let greeted = std::io::BufRead::lines(std::io::BufReader::new(output))
        .map_while(Result::ok)
        .any(|line| line.contains("/set-up#"));
    child.kill()?;
    child.wait()?;
    assert!(greeted, "after space was freed it does not start");
    Ok(())
}

#[test]
fn without_rights_everything_but_the_gateway_works_and_the_missing_is_named() -> anyhow::Result<()> {
    let installation = Installation::without_rights(&[])?;
    let said = installation.log();
    assert!(said.contains("not started") && said.contains("CAP_NET_ADMIN"), "{said}");
    assert!(said.contains("sudo setcap"), "{said}");
    installation.first_use()?;
    let status = installation.managed(&["status"])?;
    assert!(status.contains("notice") && status.contains("setcap"), "{status}");
    Ok(())
}

#[test]
fn the_set_up_link_works_once() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    installation.first_use()?;
    let again = installation.first_use().unwrap_err().to_string();
    assert!(again.contains("link-spent") || again.contains("already"), "{again}");
    Ok(())
}

#[test]
fn a_new_set_up_link_makes_the_one_before_worthless() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    let printed = installation.managed(&["set-up-link"])?;
    assert!(printed.contains(&format!("{}/set-up#", installation.portal())), "{printed}");
    let old = installation.first_use().unwrap_err().to_string();
    assert!(old.contains("link-spent"), "{old}");
    Ok(())
}

#[test]
fn a_set_up_installation_gives_no_set_up_link() -> anyhow::Result<()> {
    let installation = Installation::start()?;
    installation.first_use()?;
    let outcome = installation.manage(&["set-up-link"])?;
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.errors.contains("set up already"), "{outcome:?}");
    Ok(())
}

#[test]
fn open_streams_do_not_hold_the_end_up() -> anyhow::Result<()> {
    use std::io::{Read, Write};

    let mut installation = Installation::start()?;
    let address = installation.portal().trim_start_matches("http://").to_owned();
    // A client that begins a request and never ends it.
    let mut slow = std::net::TcpStream::connect(&address)?;
    slow.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n")?;
    // And one that keeps its connection.
    let mut idle = std::net::TcpStream::connect(&address)?;
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")?;
    assert!(idle.read(&mut [0; 64])? > 0);
    assert!(installation.stop()? < Duration::from_secs(5));
    Ok(())
}
