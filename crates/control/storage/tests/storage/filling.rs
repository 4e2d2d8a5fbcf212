//! Fills every table with many rows, quickly, so that a server's planner has something to weigh.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection, SqliteConnection};
use warren_model::OrganisationId;
use warren_storage::Engine;

use crate::world::World;

/// Rows in each table.
pub const ROWS: u64 = 20_000;

/// The parts of SQL that differ.
struct Dialect(Engine);

impl Dialect {
    /// 16 bytes that depend on the number `n` of a row and on `what`, in no order.
    fn id(&self, what: u8) -> String {
        match self.0 {
            // SQLite has no hash; the multiplication scatters as well.
            Engine::Sqlite => format!("unhex(printf('%08x%022x{what:02x}', (n * 2654435761) % 4294967296, n))"),
            Engine::MariaDb => format!("UNHEX(MD5(CONCAT('{what}-', n)))"),
            Engine::PostgreSql => format!("md5('{what}-' || n)::uuid"),
        }
    }

    fn bytes_32(&self, what: u8) -> String {
        match self.0 {
            Engine::Sqlite => format!("unhex(printf('%08x%054x{what:02x}', (n * 2654435761) % 4294967296, n))"),
            Engine::MariaDb => format!("UNHEX(CONCAT(MD5(n), MD5(CONCAT('{what}-', n))))"),
            Engine::PostgreSql => format!("decode(md5(n::text) || md5('{what}-' || n), 'hex')"),
        }
    }

    fn text(&self, before: &str) -> String {
        match self.0 {
            Engine::MariaDb => format!("CONCAT('{before}', n)"),
            Engine::Sqlite | Engine::PostgreSql => format!("'{before}' || n"),
        }
    }

    fn insert(&self, table: &str, values: &[&str]) -> String {
        format!(
            "INSERT INTO {table} WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS}) \
             SELECT {} FROM numbers",
            values.join(", ")
        )
    }
}

/// Moments in microseconds, spread over years from 2026 on.
const AT: &str = "1790000000000000 + n * 3600000000";
const NULL: &str = "NULL";

/// Fills the system database and that of the one organisation.
pub async fn fill(world: &World) {
    let dialect = Dialect(world.databases.status().engine);
    let organisation = world.databases.system_models().organisations().all_ids().await.unwrap()[0];
    let mut system = Database::open(world, None).await;
    system.run(&filling_of_system(&dialect)).await;
    let mut tenant = Database::open(world, Some(organisation)).await;
    tenant.run(&filling_of_tenant(&dialect)).await;
}

fn filling_of_system(dialect: &Dialect) -> Vec<String> {
    let (account, organisation, gateway, other) = (&*dialect.id(1), &*dialect.id(2), &*dialect.id(3), &*dialect.id(4));
    let (network, hash, credential) = (&*dialect.id(5), &*dialect.bytes_32(6), &*dialect.bytes_32(7));
    let (slug, email, name) = (&*dialect.text("organisation-"), &*dialect.text("person-"), &*dialect.text("east-"));
    // One in fifty is something rare.
    let rarely_null = |value: &str| format!("CASE WHEN n % 50 = 0 THEN {value} END");
    let rarely = |rare: &str, usual: &str| format!("CASE WHEN n % 50 = 0 THEN '{rare}' ELSE '{usual}' END");
    let state = "CASE n % 50 WHEN 0 THEN 'running' WHEN 1 THEN 'ready' WHEN 2 THEN 'waiting' WHEN 3 THEN 'dead' ELSE 'done' END";
    let queue = "CASE WHEN n % 2 = 0 THEN 'mail' ELSE 'records' END";
    let jobs: &[&str] = &[
        other,
        queue,
        organisation,
        "n % 3",
        "'letter'",
        "1",
        "'{}'",
        state,
        AT,
        AT,
        NULL,
        AT,
        AT,
        "1",
        "5",
        gateway,
        &rarely_null(AT),
        "0",
        "0",
        NULL,
        NULL,
        account,
        NULL,
        NULL,
    ];
    let schedule: &[&str] = &[
        other,
        organisation,
        "'Weekly'",
        "'reports'",
        "'report'",
        "1",
        "'{}'",
        "'daily'",
        &rarely("active", "paused"),
        AT,
        NULL,
        NULL,
        account,
        AT,
        "1",
    ];
    let rows: [(&str, &[&str]); 18] = [
        ("jobs", jobs),
        ("job_keys", &[slug, other, AT]),
        ("job_workers", &[other, "'host'", "1", "'0.1.0'", "8", "1", AT]),
        ("job_queues", &[&*dialect.text("q-"), "'running'", AT, "'anna'"]),
        ("job_schedules", schedule),
        ("mails", &[other, AT, email, "'Hello'", "'test'", "'sent'", NULL, NULL, NULL, organisation]),
        ("scaling_decisions", &[other, AT, "'host'", "'queue_delay'", "1", "1", "1", "2", "'grow'", "'because'"]),
        ("organisations", &[organisation, slug, "'Name'", "'active'", AT, "1"]),
        ("accounts", &[account, email, "'Anna'", NULL, "'own'", AT, "1"]),
        ("memberships", &[account, organisation, &rarely("admin", "member"), &rarely("invited", "joined"), AT, "1"]),
        ("sessions", &[other, hash, account, AT, AT, AT, "'192.0.2.7'", "'Firefox'"]),
        ("links", &[other, hash, "'invitation'", account, organisation, AT, AT, AT]),
        ("gateways", &[gateway, name, "'vpn.example.org'", "51820", hash, AT, credential, AT, AT, "1"]),
        ("gateway_networks", &[network, gateway, organisation, "51820"]),
        ("system_audit", &[other, AT, account, "'gateway.created'", "'{}'", organisation]),
        ("audit_outbox", &[other, AT, account, "'gateway.created'", "'{}'", organisation]),
        ("idempotency_keys", &["'scope'", slug, hash, other, AT]),
        ("tenant_migrations", &[organisation, "'m0001'", &rarely("failed", "done"), NULL, "1", AT, AT]),
    ];
    rows.into_iter().map(|(table, values)| dialect.insert(table, values)).collect()
}

fn filling_of_tenant(dialect: &Dialect) -> Vec<String> {
    let (network, owner, device, gateway) = (&*dialect.id(1), &*dialect.id(2), &*dialect.id(3), &*dialect.id(4));
    let (key, hash, name) = (&*dialect.bytes_32(5), &*dialect.bytes_32(6), &*dialect.text("thing-"));
    let standing = "CASE WHEN n % 50 = 0 THEN 'disabled' WHEN n % 50 = 1 THEN 'revoked' ELSE 'enabled' END";
    let expires_at = format!("CASE WHEN n % 5 = 0 THEN {AT} END");
    let action =
        "CASE WHEN n % 2 = 0 THEN 'device.enrolled' WHEN n % 3 = 0 THEN 'device.changed' ELSE 'network.created' END";
    let rarely_purpose = "CASE WHEN n % 50 = 0 THEN 'export' ELSE 'outcome' END".to_owned();
    let networks: &[&str] = &[
        network,
        name,
        "'10.0.0.0/8'",
        NULL,
        "'[]'",
        "'[]'",
        "'full'",
        "'[]'",
        "'blocked'",
        "1420",
        "25",
        gateway,
        "51820",
        key,
        hash,
        "1",
        AT,
        "1",
    ];
    let file: &[&str] =
        &[device, "'people.csv'", "'text/csv'", &rarely_purpose, "'whole'", "1", hash, owner, gateway, AT, AT];
    let webhook: &[&str] =
        &[device, "'Ours'", "'https://example.org'", "'[]'", key, NULL, NULL, "'enabled'", "0", AT, "1"];
    let delivery: &[&str] =
        &[device, device, "'device.enrolled'", "'{}'", "'delivered'", "1", "200", "'ok'", "12", AT, AT];
    let rows: [(&str, &[&str]); 11] = [
        ("job_outbox", &[device, "'{}'"]),
        ("files", file),
        ("file_chunks", &[device, "0", key]),
        ("webhooks", webhook),
        ("webhook_deliveries", delivery),
        ("networks", networks),
        ("devices", &[device, network, owner, name, key, key, NULL, "n", standing, &expires_at, AT, "1"]),
        ("device_usage", &[device, "n", "n", AT, NULL, NULL, "0", "0"]),
        ("released_addresses", &[network, "n", AT]),
        ("audit_entries", &[device, AT, owner, action, "'{}'"]),
        ("idempotency_keys", &["'scope'", name, hash, device, AT]),
    ];
    rows.into_iter().map(|(table, values)| dialect.insert(table, values)).collect()
}

/// Removes an index of the system database.
pub async fn drop_index(world: &World, table: &str, index: &str) {
    let on = match world.databases.status().engine {
        Engine::MariaDb => format!(" ON {table}"),
        Engine::Sqlite | Engine::PostgreSql => String::new(),
    };
    Database::open(world, None).await.run(&[format!("DROP INDEX {index}{on}")]).await;
}

/// One database, reached past the storage.
enum Database {
    Sqlite(SqliteConnection),
    MariaDb(MySqlConnection),
    PostgreSql(PgConnection),
}

impl Database {
    /// The database of `organisation`, or the system's.
    async fn open(world: &World, organisation: Option<OrganisationId>) -> Self {
        let url = match (world.ground.database_url(), organisation) {
            (None, None) => world.ground.folder().join("system.sqlite").display().to_string(),
            (None, Some(id)) => world.databases.place_of(id).to_string(),
            (Some(url), None) => url,
            (Some(url), Some(id)) => format!("{url}_{}", id.uuid().simple()),
        };
        match world.databases.status().engine {
            Engine::Sqlite => Self::Sqlite(SqliteConnection::connect(&format!("sqlite://{url}")).await.unwrap()),
            Engine::MariaDb => Self::MariaDb(MySqlConnection::connect(&url).await.unwrap()),
            Engine::PostgreSql => Self::PostgreSql(PgConnection::connect(&url).await.unwrap()),
        }
    }

    /// Runs the statements, and lets the planner look at what they left.
    async fn run(&mut self, statements: &[String]) {
        let sql = AssertSqlSafe(statements.join(";\n"));
        match self {
            Self::Sqlite(connection) => drop(connection.execute(sqlx::raw_sql(sql)).await.unwrap()),
            Self::MariaDb(connection) => {
                let settings = "SET max_recursive_iterations = 1000000";
                connection.execute(settings).await.unwrap();
                connection.execute(sqlx::raw_sql(sql)).await.unwrap();
                let tables: Vec<(String,)> =
                    sqlx::query_as("SELECT CONVERT(table_name USING utf8mb4) FROM information_schema.tables WHERE table_schema = DATABASE()")
                        .fetch_all(&mut *connection)
                        .await
                        .unwrap();
                for (table,) in tables {
                    connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("ANALYZE TABLE {table}")))).await.unwrap();
                }
            }
            Self::PostgreSql(connection) => {
                connection.execute(sqlx::raw_sql(sql)).await.unwrap();
                // As the server itself does in the background: then a count need not look at the rows.
                connection.execute("VACUUM ANALYZE").await.unwrap();
            }
        }
    }
}
