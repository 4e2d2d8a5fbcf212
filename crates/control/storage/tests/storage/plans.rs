//! No statement of a repository reads through a table that grows.

use std::collections::BTreeSet;

use sqlx::{Row, SqlitePool, sqlite::SqliteConnectOptions};

use warren_storage::Engine;

use crate::{exercise, world::*};

/// Whole tables that are small by their nature or wanted whole, and the one search that has no index.
const ACCEPTED: [(&str, &str); 8] = [
    (r#"SELECT "organisations"."id" FROM "organisations" ORDER BY"#, "every organisation, at start-up"),
    (r#"FROM (SELECT "organisations""#, "the number of organisations, on the operator's overview"),
    (r#"FROM (SELECT "gateways""#, "the number of gateways"),
    (r#"FROM "gateways" ORDER BY "gateways"."id" ASC"#, "every gateway; an installation has few"),
    (r#"FROM "gateway_networks" ORDER BY "gateway_networks"."gateway_id" ASC"#, "every network, at start-up"),
    (r#"FROM (SELECT "networks""#, "the number of networks, at most a thousand"),
    (r#"FROM "networks" ORDER BY "networks"."id" ASC"#, "every network of an organisation, at most a thousand"),
    (r#"LOWER("devices"."name") LIKE"#, "a part of a name may stand anywhere in it"),
];

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let world = world(Engine::Sqlite).await;
    exercise::everything(&world).await;
    let status = world.databases.status();
    let seen = status.system.statements.iter().chain(&status.tenants.statements);
    let statements: BTreeSet<String> = seen.map(|statement| statement.example.trim().to_owned()).collect();

    let system =
        SqlitePool::connect_with(SqliteConnectOptions::new().filename(world.ground.folder().join("system.sqlite")));
    let tenant = std::fs::read_dir(world.ground.folder().join("tenants")).unwrap().map(|entry| entry.unwrap().path());
    let tenant = tenant.into_iter().find(|path| path.extension().is_some_and(|e| e == "sqlite")).unwrap();
    let databases =
        [system.await.unwrap(), SqlitePool::connect_with(SqliteConnectOptions::new().filename(tenant)).await.unwrap()];
    let (mut explained, mut faults) = (0, Vec::new());
    for statement in statements.iter().filter(|statement| reads_or_writes(statement)) {
        let mut known = false;
        for database in &databases {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            // A table of the other kind of database.
            let Ok(plan) = sqlx::query(explain).fetch_all(database).await else { continue };
            known = true;
            let steps = plan.iter().map(|step| step.get::<String, _>("detail"));
            let fault = |step: &String| reads_through(statement, step);
            faults.extend(steps.filter(fault).map(|step| format!("{step}\n    {statement}")));
        }
        assert!(known, "no plan for {statement}");
        explained += 1;
    }
    assert!(explained > 90, "only {explained} statements were seen");
    assert!(faults.is_empty(), "{} of {explained}:\n{}", faults.len(), faults.join("\n"));
}

fn reads_or_writes(statement: &str) -> bool {
    ["SELECT", "UPDATE", "DELETE"].iter().any(|verb| statement.starts_with(verb))
}

fn reads_through(statement: &str, step: &str) -> bool {
    let walks_in_order = step.starts_with("SCAN") && step.contains("USING") && !statement.contains("WHERE");
    let page_of_all = walks_in_order && statement.contains("LIMIT");
    (step.starts_with("SCAN") || step.contains("TEMP B-TREE"))
        && !page_of_all
        && !ACCEPTED.iter().any(|(part, _)| statement.contains(part))
}
