//! Migrations go up, down and up again, and end where they began.

use sea_orm::{ConnectionTrait, DatabaseConnection, SqlxSqliteConnector, Statement};
use sea_orm_migration::MigratorTrait;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use warren_schema::{SystemMigrator, TenantMigrator};

async fn schema(connection: &DatabaseConnection) -> Vec<String> {
    let query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'seaql_migrations' ORDER BY name";
    let rows =
        connection.query_all_raw(Statement::from_string(connection.get_database_backend(), query)).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn up_down_up<M: MigratorTrait>() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("db")).create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
    M::up(&connection, None).await.unwrap();
    let first = schema(&connection).await;
    assert!(!first.is_empty());
    M::up(&connection, None).await.unwrap();
    M::down(&connection, None).await.unwrap();
    assert_eq!(schema(&connection).await, Vec::<String>::new());
    M::up(&connection, None).await.unwrap();
    assert_eq!(schema(&connection).await, first);
}

#[tokio::test]
async fn the_system_schema_goes_up_down_and_up() {
    up_down_up::<SystemMigrator>().await;
}

#[tokio::test]
async fn the_tenant_schema_goes_up_down_and_up() {
    up_down_up::<TenantMigrator>().await;
}
