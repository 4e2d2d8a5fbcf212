//! Plain sea-orm: its connections over sqlx's pools, and its entities.

use std::path::Path;

use sea_orm::{
    DatabaseConnection, DbErr, EntityTrait, FromQueryResult, IntoActiveModel, IsolationLevel, JoinType, QueryOrder,
    QuerySelect, RelationDef, Select, SqliteTransactionMode, SqlxMySqlConnector, SqlxPostgresConnector,
    SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};
use uuid::Uuid;
use warren_schema::tenant::{device, device_usage, network};
use warren_testkit::servers::ServerKind;

use super::{PAGE, plain};

/// Where reads and writes go; on a server to the same pool.
#[derive(Debug)]
pub struct Orm {
    read: DatabaseConnection,
    write: DatabaseConnection,
    begin: TransactionOptions,
}

/// A device and its network's prefixes.
#[derive(FromQueryResult)]
#[expect(dead_code, reason = "rows are read, and not looked at")]
struct Row {
    #[sea_orm(nested)]
    device: device::Model,
    ipv4: Option<String>,
    ipv6: Option<String>,
}

impl Orm {
    pub fn of_file(file: &Path) -> Self {
        let (read, write) = plain::of_file(file);
        Self {
            read: SqlxSqliteConnector::from_sqlx_sqlite_pool(read),
            write: SqlxSqliteConnector::from_sqlx_sqlite_pool(write),
            begin: TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            },
        }
    }

    /// # Errors
    /// When the URL is none.
    pub fn of_server(kind: ServerKind, url: &str) -> anyhow::Result<Self> {
        let (both, isolation_level) = match kind {
            // Its sessions are serialisable already.
            ServerKind::MariaDb => (SqlxMySqlConnector::from_sqlx_mysql_pool(plain::of_mariadb(url)?), None),
            ServerKind::PostgreSql => (
                SqlxPostgresConnector::from_sqlx_postgres_pool(plain::of_postgresql(url)?),
                Some(IsolationLevel::Serializable),
            ),
        };
        let begin = TransactionOptions { isolation_level, ..TransactionOptions::default() };
        Ok(Self { read: both.clone(), write: both, begin })
    }

    pub async fn get(&self, id: Uuid) -> Result<usize, DbErr> {
        self.rows(device::Entity::find_by_id(id)).await
    }

    pub async fn list(&self) -> Result<usize, DbErr> {
        let query = device::Entity::find().order_by_asc(device::Column::Id).limit(u64::from(PAGE) + 1);
        self.rows(query).await
    }

    async fn rows(&self, query: Select<device::Entity>) -> Result<usize, DbErr> {
        let to_network: RelationDef =
            device::Entity::belongs_to(network::Entity).from(device::Column::NetworkId).to(network::Column::Id).into();
        let query =
            query.join(JoinType::LeftJoin, to_network).column(network::Column::Ipv4).column(network::Column::Ipv6);
        Ok(query.into_model::<Row>().all(&self.read).await?.len())
    }

    pub async fn insert(&self, row: &device::Model) -> Result<usize, DbErr> {
        let usage = device_usage::Model {
            device_id: row.id,
            received_bytes: 0,
            sent_bytes: 0,
            last_handshake_at: None,
            last_endpoint: None,
            boot: None,
            boot_received_bytes: 0,
            boot_sent_bytes: 0,
        };
        let transaction = self.write.begin_with_options(self.begin).await?;
        device::Entity::insert(row.clone().into_active_model()).exec_without_returning(&transaction).await?;
        device_usage::Entity::insert(usage.into_active_model()).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(1)
    }

    pub async fn close(&self) {
        // A pool that is closed already says nothing new.
        let _ = self.read.close_by_ref().await;
        let _ = self.write.close_by_ref().await;
    }
}
