//! Times moves between the engines: `cargo run --release -p warren-storage --example moving [organisations] [rows of each]`.
#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

use std::{path::Path, sync::Arc};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use warren_auth::Authorized;
use warren_model::{Clock as _, Organisation, OrganisationId, OrganisationState};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{Config, Databases, MoveProgress, Relocation};
use warren_testkit::ground::{Database, Ground};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().unwrap());
    let (organisations, rows): (usize, usize) = (arguments.next().unwrap_or(8), arguments.next().unwrap_or(30_000));
    let mut here = Ground::of(Database::Sqlite).unwrap();
    fill(here.folder(), organisations, rows).await;
    let tour = [
        Database::MariaDb,
        Database::Sqlite,
        Database::PostgreSql,
        Database::MariaDb,
        Database::PostgreSql,
        Database::Sqlite,
    ];
    for database in tour {
        let there = Ground::of(database).unwrap();
        let relocation = Relocation {
            source: config(&here).standing,
            target: config(&there).standing,
            installation: "measured".to_owned(),
        };
        let moved = relocation.run(Arc::new(SystemClock), &Arc::new(MoveProgress::default())).await.unwrap();
        let seconds = moved.took.as_secs_f64();
        println!(
            "{:>10} -> {database:?}: {} databases, {} rows in {seconds:.2} s: {:.0} rows/s, {:.0} databases/s",
            here.database_url().map_or_else(|| "Sqlite".to_owned(), |url| url[..url.find(':').unwrap()].to_owned()),
            moved.databases,
            moved.rows,
            moved.rows as f64 / seconds,
            moved.databases as f64 / seconds,
        );
        here = there;
    }
}

fn config(ground: &Ground) -> Config {
    ground
        .database_url()
        .map_or_else(|| Config::new(ground.folder().to_owned()), |url| Config::on_server(url.parse().unwrap()))
}

/// Organisations with audit entries, as most rows of an installation are.
async fn fill(folder: &Path, organisations: usize, rows: usize) {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let databases = Databases::open(Config::new(folder.to_owned()), clock, random).await.unwrap();
    let mut ids = Vec::new();
    for nth in 0..organisations {
        let id = OrganisationId::generate(SystemClock.now(), &SystemRandom);
        let organisation = Organisation {
            id,
            slug: format!("org-{nth}").parse().unwrap(),
            name: format!("Organisation {nth}").parse().unwrap(),
            state: OrganisationState::Active,
            created_at: SystemClock.now(),
            revision: 1,
        };
        databases.create_tenant(id).await.unwrap();
        let system = databases.system_models();
        let insert = system
            .transaction(async |tx| tx.organisations().insert(&Authorized::for_installation(), &organisation).await);
        insert.await.unwrap();
        ids.push(id);
    }
    databases.close().await;
    for id in ids {
        let file = folder.join("tenants").join(format!("{id}.sqlite"));
        let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
        let sql = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO audit_entries SELECT randomblob(16), i, randomblob(16), 'device.enrolled', printf('%.*c', 300, 'x')
             FROM n WHERE {rows} > 0"
        );
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        connection.close().await.unwrap();
    }
}
