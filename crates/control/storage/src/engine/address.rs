//! How one database is reached: a file, or a database of a server, and what is set on each connection to it.

use std::{path::PathBuf, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _,
    mysql::{MySqlConnectOptions, MySqlSslMode},
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{Connection, Engine};
use crate::{Place, replica};

/// How long SQLite itself waits for a lock; only a second process could hold one.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The write-ahead log is cut back to this after a checkpoint.
const JOURNAL_SIZE_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Every statement of the repositories fits in, so none is prepared twice.
const STATEMENTS_MAX: usize = 256;
/// A server that does not answer within this time is taken for gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A server ends a statement after this long, and a transaction that does nothing: the last resort when a client is gone.
pub(crate) const STATEMENT_TIME_MAX: Duration = Duration::from_secs(60);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// The one writer of an SQLite database.
    Writer,
    /// Reads only.
    Reader,
    /// Reads and writes on a server.
    Both,
    /// Reads only, on a server that follows another one.
    Replica,
    /// Changes the schema of a database that nobody else has open: what it did is on the disk once a checkpoint is done,
    /// which costs less than every commit on its own.
    Migrator,
    /// Makes a new database that nobody else sees yet: a crash leaves it behind unnoticed, so nothing is synchronised.
    Maker,
}

impl Role {
    /// What only looks, on `engine`.
    pub const fn reading(engine: Engine) -> Self {
        if engine.writes_alone() { Self::Reader } else { Self::Both }
    }

    /// Its name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Writer => "write",
            Self::Reader => "read",
            Self::Both => "both",
            Self::Replica => "replica",
            Self::Migrator => "migrate",
            Self::Maker => "make",
        }
    }
}

/// One database.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    File(PathBuf),
    MariaDb(Box<MySqlConnectOptions>),
    PostgreSql(Box<PgConnectOptions>),
}

impl Target {
    pub const fn engine(&self) -> Engine {
        match self {
            Self::File(_) => Engine::Sqlite,
            Self::MariaDb(_) => Engine::MariaDb,
            Self::PostgreSql(_) => Engine::PostgreSql,
        }
    }

    pub fn place(&self) -> Place {
        match self {
            Self::File(path) => Place::file(path),
            Self::MariaDb(options) => Place::server(
                self.engine().as_str(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default(),
            ),
            Self::PostgreSql(options) => Place::server(
                self.engine().as_str(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default(),
            ),
        }
    }

    /// Opens a connection, within [`CONNECT_WITHIN`].
    pub async fn connect(&self, role: Role) -> Result<Connection, sqlx::Error> {
        tokio::time::timeout(CONNECT_WITHIN, self.open(role))
            .await
            .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, elapsed))))
    }

    async fn open(&self, role: Role) -> Result<Connection, sqlx::Error> {
        match self {
            Self::File(path) => sqlite(path.clone(), role).connect().await.map(Connection::Sqlite),
            Self::MariaDb(options) => {
                let mut connection = Connection::MariaDb(options.connect().await?);
                // Transactions are serialisable unless they ask for less; a statement alone reads without locks all the same.
                connection
                    .run("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET SESSION innodb_lock_wait_timeout = 10")
                    .await?;
                let limit = statement_time_max(role).as_secs();
                // MySQL knows neither; Warren's own limits hold there alone.
                let _ = connection
                    .run(&format!("SET SESSION idle_transaction_timeout = {limit}, max_statement_time = {limit}"))
                    .await;
                Ok(connection)
            }
            Self::PostgreSql(options) if role == Role::Replica => {
                let limit = format!("{}s", statement_time_max(role).as_secs());
                // Of two settings of one name the later one holds.
                let options = (**options).clone().options([("statement_timeout", limit)]);
                options.connect().await.map(Connection::PostgreSql)
            }
            Self::PostgreSql(options) => options.connect().await.map(Connection::PostgreSql),
        }
    }

    /// The database of the same name on the server at `url`, which is of the same engine.
    pub fn on(&self, url: &DatabaseUrl) -> Self {
        match &url.0 {
            Server::MariaDb(options) => Self::MariaDb(Box::new((**options).clone().database(self.database()))),
            Server::PostgreSql(options) => Self::PostgreSql(Box::new((**options).clone().database(self.database()))),
        }
    }
}

/// After how long a server ends a statement.
const fn statement_time_max(role: Role) -> Duration {
    match role {
        // By then the primary is asked.
        Role::Replica => replica::READ_WITHIN,
        _ => STATEMENT_TIME_MAX,
    }
}

fn sqlite(path: PathBuf, role: Role) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging();
    match role {
        Role::Reader => options.read_only(true).pragma("query_only", "ON"),
        Role::Migrator => options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal),
        Role::Maker => options.journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off),
        Role::Writer | Role::Both | Role::Replica => options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", JOURNAL_SIZE_BYTES_MAX.to_string())
            .pragma("wal_autocheckpoint", "1000"),
    }
}

/// Where a server is, who Warren is there, and what the system database is called:
/// `postgresql://warren:secret@db.example.org/warren`, or `mariadb://…`. Printed without the password.
#[derive(Clone)]
pub struct DatabaseUrl(pub(super) Server);

#[derive(Clone)]
pub(super) enum Server {
    MariaDb(Box<MySqlConnectOptions>),
    PostgreSql(Box<PgConnectOptions>),
}

/// Why a text is no [`DatabaseUrl`]; `Display` says what one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error(
        "a database URL begins with postgresql:// or mariadb://, as in postgresql://warren:password@db.example.org/warren"
    )]
    Scheme,
    #[error("the database URL names no database; add one at its end, as in …@db.example.org/warren")]
    NoDatabase,
    #[error(
        "the database's name may have a to z, digits and _, at most {} of them, and begins with a letter: all of Warren's databases are named after it",
        DatabaseUrl::NAME_CHARACTERS_MAX
    )]
    Name,
    #[error("the database URL cannot be read: {0}")]
    Malformed(String),
}

impl DatabaseUrl {
    /// The longest name of the system database: the names of the tenants' databases are it and 33 characters more, and
    /// PostgreSQL's end at 63 bytes.
    pub const NAME_CHARACTERS_MAX: usize = 30;

    /// What kind of server it is.
    pub const fn engine(&self) -> Engine {
        match &self.0 {
            Server::MariaDb(_) => Engine::MariaDb,
            Server::PostgreSql(_) => Engine::PostgreSql,
        }
    }

    /// The server's name or address, and its port.
    pub fn server(&self) -> String {
        match &self.0 {
            Server::MariaDb(options) => format!("{}:{}", options.get_host(), options.get_port()),
            Server::PostgreSql(options) => format!("{}:{}", options.get_host(), options.get_port()),
        }
    }

    /// The system database's name.
    pub fn database(&self) -> &str {
        match &self.0 {
            Server::MariaDb(options) => options.get_database(),
            Server::PostgreSql(options) => options.get_database(),
        }
        .unwrap_or_default()
    }

    /// The system database, without the password.
    pub fn place(&self) -> Place {
        match &self.0 {
            Server::MariaDb(options) => Target::MariaDb(options.clone()),
            Server::PostgreSql(options) => Target::PostgreSql(options.clone()),
        }
        .place()
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(DatabaseUrlError::Scheme)?;
        let malformed = |error: sqlx::Error| DatabaseUrlError::Malformed(error.to_string());
        let (server, database) = match scheme {
            "postgresql" | "postgres" => {
                let options: PgConnectOptions = format!("postgres://{rest}").parse().map_err(malformed)?;
                let limit = format!("{}s", STATEMENT_TIME_MAX.as_secs());
                let options = options
                    .application_name("warren")
                    .statement_cache_capacity(STATEMENTS_MAX)
                    .options([
                        ("statement_timeout", limit.as_str()),
                        ("idle_in_transaction_session_timeout", limit.as_str()),
                        ("lock_timeout", "10s"),
                    ])
                    .disable_statement_logging();
                let options = if says(rest, "sslmode") { options } else { options.ssl_mode(PgSslMode::Prefer) };
                let database = options.get_database().map(str::to_owned);
                (Server::PostgreSql(Box::new(options)), database)
            }
            "mariadb" | "mysql" => {
                let options: MySqlConnectOptions = format!("mysql://{rest}").parse().map_err(malformed)?;
                let options =
                    options.charset("utf8mb4").statement_cache_capacity(STATEMENTS_MAX).disable_statement_logging();
                let options = if says(rest, "ssl-mode") { options } else { options.ssl_mode(MySqlSslMode::Preferred) };
                let database = options.get_database().map(str::to_owned);
                (Server::MariaDb(Box::new(options)), database)
            }
            _ => return Err(DatabaseUrlError::Scheme),
        };
        let database = database.filter(|name| !name.is_empty()).ok_or(DatabaseUrlError::NoDatabase)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_named_well = database.starts_with(|c: char| c.is_ascii_lowercase())
            && database.chars().all(plain)
            && database.len() <= Self::NAME_CHARACTERS_MAX;
        if is_named_well { Ok(Self(server)) } else { Err(DatabaseUrlError::Name) }
    }
}

/// Whether the URL has this parameter.
fn says(url: &str, parameter: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair.split('=').next() == Some(parameter)))
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.place().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_read_and_shown_without_its_password() {
        for (text, shown) in [
            ("postgresql://warren:s3cret@db.example.org/warren", "postgresql://db.example.org:5432/warren"),
            ("postgres://warren:s3cret@127.0.0.1:6000/warren_2", "postgresql://127.0.0.1:6000/warren_2"),
            ("mysql://warren:s3cret@db/warren?ssl-mode=REQUIRED", "mariadb://db:3306/warren"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_text_that_is_no_database_url_is_refused_with_what_one_looks_like() {
        for (text, error) in [
            ("db.example.org", DatabaseUrlError::Scheme),
            ("oracle://db/warren", DatabaseUrlError::Scheme),
            ("mariadb://db", DatabaseUrlError::NoDatabase),
            ("postgresql://db/Warren", DatabaseUrlError::Name),
            ("postgresql://db/warren;drop", DatabaseUrlError::Name),
            ("postgresql://db/a23456789012345678901234567890x", DatabaseUrlError::Name),
        ] {
            assert_eq!(text.parse::<DatabaseUrl>().unwrap_err(), error, "{text}");
        }
    }
}
