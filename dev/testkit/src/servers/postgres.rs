//! PostgreSQL 15 from Debian's packages: how its data is made, how it is started, and how one follows another.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::{
    Durability, Settings,
    address::Address,
    plan::{Plan, run},
};

pub const USER: &str = "postgres";
pub const ADMIN: &str = "postgres";
/// Its immediate shutdown: no orderly end, but memory that it shares with its processes is given back.
pub const ENDING: &str = "QUIT";
/// Debian's folder, as what stands on the search path may be another program of that name.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const CATCH_UP_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The server with everything that streaming replicas need.
pub fn command_line(folder: &Path, port: u16, settings: &Settings) -> Vec<String> {
    let mut words = vec![format!("{PROGRAMS}/postgres"), "-D".to_owned(), folder.join("data").display().to_string()];
    let mut set = |name: &str, value: &str| words.extend(["-c".to_owned(), format!("{name}={value}")]);
    set("listen_addresses", "127.0.0.1");
    set("port", &port.to_string());
    set("unix_socket_directories", "");
    // In the folder, where it is removed with it, rather than in the system's.
    set("dynamic_shared_memory_type", "mmap");
    set("shared_buffers", "64MB");
    set("max_connections", &settings.connections_max.to_string());
    set("wal_level", "replica");
    set("wal_keep_size", "64MB");
    set("wal_retrieve_retry_interval", "200ms");
    if settings.durability == Durability::Fast {
        // Every commit is handed to the kernel, which outlives a killed server, and the disk is not waited for.
        set("fsync", "off");
        set("full_page_writes", "off");
    }
    for (name, value) in &settings.further {
        set(name, value);
    }
    words
}

/// Makes the data with two accounts and no other.
pub fn initialise(plan: &Plan) -> anyhow::Result<()> {
    let data = plan.folder().join("data");
    let password = plan.write("password", &plan.admin.password)?;
    let mut command = plan.maker(&format!("{PROGRAMS}/initdb"));
    command.args(["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]);
    command.arg(format!("--username={ADMIN}")).arg("--pwfile").arg(password).arg("--pgdata").arg(&data);
    run(&mut command)?;
    let statements = format!(
        "CREATE ROLE {user} LOGIN CREATEDB PASSWORD '{password}';\nGRANT pg_monitor TO {user};\n",
        user = plan.warren.user,
        password = plan.warren.password
    );
    let accounts = plan.write("accounts.sql", &statements)?;
    // Alone with the data: there is no moment in which somebody else could connect.
    let mut alone = plan.maker(&format!("{PROGRAMS}/postgres"));
    alone.args(["--single", "-c", "exit_on_error=on", "-c", "fsync=off", "-D"]).arg(&data).arg("postgres");
    run(alone.stdin(File::open(accounts)?))
}

/// Copies the data of `primary` as it runs, with what makes the copy follow it.
pub fn copy(plan: &Plan, primary: &Address) -> anyhow::Result<()> {
    let mut command = plan.maker(&format!("{PROGRAMS}/pg_basebackup"));
    command.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--pgdata"]);
    command.arg(plan.folder().join("data")).arg("--dbname").arg(primary.without_database());
    run(&mut command)
}

/// Its command line client.
pub fn client(address: &Address) -> Command {
    let Address { host, user, .. } = address;
    let mut command = Command::new(format!("{PROGRAMS}/psql"));
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t"]);
    command.args(["--set=ON_ERROR_STOP=1", "--host", host, "--port", &address.port.to_string()]);
    command.args(["--username", user, "--dbname=postgres"]);
    command.env("PGPASSWORD", &address.password).env("PGCONNECT_TIMEOUT", "5");
    command
}

/// Stops the replica's replay, which goes on receiving. A restart resumes it.
pub fn pause(replica: &Address) -> anyhow::Result<()> {
    replica.ask("SELECT pg_wal_replay_pause()")?;
    wait_until(replica, "SELECT pg_get_wal_replay_pause_state() = 'paused'")
}

/// Has the replay go on.
pub fn resume(replica: &Address) -> anyhow::Result<()> {
    replica.ask("SELECT pg_wal_replay_resume()").map(drop)
}

/// Waits until the replica has replayed what the primary has committed by now.
pub fn catch_up(replica: &Address, primary: &Address) -> anyhow::Result<()> {
    let position = primary.ask("SELECT pg_current_wal_lsn()")?;
    wait_until(replica, &format!("SELECT pg_last_wal_replay_lsn() >= '{position}'"))
        .context("the replica does not catch up")
}

/// A statement that lists the databases whose names begin with `prefix`.
pub fn list(prefix: &str) -> String {
    format!("SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}') ORDER BY 1;")
}

/// Statements that end the connections to these databases and drop them.
pub fn remove(prefix: &str) -> String {
    format!(
        "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database \
         WHERE starts_with(datname, '{prefix}') \\gexec\n"
    )
}

/// Gives back the memory of a killed server: the kernel keeps what `postmaster.pid` names in its seventh line.
pub fn forget_memory(folder: &Path) {
    let text = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
    if let Some(id) = text.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)) {
        let _ = Command::new("ipcrm").args(["--shmem-id", id]).output();
    }
}

fn wait_until(address: &Address, question: &str) -> anyhow::Result<()> {
    let give_up_at = Instant::now() + CATCH_UP_WITHIN;
    while address.ask(question)? != "t" {
        if Instant::now() > give_up_at {
            bail!("not within {CATCH_UP_WITHIN:?}: {question}");
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}
