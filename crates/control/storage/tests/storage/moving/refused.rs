//! What a move refuses, each time leaving both ends as they were; and moves that stopped and go on.

use std::{fs, sync::Arc};

use rstest::rstest;
use rstest_reuse::apply;
use warren_runtime::SystemClock;
use warren_storage::{Engine, MoveError, MoveProgress, Relocation, StorageError, back_out};
use warren_testkit::ground::Ground;

use super::{
    filled::{contents, filled, run, tenant_files},
    relocate, relocation,
};
use crate::world::*;

/// A table in one organisation's database that a move stops at.
const OBSTACLE: &str = "CREATE TABLE of_somebody_else (id INTEGER PRIMARY KEY)";

/// An installation of which one database cannot be moved, and that database's file.
async fn obstructed() -> (Ground, std::path::PathBuf) {
    let ground = filled(2).await;
    let file = tenant_files(ground.folder()).pop().unwrap();
    run(&file, OBSTACLE).await;
    (ground, file)
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_move_that_stopped_goes_on_with_what_is_missing(engine: Engine) {
    let (from, file) = obstructed().await;
    let to = ground(engine);
    let stopped = relocate(&from, &to).await.unwrap_err();
    assert!(matches!(&stopped, MoveError::UnknownTable { table, .. } if table == "of_somebody_else"), "{stopped}");

    // Nobody starts on half an installation, and where it was it goes on.
    let refused = open_with(config(&to)).await.unwrap_err();
    assert!(matches!(refused, StorageError::MoveUnfinished { .. }), "{refused}");
    open_with(config(&from)).await.unwrap().close().await;

    // One of the databases that were done changes, and the obstacle goes.
    let changed = tenant_files(from.folder()).remove(0);
    run(&changed, "INSERT INTO audit_entries VALUES (randomblob(16), 1, NULL, 'late', 'late')").await;
    run(&file, "DROP TABLE of_somebody_else").await;
    let before = contents(from.folder()).await;
    let moved = relocate(&from, &to).await.unwrap();
    assert_eq!((moved.databases, moved.unchanged), (4, 1), "{moved:?}");

    let back = ground(Engine::Sqlite);
    relocate(&to, &back).await.unwrap();
    assert!(contents(back.folder()).await == before, "rows differ");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_target_that_holds_something_is_left_alone(engine: Engine) {
    let (from, to) = (filled(0).await, ground(engine));
    open_with(config(&to)).await.unwrap().close().await;
    let refused = relocate(&from, &to).await.unwrap_err();
    assert!(matches!(refused, MoveError::Occupied { .. }), "{refused}");
    assert!(refused.to_string().contains("an installation of Warren"), "{refused}");
    open_with(config(&to)).await.unwrap().close().await;
    open_with(config(&from)).await.unwrap().close().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_unfinished_move_is_gone_on_with_by_its_own_installation_only(engine: Engine) {
    let (from, _) = obstructed().await;
    let to = ground(engine);
    relocate(&from, &to).await.unwrap_err();
    let run = async |relocation: Relocation| {
        relocation.run(Arc::new(SystemClock), &Arc::new(MoveProgress::default())).await.unwrap_err()
    };
    let another = run(Relocation { installation: "another".into(), ..relocation(&from, &to) }).await;
    assert!(matches!(another, MoveError::AnotherMove { .. }), "{another}");
    let elsewhere = relocate(&filled(0).await, &to).await.unwrap_err();
    assert!(matches!(elsewhere, MoveError::AnotherMove { .. }), "{elsewhere}");
    // Nor is it a source.
    let onward = relocate(&to, &ground(Engine::Sqlite)).await.unwrap_err();
    assert!(matches!(onward, MoveError::Storage(StorageError::MoveUnfinished { .. })), "{onward}");
}

#[tokio::test]
async fn a_database_that_the_source_has_no_more_goes_from_the_target_too() {
    let (from, file) = obstructed().await;
    let to = ground(Engine::Sqlite);
    // An organisation's database that no organisation has: it is moved like any other.
    let orphan = from.folder().join("tenants").join(format!("{}.sqlite", organisation_id()));
    fs::copy(tenant_files(from.folder()).remove(0), &orphan).unwrap();
    relocate(&from, &to).await.unwrap_err();
    run(&file, "DROP TABLE of_somebody_else").await;
    fs::remove_file(&orphan).unwrap();
    relocate(&from, &to).await.unwrap();
    assert!(contents(from.folder()).await == contents(to.folder()).await, "rows differ");
}

#[tokio::test]
async fn a_source_that_is_no_whole_installation_is_refused() {
    let to = ground(Engine::Sqlite);
    let nothing = relocate(&ground(Engine::Sqlite), &to).await.unwrap_err();
    assert!(matches!(nothing, MoveError::NothingThere { .. }), "{nothing}");
    let nothing = relocate(&ground(Engine::PostgreSql), &to).await.unwrap_err();
    assert!(matches!(nothing, MoveError::NothingThere { .. }), "{nothing}");

    let from = filled(1).await;
    let same = relocate(&from, &from).await.unwrap_err();
    assert!(matches!(same, MoveError::SamePlace { .. }), "{same}");

    let file = tenant_files(from.folder()).pop().unwrap();
    run(&file, "UPDATE schema_migrations SET steps_done = 0").await;
    let old = relocate(&from, &to).await.unwrap_err();
    assert!(matches!(old, MoveError::NotMigrated { .. }) && old.to_string().contains("warren db migrate"), "{old}");

    fs::rename(&file, file.with_extension("away")).unwrap();
    let missing = relocate(&from, &to).await.unwrap_err();
    assert!(matches!(missing, MoveError::Storage(StorageError::Corrupt { .. })), "{missing}");
    assert!(missing.to_string().contains(file.file_name().unwrap().to_str().unwrap()), "{missing}");
}

#[tokio::test]
async fn what_was_moved_away_is_used_again_by_intent_only() {
    let (from, to) = (filled(0).await, ground(Engine::Sqlite));
    let unmoved = back_out(&config(&from).standing).await.unwrap_err();
    assert!(matches!(unmoved, MoveError::NotMoved { .. }), "{unmoved}");
    relocate(&from, &to).await.unwrap();
    for elsewhere in [to, ground(Engine::Sqlite)] {
        let again = relocate(&from, &elsewhere).await.unwrap_err();
        assert!(matches!(again, MoveError::Storage(StorageError::MovedAway { .. })), "{again}");
        assert!(again.to_string().contains("--back-out"), "{again}");
    }
    back_out(&config(&from).standing).await.unwrap();
    open_with(config(&from)).await.unwrap().close().await;
    relocate(&from, &ground(Engine::Sqlite)).await.unwrap();
}

#[tokio::test]
async fn a_row_that_the_target_cannot_hold_is_named() {
    let (from, to) = (filled(0).await, ground(Engine::PostgreSql));
    // PostgreSQL keeps no NUL in a text.
    run(&from.folder().join("system.sqlite"), "UPDATE gateways SET endpoint_host = 'a' || char(0) || 'b'").await;
    let refused = relocate(&from, &to).await.unwrap_err();
    assert!(matches!(&refused, MoveError::RowRefused { table, .. } if table == "gateways"), "{refused}");
}
