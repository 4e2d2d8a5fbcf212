//! What an analysis tells operators of their databases.

use super::support::{Installation, on_every_database};
use rstest::rstest;
use rstest_reuse::apply;
use time::macros::datetime;
use warren_app::{
    AppError,
    analysis::{self, FindingKind},
    seed::{self, Ground, Profile, Request, Sizes},
};
use warren_model::Role;
use warren_runtime::SystemRandom;
use warren_testkit::ground::Database;

/// One organisation with 1,200 people, as a table that is worth a finding has.
fn many_people(seed: u64) -> Request {
    let sizes = Sizes { organisations: 1, people: 1200, networks: 1, devices: 1300, days: 30 };
    Request { profile: Profile::Load, sizes, seed, until: datetime!(2026-11-21 12:00 UTC), ground: Ground::Used }
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_analysis_tells_statements_tables_and_plans(database: Database) {
    let here = Installation::new(database).await;
    here.set_up().await;
    seed::plant(&here.app, &many_people(1), &SystemRandom).await.unwrap();
    let found = analysis::analyse(&here.local()).await.unwrap();
    assert_eq!(found.left_out, []);
    assert_eq!(found.databases.len(), 3, "the system's and two organisations'");
    assert!(found.databases.iter().all(|database| database.explained > 0 && database.unexplained == 0), "{found:?}");
    assert!(found.by_total.windows(2).all(|two| two[0].total_us >= two[1].total_us));
    assert!(found.by_worst.windows(2).all(|two| two[0].longest_us >= two[1].longest_us));
    assert!(!found.by_total.is_empty() && !found.by_worst.is_empty());
    for table in ["accounts", "devices", "audit_entries"] {
        let sizes = found.tables.iter().filter(|size| size.table == table);
        assert!(sizes.max_by_key(|size| size.size_bytes).is_some_and(|size| size.size_bytes > Some(8192)), "{table}");
    }
    assert!(found.compared_with.is_none() && found.tables.iter().all(|table| table.more_rows.is_none()));
    assert!(found.findings.iter().all(|finding| !finding.meaning.is_empty() && !finding.advice.is_empty()));
    let again = analysis::analyse(&here.local()).await.unwrap();
    assert!(again.compared_with.is_some() && again.tables.iter().all(|table| table.more_rows.is_some()));
}

#[tokio::test]
async fn a_table_that_grows_and_an_index_that_idles_are_findings() {
    let here = Installation::new(Database::Sqlite).await;
    here.set_up().await;
    seed::plant(&here.app, &many_people(1), &SystemRandom).await.unwrap();
    let first = analysis::analyse(&here.local()).await.unwrap();
    assert!(first.findings.iter().all(|finding| finding.kind != FindingKind::TableGrows));
    let idle = first.findings.iter().filter(|finding| finding.kind == FindingKind::IndexUnused);
    let idle: Vec<_> = idle.filter_map(|finding| finding.index.as_deref()).collect();
    assert!(idle.contains(&"devices_standing_expires_at"), "nobody has asked for what expires: {idle:?}");
    seed::plant(&here.app, &many_people(2), &SystemRandom).await.unwrap();
    let second = analysis::analyse(&here.local()).await.unwrap();
    let grown: Vec<_> = second.findings.iter().filter(|finding| finding.kind == FindingKind::TableGrows).collect();
    let accounts = grown.iter().find(|finding| finding.table.as_deref() == Some("accounts")).unwrap();
    assert!(accounts.meaning.contains("1200 more rows"), "{}", accounts.meaning);
}

#[tokio::test]
async fn an_analysis_is_for_operators() {
    let here = Installation::new(Database::Sqlite).await;
    here.set_up().await;
    let ben = here.join("northwind", "Ben", Role::Admin).await;
    let refused = analysis::analyse(&here.cx(ben.subject())).await;
    assert!(matches!(refused, Err(AppError::Forbidden)), "{refused:?}");
}
