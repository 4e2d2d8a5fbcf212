//! From SQLite over MariaDB and PostgreSQL back to SQLite: nothing is lost, added or changed.

use warren_storage::{Engine, StorageError};

use super::{
    filled::{contents, filled},
    relocate,
};
use crate::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_through_every_engine_and_back_changes_nothing() {
    let first = filled(3).await;
    let before = contents(first.folder()).await;
    assert!(before.values().map(Vec::len).sum::<usize>() > 40_000, "the world is not full");
    assert!(before.values().all(|rows| !rows.is_empty()) || before.len() > 20, "{:?}", before.keys());

    let grounds = [first, ground(Engine::MariaDb), ground(Engine::PostgreSql), ground(Engine::Sqlite)];
    for pair in grounds.windows(2) {
        let moved = relocate(&pair[0], &pair[1]).await.unwrap();
        assert_eq!((moved.databases, moved.unchanged), (5, 0));
        println!("{} rows from {} to {} in {:?}", moved.rows, moved.from, moved.to, moved.took);
        // What was left is not started on, and what was reached is.
        let refused = open_with(config(&pair[0])).await.unwrap_err();
        assert!(matches!(&refused, StorageError::MovedAway { to, .. } if *to == moved.to.to_string()), "{refused}");
        let databases = open_with(config(&pair[1])).await.unwrap();
        let organisations = databases.system_models().organisations().all_ids().await.unwrap();
        assert_eq!(organisations.len(), 4);
        for id in organisations {
            databases.tenant_models(id).await.unwrap().networks().all().await.unwrap();
        }
        databases.close().await;
    }
    let after = contents(grounds[3].folder()).await;
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (table, rows) in &before {
        assert!(*rows == after[table], "{table:?} differs");
    }
    // And the place that it began from holds what it held.
    assert!(contents(grounds[0].folder()).await == before, "the source was changed");
}
