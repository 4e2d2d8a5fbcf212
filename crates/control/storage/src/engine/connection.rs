//! One connection to a database of any engine, and statements on it.

use sea_orm::{DbErr, ExecResult, QueryResult, Statement, TryGetable, Value, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection, SqliteConnection, query_with,
};

use super::Engine;

/// A connection of the driver's, whichever it is.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    MariaDb(MySqlConnection),
    PostgreSql(PgConnection),
}

macro_rules! on_each {
    ($self:expr, $connection:ident => $body:expr) => {
        match $self {
            Connection::Sqlite($connection) => $body,
            Connection::MariaDb($connection) => $body,
            Connection::PostgreSql($connection) => $body,
        }
    };
}

impl Connection {
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::MariaDb(_) => Engine::MariaDb,
            Self::PostgreSql(_) => Engine::PostgreSql,
        }
    }

    /// Runs SQL as it is, without preparing it: transaction control, definitions of tables, settings.
    pub async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        on_each!(self, connection => { connection.execute(sql).await.map(drop) })
    }

    /// Runs SQL with values and gives all its rows, for what no entity describes.
    pub async fn ask(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, sqlx::Error> {
        let statement = Statement::from_sql_and_values(self.engine().backend(), sql, values);
        Vec::ask(self, statement).await
    }

    /// The first column of the first row; none without a row or when it is null.
    pub async fn ask_one<T: TryGetable>(&mut self, sql: &str, values: Vec<Value>) -> Result<Option<T>, sqlx::Error> {
        let rows = self.ask(sql, values).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        row.try_get_by_index::<Option<T>>(0).map_err(decoding)
    }

    /// Takes leave of the server, or closes the file.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        on_each!(self, connection => connection.close().await)
    }
}

/// An error of reading a column, as the driver would give it.
pub(crate) fn decoding(error: DbErr) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// What a statement gives: its effect, its first row, or all its rows.
pub(crate) trait Answer: Sized + Send {
    /// Runs `statement` on `connection`.
    fn ask(connection: &mut Connection, statement: Statement)
    -> impl Future<Output = Result<Self, sqlx::Error>> + Send;
}

impl Answer for ExecResult {
    async fn ask(connection: &mut Connection, statement: Statement) -> Result<Self, sqlx::Error> {
        let (sql, values) = parts(statement);
        on_each!(connection, on => query_with(AssertSqlSafe(sql), values).execute(on).await.map(Self::from))
    }
}

impl Answer for Option<QueryResult> {
    async fn ask(connection: &mut Connection, statement: Statement) -> Result<Self, sqlx::Error> {
        let (sql, values) = parts(statement);
        on_each!(connection, on => {
            Ok(query_with(AssertSqlSafe(sql), values).fetch_optional(on).await?.map(QueryResult::from))
        })
    }
}

impl Answer for Vec<QueryResult> {
    async fn ask(connection: &mut Connection, statement: Statement) -> Result<Self, sqlx::Error> {
        let (sql, values) = parts(statement);
        on_each!(connection, on => {
            let rows = query_with(AssertSqlSafe(sql), values).fetch_all(on).await?;
            Ok(rows.into_iter().map(QueryResult::from).collect())
        })
    }
}

fn parts(statement: Statement) -> (String, SqlxValues) {
    (statement.sql, SqlxValues(statement.values.unwrap_or_else(|| Values(Vec::new()))))
}
