//! MariaDB from Debian's packages: how its data is made, how it is started, and how one follows another.

use std::{path::Path, process::Command};

use anyhow::Context;

use super::{
    Durability, Settings,
    address::Address,
    plan::{Plan, run},
};

pub const USER: &str = "mysql";
pub const ADMIN: &str = "root";
pub const ENDING: &str = "KILL";
pub const READ_ONLY: &str = "--read-only";
/// Small, as it is written in full when the data is made.
const LOG_FILE_SIZE: &str = "--innodb-log-file-size=16M";
const CATCH_UP_SECONDS_MAX: u32 = 30;

/// The server with the character set that Debian's configuration gives it, and with the binary log that replicas follow.
pub fn command_line(folder: &Path, port: u16, settings: &Settings) -> Vec<String> {
    let folder = folder.display();
    let mut words = vec![
        "/usr/sbin/mariadbd".to_owned(),
        "--no-defaults".to_owned(),
        format!("--datadir={folder}/data"),
        format!("--tmpdir={folder}"),
        format!("--socket={folder}/socket"),
        format!("--pid-file={folder}/mariadb.pid"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--port={port}"),
        "--skip-name-resolve".to_owned(),
        "--character-set-server=utf8mb4".to_owned(),
        "--collation-server=utf8mb4_general_ci".to_owned(),
        format!("--max-connections={}", settings.connections_max),
        "--innodb-buffer-pool-size=64M".to_owned(),
        LOG_FILE_SIZE.to_owned(),
        format!("--server-id={port}"),
        "--log-bin=binlog".to_owned(),
        "--log-slave-updates".to_owned(),
        "--relay-log=relay".to_owned(),
    ];
    if settings.durability == Durability::Fast {
        // Every commit is handed to the kernel, which outlives a killed server, and the disk is not waited for.
        words.extend(["--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync"].map(str::to_owned));
    }
    words.extend(settings.further.iter().map(|(name, value)| format!("--{name}={value}")));
    words
}

/// Makes the data with two accounts and no other.
pub fn initialise(plan: &Plan) -> anyhow::Result<()> {
    let (admin, warren) = (account(&plan.admin), account(&plan.warren));
    let accounts = format!(
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';\n\
         FLUSH PRIVILEGES;\n\
         CREATE USER {admin} IDENTIFIED BY '{}';\n\
         GRANT ALL ON *.* TO {admin} WITH GRANT OPTION;\n\
         CREATE USER {warren} IDENTIFIED BY '{}';\n\
         GRANT ALL ON `warren%`.* TO {warren};\n\
         GRANT PROCESS, BINLOG MONITOR, REPLICA MONITOR ON *.* TO {warren};\n\
         GRANT SELECT ON performance_schema.* TO {warren};\n",
        plan.admin.password, plan.warren.password
    );
    let accounts = plan.write("accounts.sql", &accounts)?;
    let mut command = plan.maker("mariadb-install-db");
    command.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve", LOG_FILE_SIZE]);
    command.arg(format!("--datadir={}", plan.folder().join("data").display()));
    // A server that starts empties its folder for temporary files of what others have there.
    command.arg(format!("--tmpdir={}", plan.folder().display()));
    command.arg(format!("--extra-file={}", accounts.display()));
    run(&mut command)
}

/// Its command line client.
pub fn client(address: &Address) -> Command {
    let Address { host, port, user, .. } = address;
    let mut command = Command::new("mariadb");
    command.args(["--no-defaults", "--protocol=tcp", "--connect-timeout=5", "--batch", "--skip-column-names"]);
    command.args([format!("--host={host}"), format!("--port={port}"), format!("--user={user}")]);
    command.env("MYSQL_PWD", &address.password);
    command
}

/// Begins to follow `primary`. A primary keeps its binary log from the first change on, so there is nothing to copy.
pub fn follow(replica: &Address, primary: &Address) -> anyhow::Result<()> {
    let Address { host, port, user, password, .. } = primary;
    let statements = format!(
        "CHANGE MASTER TO MASTER_HOST='{host}', MASTER_PORT={port}, MASTER_USER='{user}', \
         MASTER_PASSWORD='{password}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1; START SLAVE;"
    );
    replica.ask(&statements).map(drop)
}

/// Stops the replica's replay, which goes on receiving.
pub fn pause(replica: &Address) -> anyhow::Result<()> {
    replica.ask("STOP SLAVE SQL_THREAD").map(drop)
}

/// Has the replay go on.
pub fn resume(replica: &Address) -> anyhow::Result<()> {
    replica.ask("START SLAVE SQL_THREAD").map(drop)
}

/// Waits until the replica has replayed what the primary has committed by now.
pub fn catch_up(replica: &Address, primary: &Address) -> anyhow::Result<()> {
    let position = primary.ask("SELECT @@gtid_binlog_pos")?;
    let reached = replica.ask(&format!("SELECT MASTER_GTID_WAIT('{position}', {CATCH_UP_SECONDS_MAX})"))?;
    let state = || replica.ask("SHOW SLAVE STATUS\\G").unwrap_or_default();
    (reached == "0").then_some(()).with_context(|| format!("the replica does not catch up:\n{}", state()))
}

/// A statement that lists the databases whose names begin with `prefix`.
pub fn list(prefix: &str) -> String {
    format!(
        "SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, {}) = '{prefix}' ORDER BY 1;",
        prefix.len()
    )
}

/// Statements that end the connections to these databases and drop them.
pub fn remove(prefix: &str) -> String {
    let length = prefix.len();
    format!(
        "DELIMITER //\n\
         BEGIN NOT ATOMIC\n\
           DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; -- a connection that has ended by itself\n\
           SET lock_wait_timeout = 10;\n\
           FOR row IN (SELECT id FROM information_schema.processlist WHERE LEFT(db, {length}) = '{prefix}') DO\n\
             EXECUTE IMMEDIATE CONCAT('KILL ', row.id);\n\
           END FOR;\n\
           FOR row IN (SELECT schema_name AS name FROM information_schema.schemata\n\
                       WHERE LEFT(schema_name, {length}) = '{prefix}') DO\n\
             EXECUTE IMMEDIATE CONCAT('DROP DATABASE `', row.name, '`');\n\
           END FOR;\n\
         END//\n"
    )
}

fn account(address: &Address) -> String {
    format!("'{}'@'{}'", address.user, address.host)
}
