//! What goes wrong with servers: each fault has its own error, and what can go on does.

use rstest::rstest;
use rstest_reuse::apply;
use warren_model::audit::{Action, Actor};
use warren_storage::{
    Config, Conflict, DatabaseUrl, Databases, Engine, Standing, StorageError, TransactionOptions, WorkContext,
};
use warren_testkit::{
    ground::{Database, Ground},
    servers::{DatabaseServer, FreshDatabases, ServerKind},
};

use crate::{
    proxy::{Cut, Proxy},
    world::*,
};

/// The URL with another part in place of `part`.
fn changed(url: &str, change: impl FnOnce(&mut url::Url)) -> DatabaseUrl {
    let mut url = url::Url::parse(url).unwrap();
    change(&mut url);
    url.to_string().parse().unwrap()
}

#[rstest]
#[case::mariadb(Database::MariaDb)]
#[case::postgresql(Database::PostgreSql)]
#[tokio::test]
async fn a_server_that_refuses_or_does_not_answer_is_named_with_what_to_do(#[case] database: Database) {
    let ground = Ground::of(database).unwrap();
    let url = ground.database_url().unwrap();
    let wrong = changed(&url, |url| url.set_password(Some("wrong")).unwrap());
    let error = open_with(Config::on_server(wrong)).await.unwrap_err();
    assert!(matches!(error, StorageError::AccessRefused { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("check the user, the password") && !said.contains("wrong@"), "{said}");
    // A port where nobody listens.
    let nowhere = changed(&url, |url| url.set_port(Some(1)).unwrap());
    let error = open_with(Config::on_server(nowhere)).await.unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("127.0.0.1:1/"), "{error}");
    // One of another kind.
    let odd = url.replacen("mysql", "x", 1).replacen("postgres", "mysql", 1).replacen('x', "postgres", 1);
    let error = open_with(Config::on_server(odd.parse().unwrap())).await.unwrap_err();
    assert!(matches!(error, StorageError::Unreachable { .. } | StorageError::Unavailable { .. }), "{error:?}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_model_whose_column_is_gone_is_named_at_the_start(engine: Engine) {
    let World { databases, ground } = world(engine).await;
    databases.close().await;
    alter(&ground, "ALTER TABLE sessions DROP COLUMN user_agent").await;
    let error = open_with(config(&ground)).await.unwrap_err();
    assert!(matches!(&error, StorageError::ModelMissing { model: "sessions", .. }), "{error:?}");
    assert!(error.to_string().contains("user_agent"), "{error}");
}

#[apply(on_every_database)]
#[tokio::test]
async fn a_migration_that_reads_otherwise_now_is_refused(engine: Engine) {
    let World { databases, ground } = world(engine).await;
    databases.close().await;
    alter(&ground, "UPDATE schema_migrations SET checksum = 'another' WHERE name = 'm0001_system'").await;
    let error = open_with(config(&ground)).await.unwrap_err();
    assert!(matches!(&error, StorageError::ChangedMigration { name, .. } if name == "m0001_system"), "{error:?}");
    alter(&ground, "INSERT INTO schema_migrations VALUES ('m9999_future', '', 1, 1, 0, 0, 'exact')").await;
    let error = open_with(config(&ground)).await.unwrap_err();
    assert!(matches!(&error, StorageError::NewerSchema { found, .. } if found == "m9999_future"), "{error:?}");
}

/// Changes the system database behind Warren's back.
async fn alter(ground: &Ground, sql: &'static str) {
    match ground.database_url() {
        None => {
            let file = ground.folder().join("system.sqlite");
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
            let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
            sqlx::raw_sql(sql).execute(&pool).await.unwrap();
            pool.close().await;
        }
        Some(url) if url.starts_with("postgres") => {
            let pool = sqlx::PgPool::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&pool).await.unwrap();
            pool.close().await;
        }
        Some(url) => {
            let pool = sqlx::MySqlPool::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

#[rstest]
#[case::mariadb(Database::MariaDb)]
#[case::postgresql(Database::PostgreSql)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_cut_in_the_commit_is_reported_and_only_what_may_be_repeated_is(#[case] database: Database) {
    let ground = Ground::of(database).unwrap();
    let url = url::Url::parse(&ground.database_url().unwrap()).unwrap();
    let proxy = Proxy::before(format!("127.0.0.1:{}", url.port().unwrap()).parse().unwrap()).await;
    let through = changed(url.as_str(), |url| url.set_port(Some(proxy.address.port())).unwrap());
    let databases = open_with(Config::on_server(through)).await.unwrap();
    let system = databases.system_models();
    let insert = async |slug: &str, options| {
        let organisation = organisation(slug);
        system
            .with_transaction(&WorkContext::BACKGROUND, options, async |tx| {
                tx.organisations().insert(&operate(), &organisation).await
            })
            .await
    };
    for (when, slug, is_there) in [(Cut::BeforeCommit, "before", false), (Cut::AfterCommit, "after", true)] {
        proxy.cut_next(when);
        let error = insert(slug, TransactionOptions::default()).await.unwrap_err();
        assert!(matches!(error, StorageError::CommitUnknown { .. }), "{when:?}: {error:?}");
        assert!(error.to_string().contains("look whether it was made"), "{error}");
        let found = system.organisations().by_slug(&slug.parse().unwrap()).await.unwrap();
        assert_eq!(found.is_some(), is_there, "{when:?}");
    }
    // What is done twice without harm is attempted again.
    proxy.cut_next(Cut::BeforeCommit);
    insert("repeated", TransactionOptions::idempotent()).await.unwrap();
    let entry = entry(Action::OrganisationCreated, Actor::System);
    let waiting = organisation_id();
    proxy.cut_next(Cut::AfterCommit);
    system
        .with_transaction(&WorkContext::BACKGROUND, TransactionOptions::idempotent(), async |tx| {
            // A key tells the second attempt that the first was carried out.
            let (key, resource) = ("once", waiting.uuid());
            if tx.idempotency().claim("test", key, &[7; 32], resource, NOW).await? == warren_storage::Claim::Fresh {
                tx.audit_outbox().push(&entry, waiting).await?;
            }
            Ok::<_, StorageError>(())
        })
        .await
        .unwrap();
    assert_eq!(system.audit_outbox().take(10).await.unwrap().len(), 1);
    databases.close().await;
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::postgresql(ServerKind::PostgreSql)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_is_named_and_its_return_is_noticed_without_a_restart(#[case] kind: ServerKind) {
    let server = DatabaseServer::start(kind).unwrap();
    let fresh = FreshDatabases::on(&server);
    let databases = open_with(Config::on_server(fresh.url().parse().unwrap())).await.unwrap();
    let system = databases.system_models();
    assert_eq!(system.organisations().count().await.unwrap(), 0);
    server.stop().unwrap();
    for _ in 0..3 {
        let error = system.organisations().count().await.unwrap_err();
        assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
        let error = system.transaction(async |tx| tx.organisations().count().await).await.unwrap_err();
        assert!(matches!(error, StorageError::Unreachable { .. }), "{error:?}");
    }
    server.restart().unwrap();
    assert_eq!(system.organisations().count().await.unwrap(), 0);
    system.transaction(async |tx| tx.organisations().insert(&operate(), &organisation("acme")).await).await.unwrap();
    // Killed and back before anybody looks: the dead connections are exchanged unnoticed.
    server.kill().unwrap();
    server.restart().unwrap();
    assert_eq!(system.organisations().count().await.unwrap(), 1);
    system.transaction(async |tx| tx.organisations().insert(&operate(), &organisation("other")).await).await.unwrap();
    databases.close().await;
}

#[rstest]
#[case::mariadb(Database::MariaDb)]
#[case::postgresql(Database::PostgreSql)]
#[tokio::test]
async fn what_stands_on_a_server_is_told_apart_from_an_empty_database(#[case] database: Database) {
    let ground = Ground::of(database).unwrap();
    let standing = Standing::Server(ground.database_url().unwrap().parse().unwrap());
    let found = Databases::look(&standing).await.unwrap();
    assert_eq!((found.system, found.tenants), (false, 0));
    let databases = open_with(config(&ground)).await.unwrap();
    let id = organisation_id();
    databases.create_tenant(id).await.unwrap();
    let again = databases.create_tenant(id).await;
    assert!(matches!(again, Err(StorageError::Conflict(Conflict::Exists))), "{again:?}");
    let found = Databases::look(&standing).await.unwrap();
    assert_eq!((found.system, found.tenants), (true, 1));
    // No organisation knows of it, as after a creation that was killed.
    assert_eq!(databases.discard_orphan_tenants().await.unwrap(), 1);
    assert!(matches!(databases.tenant_models(id).await, Err(StorageError::NotFound)));
    databases.close().await;
}
