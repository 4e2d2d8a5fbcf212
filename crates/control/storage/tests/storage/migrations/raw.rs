//! SQL on the databases of a test, beside storage: what the schema is, and damage that storage would not do.

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use warren_model::OrganisationId;
use warren_storage::Engine;
use warren_testkit::ground::Ground;

/// One database of a test: the system's, or an organisation's.
#[derive(Debug, Clone)]
pub struct Raw {
    engine: Engine,
    url: String,
}

impl Raw {
    pub fn of(ground: &Ground, engine: Engine, organisation: Option<OrganisationId>) -> Self {
        let url = match (ground.database_url(), organisation) {
            (None, None) => ground.folder().join("system.sqlite").display().to_string(),
            (None, Some(id)) => ground.folder().join(format!("tenants/{id}.sqlite")).display().to_string(),
            (Some(url), None) => url,
            (Some(url), Some(id)) => format!("{url}_{}", id.uuid().simple()),
        };
        Self { engine, url }
    }

    /// Runs `sql`.
    pub async fn run(&self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self.engine {
            Engine::Sqlite => sql.execute(&mut self.sqlite().await).await.map(drop),
            Engine::MariaDb => sql.execute(&mut MySqlConnection::connect(&self.url).await.unwrap()).await.map(drop),
            Engine::PostgreSql => sql.execute(&mut PgConnection::connect(&self.url).await.unwrap()).await.map(drop),
        }
        .unwrap();
    }

    /// The rows of `sql`, which has one column of text.
    pub async fn ask(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.engine {
            Engine::Sqlite => sqlx::query_scalar(sql).fetch_all(&mut self.sqlite().await).await,
            Engine::MariaDb => {
                sqlx::query_scalar(sql).fetch_all(&mut MySqlConnection::connect(&self.url).await.unwrap()).await
            }
            Engine::PostgreSql => {
                sqlx::query_scalar(sql).fetch_all(&mut PgConnection::connect(&self.url).await.unwrap()).await
            }
        }
        .unwrap()
    }

    async fn sqlite(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(&self.url);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    /// The schema as the database tells it: tables with their columns, indexes, keys.
    pub async fn shape(&self) -> String {
        let mut lines = Vec::new();
        for sql in match self.engine {
            Engine::Sqlite => SQLITE,
            Engine::MariaDb => MARIADB,
            Engine::PostgreSql => POSTGRESQL,
        } {
            lines.extend(self.ask(sql).await);
        }
        lines.join("\n")
    }

    /// The migrations in the ledger, each with how far it got.
    pub async fn ledger(&self) -> Vec<String> {
        let text = match self.engine {
            Engine::MariaDb => "CONCAT(name, ' ', steps_done, '/', steps)",
            _ => "name || ' ' || steps_done || '/' || steps",
        };
        self.ask(&format!("SELECT {text} FROM schema_migrations ORDER BY name")).await
    }
}

const SQLITE: &[&str] = &["SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type DESC, name"];

const MARIADB: &[&str] = &[
    "SELECT CONVERT(CONCAT_WS(' ', table_name, column_name, column_type, IF(is_nullable = 'YES', 'null', 'not null'), \
     CONCAT('default ', column_default), collation_name, extra) USING utf8mb4) FROM information_schema.columns \
     WHERE table_schema = DATABASE() ORDER BY table_name, column_name",
    "SELECT CONVERT(CONCAT_WS(' ', IF(non_unique, 'index', 'unique'), table_name, index_name, \
     GROUP_CONCAT(column_name ORDER BY seq_in_index)) USING utf8mb4) FROM information_schema.statistics \
     WHERE table_schema = DATABASE() GROUP BY table_name, index_name, non_unique ORDER BY table_name, index_name",
    "SELECT CONVERT(CONCAT_WS(' ', 'key', table_name, constraint_name, column_name, referenced_table_name, \
     referenced_column_name) USING utf8mb4) FROM information_schema.key_column_usage \
     WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL ORDER BY table_name, constraint_name",
];

const POSTGRESQL: &[&str] = &[
    "SELECT concat_ws(' ', table_name, column_name, data_type, character_maximum_length, \
     CASE is_nullable WHEN 'YES' THEN 'null' ELSE 'not null' END, 'default ' || column_default) \
     FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname",
    "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
     WHERE connamespace = 'public'::regnamespace ORDER BY 1",
];
