//! Up, down and up again, with data in place.

use std::sync::Arc;

use rstest::rstest;
use rstest_reuse::apply;
use warren_model::{Device, OrganisationId};
use warren_runtime::{SystemClock, SystemRandom};
use warren_storage::{
    Config, Direction, Engine, Losses, Maintenance, MigrationState, RolloutOptions, Schema, StorageError,
};
use warren_testkit::ground::Ground;

use super::{
    raw::Raw,
    test_schema::{CONTRACT, EXPAND, with},
};
use crate::{exercise, world::*};

pub fn maintenance(ground: &Ground, schema: Schema) -> Maintenance {
    let config = Config { schema, ..config(ground) };
    Maintenance::new(&config, Arc::new(SystemClock), Arc::new(SystemRandom))
}

/// An installation with rows in nearly every table, closed, and a device of its one kept organisation.
pub async fn installation_with_data(engine: Engine) -> (Ground, OrganisationId, Device) {
    let world = world(engine).await;
    exercise::everything(&world).await;
    let (kept, tenant) = world.organisation("kept").await;
    let office = network("office", prefixes("10.20.0.0/24", "fd00:1::/64"));
    add_network(&tenant, &office).await;
    let laptop = enrol(&tenant, &office, account_id(), "laptop").await.unwrap();
    drop(tenant);
    world.databases.close().await;
    (world.ground, kept.id, laptop)
}

/// The device as it is read now, by this build.
async fn read_back(ground: &Ground, organisation: OrganisationId, device: &Device) -> Option<Device> {
    let databases = open_with(config(ground)).await.unwrap();
    let tenant = databases.tenant_models(organisation).await.unwrap();
    let read = tenant.devices().by_id(device.id).await.unwrap();
    drop(tenant);
    databases.close().await;
    read
}

#[apply(on_every_database)]
#[tokio::test]
async fn the_schema_is_the_committed_one_and_every_migration_goes_down_and_up_again(engine: Engine) {
    let (ground, kept, _) = installation_with_data(engine).await;
    let maintenance = maintenance(&ground, Schema::OF_THIS_BUILD);
    let schema = Schema::OF_THIS_BUILD;
    for (name, of, migrations) in [("tenant", Some(kept), schema.tenant), ("system", None, schema.system)] {
        let raw = Raw::of(&ground, engine, of);
        let shape = raw.shape().await;
        insta::assert_snapshot!(format!("shape-{name}-{}", engine.as_str()), shape);
        for back in 1..=migrations.len() {
            let rolled = maintenance.roll_back(of, back, Losses::Accepted).await.unwrap();
            let latest: Vec<_> = migrations.iter().rev().take(back).map(|migration| migration.name).collect();
            assert_eq!(rolled, latest);
            assert_eq!(raw.ledger().await.len(), migrations.len() - back);
            if back == migrations.len() {
                let bare = raw.shape().await;
                assert!(!bare.contains("devices") && !bare.contains("accounts"), "{bare}");
            } else {
                assert_ne!(raw.shape().await, shape);
                if of.is_none() {
                    assert_eq!(raw.ask("SELECT slug FROM organisations ORDER BY slug").await, ["acme", "kept"]);
                }
            }
            match of {
                None => drop(maintenance.migrate_system().await.unwrap()),
                Some(_) => {
                    let report = maintenance.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
                    assert!(report.failed.is_empty() && report.changed == 1, "{report:?}");
                }
            }
            assert_eq!(raw.shape().await, shape, "{name}, {back} back and up again");
        }
    }
}

#[apply(on_every_database)]
#[tokio::test]
async fn data_that_no_migration_touches_survives_up_down_and_up_again(engine: Engine) {
    let (ground, kept, laptop) = installation_with_data(engine).await;
    let raw = Raw::of(&ground, engine, Some(kept));
    let before = raw.shape().await;
    let all = RolloutOptions::default();

    let expanding = maintenance(&ground, with(&[EXPAND]));
    expanding.roll_out(Direction::Up, &all, |_| ()).await.unwrap();
    let expanded = raw.shape().await;
    assert_ne!(expanded, before);
    assert_eq!(raw.ask("SELECT colour FROM networks").await, ["green"]);
    raw.run("INSERT INTO stickers SELECT id, 'mine' FROM devices; UPDATE devices SET note = 'old'").await;

    let contracting = maintenance(&ground, with(&[EXPAND, CONTRACT]));
    contracting.roll_out(Direction::Up, &all, |_| ()).await.unwrap();
    let contracted = raw.shape().await;
    assert!(!contracted.contains("stickers"));

    // Nothing says that the loss is wanted.
    let refused = contracting.roll_back(Some(kept), 1, Losses::Refused).await.unwrap_err();
    let StorageError::RollbackLoses { losses, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(losses, &["devices.note comes back empty", "stickers comes back empty"]);
    assert!(refused.to_string().contains("make a backup first"), "{refused}");
    let planned = contracting.plan_down(Some(kept), 1).await.unwrap();
    assert_eq!(&planned[0].losses, losses);
    assert_eq!((planned.len(), planned[0].name, planned[0].statements.len()), (1, CONTRACT.name, 4));
    assert_eq!(raw.shape().await, contracted);

    assert_eq!(contracting.roll_back(Some(kept), 1, Losses::Accepted).await.unwrap(), [CONTRACT.name]);
    assert_eq!(sorted(&raw.shape().await), sorted(&expanded));
    assert!(raw.ask("SELECT text FROM stickers").await.is_empty());

    // What is empty is no loss, and a default that stands everywhere is one.
    let planned = expanding.plan_down(Some(kept), 1).await.unwrap();
    assert_eq!(planned[0].losses, ["networks.colour goes, which holds something in 1 rows"]);
    assert_eq!(expanding.roll_back(Some(kept), 1, Losses::Accepted).await.unwrap(), [EXPAND.name]);
    assert_eq!(raw.shape().await, before);
    assert_eq!(read_back(&ground, kept, &laptop).await, Some(laptop.clone()));

    contracting.roll_out(Direction::Up, &all, |_| ()).await.unwrap();
    assert_eq!(sorted(&raw.shape().await), sorted(&contracted));
    let both = contracting.roll_back(Some(kept), 2, Losses::Accepted).await.unwrap();
    assert_eq!(both, [CONTRACT.name, EXPAND.name]);
    assert_eq!(raw.shape().await, before);
    assert_eq!(read_back(&ground, kept, &laptop).await, Some(laptop));
}

/// A column that is added again stands last, which SQLite's own text of a table shows.
fn sorted(shape: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = shape.split([',', '\n']).map(|part| part.trim_matches([' ', ')'])).collect();
    parts.sort_unstable();
    parts
}

#[apply(on_every_database)]
#[tokio::test]
async fn what_stands_where_is_told_without_changing_anything(engine: Engine) {
    let (ground, kept, _) = installation_with_data(engine).await;
    let raw = Raw::of(&ground, engine, Some(kept));
    let before = raw.shape().await;
    let grown = maintenance(&ground, with(&[EXPAND, CONTRACT]));
    let status = grown.look(2).await.unwrap();
    let states = |views: &[warren_storage::MigrationView]| -> Vec<_> {
        views.iter().map(|view| (view.name.clone(), view.state)).collect()
    };
    let system = status.system.migrations.as_ref().unwrap();
    assert!(system.iter().all(|view| view.state == MigrationState::Applied), "{system:?}");
    assert_eq!(status.tenants.len(), 2);
    let views = status.tenants[1].schema.migrations.as_ref().unwrap();
    let expected = [
        ("m0001_tenant", MigrationState::Applied),
        ("m0002_records", MigrationState::Applied),
        (EXPAND.name, MigrationState::Pending),
        (CONTRACT.name, MigrationState::Pending),
    ];
    assert_eq!(states(views), expected.map(|(name, state)| (name.to_owned(), state)));
    let planned = grown.plan_up(Some(kept), views);
    assert_eq!(planned.iter().map(|migration| migration.name).collect::<Vec<_>>(), [EXPAND.name, CONTRACT.name]);
    assert_eq!(planned[0].statements.len(), 5);
    assert_eq!(raw.shape().await, before);
    assert_eq!(raw.ledger().await.len(), 2);

    // A later version, and another form of a migration that was applied.
    grown.roll_out(Direction::Up, &RolloutOptions::default(), |_| ()).await.unwrap();
    let older = maintenance(&ground, with(&[EXPAND]));
    let status = older.look(2).await.unwrap();
    let views = status.tenants[1].schema.migrations.as_ref().unwrap();
    assert_eq!(views[3].state, MigrationState::Unknown);
    let refused = older.roll_back(Some(kept), 1, Losses::Accepted).await.unwrap_err();
    assert!(matches!(&refused, StorageError::NewerSchema { found, .. } if found == CONTRACT.name), "{refused:?}");
    raw.run(&format!("UPDATE schema_migrations SET checksum = 'another' WHERE name = '{}'", EXPAND.name)).await;
    let status = grown.look(2).await.unwrap();
    assert_eq!(status.tenants[1].schema.migrations.as_ref().unwrap()[2].state, MigrationState::Changed);
    let refused = grown.roll_back(Some(kept), 1, Losses::Accepted).await.unwrap_err();
    assert!(matches!(&refused, StorageError::ChangedMigration { name, .. } if name == EXPAND.name), "{refused:?}");
    assert_eq!(raw.ledger().await.len(), 4);
}
