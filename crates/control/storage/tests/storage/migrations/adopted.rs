//! Databases that the release before this ledger wrote.

use rstest::rstest;
use rstest_reuse::apply;
use warren_storage::{Engine, Losses, MigrationState, Schema};

use super::{
    both_ways::{installation_with_data, maintenance},
    raw::Raw,
};
use crate::world::*;

/// What `sea-orm-migration` 2.0 keeps.
fn ledger_of_before(engine: Engine, migration: &str) -> String {
    let (name, create) = match engine {
        Engine::Sqlite | Engine::PostgreSql => {
            (r#""seaql_migrations""#, r#"("version" varchar NOT NULL PRIMARY KEY, "applied_at" bigint NOT NULL)"#)
        }
        Engine::MariaDb => {
            ("`seaql_migrations`", "(`version` varchar(255) NOT NULL PRIMARY KEY, `applied_at` bigint NOT NULL)")
        }
    };
    format!(
        "DROP TABLE schema_migrations; CREATE TABLE {name} {create}; INSERT INTO {name} VALUES ('{migration}', 1763726400)"
    )
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_database_of_the_release_before_is_adopted_with_all_its_data(engine: Engine) {
    let (ground, kept, laptop) = installation_with_data(engine).await;
    let maintenance = maintenance(&ground, Schema::OF_THIS_BUILD);
    let schema = Schema::OF_THIS_BUILD;
    maintenance.roll_back(Some(kept), schema.tenant.len() - 1, Losses::Accepted).await.unwrap();
    maintenance.roll_back(None, schema.system.len() - 1, Losses::Accepted).await.unwrap();
    let (system, tenant) = (Raw::of(&ground, engine, None), Raw::of(&ground, engine, Some(kept)));
    system.run(&ledger_of_before(engine, "m0001_system")).await;
    tenant.run(&ledger_of_before(engine, "m0001_tenant")).await;

    let status = maintenance.look(1).await.unwrap();
    let states: Vec<_> = status.system.migrations.unwrap().iter().map(|view| view.state).collect();
    assert_eq!(states, [MigrationState::Applied, MigrationState::Pending, MigrationState::Pending]);
    assert!(system.shape().await.contains("seaql_migrations"), "looking changed something");

    let databases = open_with(config(&ground)).await.unwrap();
    let models = databases.tenant_models(kept).await.unwrap();
    assert_eq!(models.devices().by_id(laptop.id).await.unwrap(), Some(laptop));
    let noted = databases.system_models().tenant_migrations().of(kept).await.unwrap();
    // Taking the ledger over applies nothing; what came since is applied, and noted.
    assert_eq!(noted.map(|noted| noted.version).as_deref(), Some("m0002_records"));
    drop(models);
    databases.close().await;
    assert_eq!(system.ledger().await.len(), 3);
    assert!(!system.shape().await.contains("seaql_migrations"));
    assert_eq!(
        maintenance.look(1).await.unwrap().tenants[1].schema.migrations.as_ref().unwrap()[0].state,
        MigrationState::Applied
    );
}
