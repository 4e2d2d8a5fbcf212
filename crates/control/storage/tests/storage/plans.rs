//! No statement of a repository reads through a table that grows, on any database.

use rstest::rstest;
use rstest_reuse::apply;
use warren_storage::{AnalysisBounds, DatabaseAnalysis, Engine, ExplainedStatement, PlanStep};

use crate::{exercise, filling, world::*};

/// Whole tables that are small by their nature or wanted whole, and the one search that has no index.
const ACCEPTED: [(&str, &str); 11] = [
    (r#"SELECT "organisations"."id" FROM "organisations" ORDER BY"#, "every organisation, at start-up"),
    (r#"FROM (SELECT "organisations""#, "the number of organisations, on the operator's overview"),
    (r#"FROM "tenant_migrations" ORDER BY"#, "every organisation, when their databases are migrated"),
    (r#"FROM (SELECT "gateways""#, "the number of gateways"),
    (r#"FROM "job_workers" ORDER BY "job_workers"."id" ASC"#, "every process that works on jobs; there are few"),
    (r#"FROM "job_queues""#, "every queue; there are four"),
    (r#"FROM "gateways" ORDER BY "gateways"."id" ASC"#, "every gateway; an installation has few"),
    (r#"FROM "gateway_networks" ORDER BY "gateway_networks"."gateway_id" ASC"#, "every network, at start-up"),
    (r#"FROM (SELECT "networks""#, "the number of networks, at most a thousand"),
    (r#"FROM "networks" ORDER BY "networks"."id" ASC"#, "every network of an organisation, at most a thousand"),
    (r#"LOWER("devices"."name") LIKE"#, "a part of a name may stand anywhere in it"),
];

#[apply(on_every_database)]
#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index(#[case] engine: Engine) {
    let world = world(engine).await;
    exercise::everything(&world).await;
    filling::fill(&world).await;
    // The other organisations are rows without databases.
    let bounds = AnalysisBounds { within: IDLE, tenants_max: 1, ..AnalysisBounds::default() };
    let analysis = world.databases.analyse(bounds).await.unwrap();
    assert!(analysis.left_out.is_empty(), "{:?}", analysis.left_out);

    let (mut explained, mut faults) = (0, Vec::new());
    for database in &analysis.databases {
        assert_eq!(database.unexplained, 0, "{}", database.place);
        explained += database.statements.len();
        faults.extend(database.statements.iter().filter_map(|statement| fault(engine, statement)));
    }
    assert!(explained > 90, "only {explained} statements were seen");
    assert!(faults.is_empty(), "{} of {explained}:\n{}", faults.len(), faults.join("\n"));
    every_table_is_full(&analysis.databases);
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_statement_without_an_index_would_be_found(#[case] engine: Engine) {
    let world = world(engine).await;
    exercise::everything(&world).await;
    filling::fill(&world).await;
    filling::drop_index(&world, "sessions", "sessions_expires_at").await;
    let analysis = world.databases.analyse(AnalysisBounds::default()).await.unwrap();
    let system = &analysis.databases[0];
    let faults: Vec<&ExplainedStatement> =
        system.statements.iter().filter(|statement| fault(engine, statement).is_some()).collect();
    let read_through = |statement: &&&ExplainedStatement| statement.plan.tables_read_through().any(|t| t == "sessions");
    let found = faults.iter().find(read_through).expect("the statement that removes what expired");
    assert!(found.filters_by("sessions").contains(&"expires_at".to_owned()), "{}", found.text);
}

/// What is wrong with how the database goes about `statement`.
fn fault(engine: Engine, statement: &ExplainedStatement) -> Option<String> {
    let text = statement.text.replace('`', "\"");
    let accepted = ACCEPTED.iter().any(|(part, _)| text.contains(part));
    // A page of everything, which ends when it is full.
    let is_page_of_all = !text.contains("WHERE") && text.contains("LIMIT");
    let is_wrong = |step: &PlanStep| match step {
        PlanStep::ReadsTable { .. } => true,
        PlanStep::WalksIndex { .. } => !is_page_of_all,
        PlanStep::UsesIndex { .. } => false,
        // Servers weigh a sort of the few rows that they expect against another index.
        PlanStep::Sorts => engine == Engine::Sqlite,
    };
    let steps: Vec<&PlanStep> = statement.plan.steps.iter().filter(|step| is_wrong(step)).collect();
    (!accepted && !steps.is_empty()).then(|| format!("{steps:?}\n{}\n  in {text}\n", statement.plan.text))
}

/// An empty table is read through on purpose, and would hide what happens in a full one.
fn every_table_is_full(databases: &[DatabaseAnalysis]) {
    for database in databases {
        let tables = database.tables.iter().filter(|table| table.table != "schema_migrations");
        // MariaDB estimates how many rows there are.
        let small: Vec<_> = tables.filter(|table| table.rows < filling::ROWS / 2).collect();
        assert!(small.is_empty(), "{}: {small:?}", database.place);
    }
}
