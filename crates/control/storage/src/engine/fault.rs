//! What a driver's error means, told by the native codes of each database.
//!
//! Sources: <https://www.sqlite.org/rescode.html>, <https://mariadb.com/kb/en/mariadb-error-codes/>,
//! <https://www.postgresql.org/docs/15/errcodes-appendix.html>.

use std::io;

use sqlx::{Error, error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError, sqlite::SqliteError};

/// What an error of a driver means, by what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A unique key holds the value; the text names the key or its columns.
    Unique(String),
    ForeignKey,
    /// The whole transaction may be tried again.
    Retry(RetryCause),
    /// The connection is of no use any more; the server rolls back what was open on it.
    Disconnected,
    /// Nobody answers there.
    Unreachable,
    DiskFull,
    ReadOnly,
    Corrupt(String),
    NoSuchDatabase,
    DatabaseExists,
    WrongPassword(String),
    TooManyConnections,
    /// The server ended the statement because it took too long.
    StatementTimeout,
    /// The statement names a table or column that is not there.
    Missing(String),
    Other,
}

/// Why a transaction is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryCause {
    /// The database chose it as the victim of a deadlock.
    Deadlock,
    /// It could not be put in an order with another one.
    Serialisation,
    /// A lock did not come free in time.
    Busy,
    /// The connection broke before the commit.
    Disconnected,
}

impl RetryCause {
    pub const ALL: [Self; 4] = [Self::Deadlock, Self::Serialisation, Self::Busy, Self::Disconnected];

    /// Its name in metrics and log lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::Serialisation => "serialisation",
            Self::Busy => "busy",
            Self::Disconnected => "disconnected",
        }
    }
}

impl Fault {
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Database(cause) => Self::of_database(cause.as_ref()),
            Error::Io(cause) => Self::of_io(cause),
            Error::Tls(_) => Self::Unreachable,
            Error::Protocol(_) | Error::WorkerCrashed => Self::Disconnected,
            _ => Self::Other,
        }
    }

    fn of_database(error: &dyn DatabaseError) -> Self {
        if let Some(error) = error.try_downcast_ref::<SqliteError>() {
            of_sqlite(error)
        } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
            of_mariadb(error)
        } else if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
            of_postgresql(error)
        } else {
            Self::Other
        }
    }

    fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly,
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::TimedOut
            | io::ErrorKind::NotFound => Self::Unreachable,
            _ => Self::Disconnected,
        }
    }

    /// Whether the database may have rolled the whole transaction back, so that any further statement would stand alone
    /// (for SQLite <https://www.sqlite.org/lang_transaction.html>, section 3).
    pub fn ends_transaction(error: &Error) -> bool {
        match Self::of(error) {
            Self::Retry(_) | Self::Disconnected | Self::Unreachable | Self::DiskFull | Self::Corrupt(_) => true,
            Self::Other => is_abrupt_on_sqlite(error),
            _ => false,
        }
    }
}

fn of_sqlite(error: &SqliteError) -> Fault {
    const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
    if error.is_unique_violation() {
        return Fault::Unique(error.message().to_owned());
    }
    if error.is_foreign_key_violation() {
        return Fault::ForeignKey;
    }
    let Some(code) = sqlite_code(error) else { return Fault::Other };
    match code & 0xff {
        // Extended code 517 (BUSY_SNAPSHOT), which the busy handler does not see, is among them.
        5 | 6 => Fault::Retry(RetryCause::Busy),
        13 => Fault::DiskFull,
        10 if code == IOERR_SHMSIZE => Fault::DiskFull,
        3 | 8 | 14 => Fault::ReadOnly,
        11 | 26 => Fault::Corrupt(error.message().to_owned()),
        1 if error.message().starts_with("no such") => Fault::Missing(error.message().to_owned()),
        _ => Fault::Other,
    }
}

/// NOMEM, INTERRUPT and IOERR.
fn is_abrupt_on_sqlite(error: &Error) -> bool {
    let Error::Database(error) = error else { return false };
    let Some(error) = error.try_downcast_ref::<SqliteError>() else { return false };
    sqlite_code(error).is_some_and(|code| matches!(code & 0xff, 7 | 9 | 10))
}

fn sqlite_code(error: &SqliteError) -> Option<i32> {
    error.code()?.parse().ok()
}

fn of_mariadb(error: &MySqlDatabaseError) -> Fault {
    let message = || error.message().to_owned();
    match error.number() {
        // Rolls back the whole transaction, savepoints included.
        1213 => Fault::Retry(RetryCause::Deadlock),
        1020 | 1412 => Fault::Retry(RetryCause::Serialisation),
        // Rolls back the statement only; the transaction is given up all the same.
        1205 => Fault::Retry(RetryCause::Busy),
        1062 | 1586 => Fault::Unique(message().rsplit("for key").next().unwrap_or_default().to_owned()),
        1216 | 1217 | 1451 | 1452 => Fault::ForeignKey,
        1021 | 1114 => Fault::DiskFull,
        1290 | 1792 | 1836 => Fault::ReadOnly,
        1034 | 1194 | 1195 => Fault::Corrupt(message()),
        1049 => Fault::NoSuchDatabase,
        1007 => Fault::DatabaseExists,
        1044 | 1045 | 1698 => Fault::WrongPassword(message()),
        1040 | 1203 | 1226 => Fault::TooManyConnections,
        1053 | 1077 | 1152..=1161 | 1317 | 1927 => Fault::Disconnected,
        1969 | 3024 => Fault::StatementTimeout,
        1054 | 1146 => Fault::Missing(message()),
        _ => Fault::Other,
    }
}

fn of_postgresql(error: &PgDatabaseError) -> Fault {
    let message = || error.message().to_owned();
    match error.code() {
        "40001" => Fault::Retry(RetryCause::Serialisation),
        "40P01" => Fault::Retry(RetryCause::Deadlock),
        "55P03" => Fault::Retry(RetryCause::Busy),
        "23505" => Fault::Unique(error.constraint().unwrap_or_default().to_owned()),
        "23503" => Fault::ForeignKey,
        "53100" => Fault::DiskFull,
        "25006" => Fault::ReadOnly,
        "XX001" | "XX002" => Fault::Corrupt(message()),
        "3D000" => Fault::NoSuchDatabase,
        "42P04" => Fault::DatabaseExists,
        "28P01" | "28000" | "42501" => Fault::WrongPassword(message()),
        "53300" => Fault::TooManyConnections,
        "57014" => Fault::StatementTimeout,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Fault::Disconnected,
        "42P01" | "42703" => Fault::Missing(message()),
        code if code.starts_with("08") => Fault::Disconnected,
        _ => Fault::Other,
    }
}
