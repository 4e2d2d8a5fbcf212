//! Rollouts over all organisations: who goes first, what stops them, and what one organisation's failure does to the others.

use rstest::rstest;
use rstest_reuse::apply;
use warren_model::OrganisationId;
use warren_storage::{
    Config, Direction, Engine, Losses, Progress, RolloutOptions, Stage, StopAfter, Stopped, StorageError,
    TenantMigration, TenantMigrationState,
};
use warren_testkit::ground::Ground;

use super::{
    both_ways::maintenance,
    raw::Raw,
    test_schema::{CONTRACT, EXPAND, with},
};
use crate::world::*;

/// An installation, closed, with organisations `o00`, `o01` and so on, the oldest first.
async fn installation(engine: Engine, organisations: usize) -> (Ground, Vec<OrganisationId>) {
    let world = world(engine).await;
    let mut ids = Vec::new();
    for at in 0..organisations {
        ids.push(world.organisation(&format!("o{at:02}")).await.0.id);
    }
    world.databases.close().await;
    (world.ground, ids)
}

/// Makes [`EXPAND`] fail in the database of an organisation, until it is mended.
async fn spoil(ground: &Ground, engine: Engine, id: OrganisationId) -> Raw {
    let raw = Raw::of(ground, engine, Some(id));
    raw.run("CREATE TABLE stickers (odd INTEGER)").await;
    raw
}

async fn has_expanded(ground: &Ground, engine: Engine, id: OrganisationId) -> bool {
    Raw::of(ground, engine, Some(id)).ledger().await.iter().any(|line| line.starts_with(EXPAND.name))
}

async fn noted(ground: &Ground, id: OrganisationId) -> TenantMigration {
    let status = maintenance(ground, with(&[EXPAND])).look(4).await.unwrap();
    status.tenants.into_iter().find(|tenant| tenant.organisation.id == id).unwrap().noted.unwrap()
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_canary_that_fails_stops_the_rollout_before_anybody_else(engine: Engine) {
    let (ground, ids) = installation(engine, 4).await;
    spoil(&ground, engine, ids[2]).await;
    let options =
        RolloutOptions { canary: Some(ids[2]), stop_after: StopAfter::Failures(10), ..RolloutOptions::default() };
    let maintenance = maintenance(&ground, with(&[EXPAND]));
    let report = maintenance.roll_out(Direction::Up, &options, |_| ()).await.unwrap();
    assert_eq!(report.stopped, Some(Stopped::CanaryFailed));
    assert_eq!((report.failed.len(), report.failed[0].0.as_str(), report.not_begun()), (1, "o02", 3));
    for id in [ids[0], ids[1], ids[3]] {
        assert!(!has_expanded(&ground, engine, id).await);
        assert_eq!(noted(&ground, id).await.state, TenantMigrationState::Pending);
    }
    let canary = noted(&ground, ids[2]).await;
    assert_eq!((canary.state, canary.attempts), (TenantMigrationState::Failed, 1));
    assert!(canary.error.unwrap().contains(EXPAND.name));
}

#[tokio::test]
async fn a_rollout_goes_from_the_canary_over_some_to_the_rest() {
    let (ground, ids) = installation(Engine::Sqlite, 11).await;
    let mut told = Vec::new();
    let options = RolloutOptions { percent: 20, ..RolloutOptions::default() };
    let maintenance = maintenance(&ground, with(&[EXPAND]));
    let report = maintenance
        .roll_out(Direction::Up, &options, |progress| {
            told.push(match progress {
                Progress::Stage(stage, organisations) => format!("{} {organisations}", stage.as_str()),
                Progress::Tenant { slug, .. } => slug.to_owned(),
            });
        })
        .await
        .unwrap();
    assert_eq!((report.changed, report.current, report.failed.len(), report.stopped), (11, 0, 0, None));
    // The oldest, then up to a fifth of all, then the others.
    assert_eq!(told[..3], ["canary 1", "o00", "some 2"]);
    let rest = told.iter().position(|line| *line == format!("{} 8", Stage::Rest.as_str())).unwrap();
    assert_eq!(rest, 5);
    assert_eq!(told.len(), 3 + 11);
    for id in ids {
        assert_eq!(noted(&ground, id).await.state, TenantMigrationState::Done);
    }
    let again = maintenance.roll_out(Direction::Up, &options, |_| ()).await.unwrap();
    assert_eq!((again.changed, again.current), (0, 11));
}

#[tokio::test]
async fn too_many_failures_stop_a_rollout_and_done_again_it_goes_on() {
    let (ground, ids) = installation(Engine::Sqlite, 12).await;
    let mut spoilt = Vec::new();
    for at in [2, 4, 9] {
        spoilt.push(spoil(&ground, Engine::Sqlite, ids[at]).await);
    }
    let maintenance = maintenance(&ground, with(&[EXPAND]));
    let options = RolloutOptions { parallel: 1, stop_after: StopAfter::Failures(2), ..RolloutOptions::default() };
    let report = maintenance.roll_out(Direction::Up, &options, |_| ()).await.unwrap();
    assert_eq!((report.changed, report.failed.len(), report.stopped), (3, 2, Some(Stopped::TooManyFailed)));
    assert_eq!(report.not_begun(), 7);
    assert_eq!(noted(&ground, ids[5]).await.state, TenantMigrationState::Pending);
    for raw in spoilt {
        raw.run("DROP TABLE stickers").await;
    }
    let report = maintenance.roll_out(Direction::Up, &options, |_| ()).await.unwrap();
    assert_eq!((report.changed, report.current, report.failed.len(), report.stopped), (9, 3, 0, None));
    let mended = noted(&ground, ids[2]).await;
    assert_eq!((mended.state, mended.attempts, mended.error), (TenantMigrationState::Done, 2, None));
}

#[apply(on_every_database)]
#[tokio::test]
async fn an_organisation_whose_migration_fails_is_shut_alone_and_in_plain_sight(engine: Engine) {
    let (ground, ids) = installation(engine, 3).await;
    let spoilt = spoil(&ground, engine, ids[1]).await;
    let schema = with(&[EXPAND]);
    let maintenance = maintenance(&ground, schema);
    let report = maintenance.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
    assert_eq!((report.changed, report.failed.len(), report.stopped), (2, 1, None));
    assert!(matches!(report.failed[0].1, StorageError::MigrationFailed { .. }), "{:?}", report.failed);

    let databases = open_with(Config { schema, ..config(&ground) }).await.unwrap();
    for id in [ids[0], ids[2]] {
        databases.tenant_models(id).await.unwrap();
    }
    for _ in 0..3 {
        let error = databases.tenant_models(ids[1]).await.unwrap_err();
        assert!(error.to_string().contains("mend the cause"), "{error}");
    }
    let system = databases.system_models().clone();
    let failed = system.tenant_migrations().of(ids[1]).await.unwrap().unwrap();
    // The rollout's attempt, and one for all three of these.
    assert_eq!((failed.state, failed.attempts), (TenantMigrationState::Failed, 2));
    assert!(failed.error.unwrap().contains(EXPAND.name));
    spoilt.run("DROP TABLE stickers").await;
    databases.tenant_models(ids[1]).await.unwrap();
    let mended = system.tenant_migrations().of(ids[1]).await.unwrap().unwrap();
    assert_eq!((mended.state, mended.error), (TenantMigrationState::Done, None));
    databases.close().await;
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_cold_database_migrates_when_it_is_opened_and_that_is_noted(engine: Engine) {
    let (ground, ids) = installation(engine, 2).await;
    let databases = open_with(Config { schema: with(&[EXPAND]), ..config(&ground) }).await.unwrap();
    databases.tenant_models(ids[0]).await.unwrap();
    let notes = databases.system_models().tenant_migrations().all().await.unwrap();
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].organisation, notes[0].version.as_str()), (ids[0], EXPAND.name));
    assert_eq!(notes[0].state, TenantMigrationState::Done);
    databases.close().await;
    assert!(has_expanded(&ground, engine, ids[0]).await);
    assert!(!has_expanded(&ground, engine, ids[1]).await);
}

#[tokio::test]
async fn all_organisations_are_rolled_back_in_the_same_stages() {
    let (ground, ids) = installation(Engine::Sqlite, 5).await;
    let maintenance = maintenance(&ground, with(&[EXPAND, CONTRACT]));
    maintenance.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
    let refusing = Direction::Down { migrations: 1, losses: Losses::Refused };
    let report = maintenance.roll_out(refusing, &RolloutOptions::default(), |_| ()).await.unwrap();
    assert_eq!((report.stopped, report.not_begun()), (Some(Stopped::CanaryFailed), 4));
    let accepting = Direction::Down { migrations: 1, losses: Losses::Accepted };
    let report = maintenance.roll_out(accepting, &RolloutOptions::default(), |_| ()).await.unwrap();
    assert_eq!((report.changed, report.failed.len()), (5, 0));
    for id in ids {
        let note = noted(&ground, id).await;
        assert_eq!((note.version.as_str(), note.state), (EXPAND.name, TenantMigrationState::Done));
    }
}

#[tokio::test]
async fn a_database_that_is_gone_fails_alone_and_says_so() {
    let (ground, ids) = installation(Engine::Sqlite, 3).await;
    std::fs::remove_file(ground.folder().join(format!("tenants/{}.sqlite", ids[1]))).unwrap();
    let maintenance = maintenance(&ground, with(&[EXPAND]));
    let report = maintenance.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
    assert_eq!((report.changed, report.failed.len()), (2, 1));
    assert!(report.failed[0].1.to_string().contains("it is missing"), "{}", report.failed[0].1);
    let status = maintenance.look(2).await.unwrap();
    assert!(status.tenants[1].schema.migrations.is_err());
}
