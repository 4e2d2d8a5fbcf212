//! An installation on SQLite that holds every kind of value, and everything it holds as text, to compare it by.

use std::{collections::BTreeMap, path::Path};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use warren_model::OrganisationId;
use warren_testkit::ground::Ground;

use crate::{exercise, world::*};

/// Rows of each large table: more than one page, and no whole number of them.
const ROWS: usize = 2345;

/// What the tables of a folder's databases hold, by file and table.
pub type Contents = BTreeMap<(String, String), Vec<String>>;

/// An installation of some organisations on SQLite, closed.
pub async fn filled(organisations: usize) -> Ground {
    let World { databases, ground } = world(warren_storage::Engine::Sqlite).await;
    let world = World { databases, ground };
    exercise::everything(&world).await;
    let mut ids = Vec::new();
    for nth in 0..organisations {
        let (organisation, tenant) = world.organisation(&format!("org-{nth}")).await;
        let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
        add_network(&tenant, &office).await;
        enrol(&tenant, &office, account_id(), "Anna's laptop").await.unwrap();
        ids.push(organisation.id);
    }
    let World { databases, ground } = world;
    databases.close().await;
    run(&ground.folder().join("system.sqlite"), &system_rows()).await;
    for id in ids {
        run(&file_of(ground.folder(), id), &tenant_rows()).await;
    }
    ground
}

pub fn file_of(folder: &Path, id: OrganisationId) -> std::path::PathBuf {
    folder.join("tenants").join(format!("{id}.sqlite"))
}

/// The files of the organisations' databases.
pub fn tenant_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder.join("tenants")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "sqlite")).collect();
    files.sort();
    files
}

/// Runs statements on a database file.
pub async fn run(file: &Path, sql: &str) {
    let mut connection = connect(file).await;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
    connection.close().await.unwrap();
}

/// Everything that the databases in a folder hold, each value in SQLite's own writing, which tells types apart.
pub async fn contents(folder: &Path) -> Contents {
    let mut contents = Contents::new();
    let mut files = tenant_files(folder);
    files.push(folder.join("system.sqlite"));
    for file in files {
        let mut connection = connect(&file).await;
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('schema_migrations', 'moved_away')";
        for table in sqlx::query(tables).fetch_all(&mut connection).await.unwrap() {
            let table: String = table.get(0);
            let columns = format!(
                "SELECT group_concat('quote(\"' || name || '\")', '||''|''||') FROM (SELECT name FROM pragma_table_info('{table}') ORDER BY name)"
            );
            let columns: String = sqlx::query_scalar(AssertSqlSafe(columns)).fetch_one(&mut connection).await.unwrap();
            let rows = format!("SELECT {columns} FROM \"{table}\" ORDER BY 1");
            let rows = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap();
            contents.insert((name.clone(), table), rows);
        }
        connection.close().await.unwrap();
    }
    contents
}

async fn connect(file: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file).foreign_keys(true)).await.unwrap()
}

/// Numbers of all sizes, by `i`.
const LONG: &str =
    "CASE i % 5 WHEN 0 THEN 9223372036854775807 WHEN 1 THEN -9223372036854775807 - 1 WHEN 2 THEN 0 ELSE i END";
/// Texts that are easily changed on the way: empty, of several scripts, with quotes, backslashes and spaces at the end.
const TEXT: &str = r"CASE i % 8 WHEN 0 THEN '' WHEN 1 THEN 'Ærøskøbing 🦔 ' WHEN 2 THEN 'O''Brien \n %_' WHEN 3 THEN 'ﬁ́ﬂ' WHEN 4 THEN 'NULL' WHEN 5 THEN char(9, 10, 13, 127, 65279) WHEN 6 THEN '東京' ELSE ' x ' END";

fn system_rows() -> String {
    let first = "(SELECT id FROM accounts ORDER BY id LIMIT 1)";
    let organisation = "(SELECT id FROM organisations ORDER BY id LIMIT 1)";
    let n = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})");
    [
        format!("{n} INSERT INTO accounts SELECT randomblob(16), 'p' || i || '@example.org', {TEXT}, CASE WHEN i % 2 THEN NULL ELSE 'hash' END, 'own', {LONG}, i FROM n"),
        format!("{n} INSERT INTO memberships SELECT id, {organisation}, 'member', 'joined', rowid, 1 FROM accounts WHERE email LIKE 'p%'"),
        format!("{n} INSERT INTO sessions SELECT randomblob(16), randomblob(32), {first}, {LONG}, {LONG}, {LONG}, '2001:db8::7', {TEXT} FROM n"),
        "INSERT INTO links VALUES (zeroblob(16), zeroblob(32), 'set-up', NULL, NULL, 1, 2, NULL), (x'ffffffffffffffffffffffffffffffff', x'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'set-up', NULL, NULL, 1, 2, 3)".to_owned(),
        "INSERT INTO gateways VALUES (randomblob(16), 'west', 'vpn.example.org', 2147483647, NULL, NULL, randomblob(32), 7, 1, 1), (randomblob(16), 'north', 'vpn.example.org', -2147483648, randomblob(32), 7, NULL, NULL, 1, 1)".to_owned(),
        format!("INSERT INTO gateway_networks SELECT randomblob(16), id, {organisation}, 51820 FROM gateways"),
        format!("{n} INSERT INTO system_audit (id, at, actor_account_id, action, body, organisation_id) SELECT randomblob(16), {LONG}, CASE WHEN i % 2 THEN randomblob(16) END, 'a', {TEXT}, CASE WHEN i % 3 THEN randomblob(16) END FROM n"),
        format!("{n} INSERT INTO audit_outbox (id, at, actor_account_id, action, body, organisation_id) SELECT randomblob(16), i, NULL, 'a', {TEXT}, {organisation} FROM n WHERE i < 9"),
        keys(&n),
    ]
    .join(";\n")
}

/// Keys that are texts, in which engines differ most about order.
fn keys(n: &str) -> String {
    format!(
        "{n} INSERT INTO idempotency_keys SELECT CASE i % 6 WHEN 0 THEN 'a' WHEN 1 THEN 'A' WHEN 2 THEN 'ä' WHEN 3 THEN 'a-b' WHEN 4 THEN 'Z' ELSE '🦔' END, CASE i % 3 WHEN 0 THEN 'K' WHEN 1 THEN 'k' ELSE 'ß' END || i, randomblob(32), randomblob(16), {LONG} FROM n"
    )
}

fn tenant_rows() -> String {
    let network = "(SELECT id FROM networks LIMIT 1)";
    let n = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})");
    [
        format!("{n} INSERT INTO devices SELECT randomblob(16), {network}, randomblob(16), {TEXT}, randomblob(32), CASE WHEN i % 2 THEN randomblob(32) END, CASE i % 3 WHEN 0 THEN randomblob(60) WHEN 1 THEN x'' END, CASE WHEN i % 2 THEN 1000 + i END, 'enabled', CASE WHEN i % 4 THEN {LONG} END, {LONG}, {LONG} FROM n"),
        "INSERT OR REPLACE INTO device_usage SELECT id, 9223372036854775807, 0, CASE WHEN rowid % 2 THEN 7 END, CASE WHEN rowid % 3 THEN '[2001:db8::7]:51820' END, CASE WHEN rowid % 5 THEN randomblob(16) END, 0, rowid FROM devices".to_owned(),
        format!("{n} INSERT INTO released_addresses SELECT {network}, CASE i WHEN 1 THEN 2147483647 WHEN 2 THEN -2147483648 ELSE 900000 - i END, {LONG} FROM n"),
        format!("{n} INSERT INTO audit_entries SELECT randomblob(16), {LONG}, CASE WHEN i % 2 THEN randomblob(16) END, 'device.enrolled', CASE WHEN i % 200 THEN {TEXT} ELSE printf('%.*c', 60000, 'x') END FROM n"),
        keys(&n),
    ]
    .join(";\n")
}
