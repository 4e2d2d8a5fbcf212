//! Databases of a server: made, found and removed over a connection to the system database, or to the server's own.

use std::sync::Arc;

use warren_model::OrganisationId;

use super::{Connection, Fault, Role, Target, site::Found};
use crate::StorageError;

/// The oldest servers that Warren runs on.
const MARIADB_NEEDED: (&str, [u32; 2]) = ("MariaDB 10.6 or MySQL 8.0", [10, 6]);
const MYSQL_NEEDED: [u32; 2] = [8, 0];
const POSTGRESQL_NEEDED: (&str, u32) = ("PostgreSQL 13", 13);

impl Target {
    /// The database's own name.
    pub(crate) fn database(&self) -> &str {
        match self {
            Self::File(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
            Self::MariaDb(options) => options.get_database().unwrap_or_default(),
            Self::PostgreSql(options) => options.get_database().unwrap_or_default(),
        }
    }

    /// A connection to the server from which databases can be made and dropped.
    async fn maintenance(&self) -> Result<Connection, StorageError> {
        // One that every server has: the database named may not be there.
        let elsewhere = match self {
            Self::File(_) => unreachable!("files have no server"),
            Self::MariaDb(options) => Self::MariaDb(Box::new((**options).clone().database("information_schema"))),
            Self::PostgreSql(options) => Self::PostgreSql(Box::new((**options).clone().database("postgres"))),
        };
        elsewhere.connect(Role::Both).await.map_err(|error| self.means(error))
    }

    fn means(&self, error: sqlx::Error) -> StorageError {
        StorageError::from_driver(&Arc::new(error), &self.place())
    }

    /// Makes the database, empty. One that is there already, empty from an earlier try, is no error.
    pub(crate) async fn make_on_server(&self) -> Result<(), StorageError> {
        let mut connection = self.maintenance().await?;
        let name = self.database();
        let sql = match self {
            Self::File(_) => unreachable!("files have no server"),
            // Compared byte by byte, as the other engines do.
            Self::MariaDb(_) => format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"),
            Self::PostgreSql(_) => {
                format!("CREATE DATABASE \"{name}\" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
            }
        };
        let made = connection.run(&sql).await;
        let _ = connection.close().await;
        match made {
            Err(error) if Fault::of(&error) == Fault::DatabaseExists => Ok(()),
            Err(error) => Err(self.means(error)),
            Ok(()) => Ok(()),
        }
    }
}

pub(super) async fn exists(target: &Target) -> Result<bool, StorageError> {
    let mut connection = target.maintenance().await?;
    let there = connection.ask_one::<i64>(count_of(target), vec![target.database().into()]).await;
    let _ = connection.close().await;
    Ok(there.map_err(|error| target.means(error))?.unwrap_or(0) > 0)
}

pub(super) async fn remove(target: &Target) -> Result<(), StorageError> {
    let mut connection = target.maintenance().await?;
    let sql = match target {
        Target::PostgreSql(_) => format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", target.database()),
        _ => format!("DROP DATABASE IF EXISTS `{}`", target.database()),
    };
    let removed = connection.run(&sql).await;
    let _ = connection.close().await;
    removed.map_err(|error| target.means(error))
}

pub(super) async fn found(system: &Target) -> Result<Vec<Found>, StorageError> {
    let sql = match system {
        Target::PostgreSql(_) => "SELECT datname::text FROM pg_database WHERE datname LIKE $1",
        _ => "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata WHERE schema_name LIKE ?",
    };
    let prefix = format!("{}_", system.database());
    let mut connection = system.maintenance().await?;
    let rows = connection.ask(sql, vec![format!("{}%", prefix.replace('_', "\\_")).into()]).await;
    let _ = connection.close().await;
    let rows = rows.map_err(|error| system.means(error))?;
    let names = rows.iter().filter_map(|row| row.try_get_by_index::<String>(0).ok());
    let id = |name: String| name.strip_prefix(&prefix)?.parse::<OrganisationId>().ok();
    Ok(names.filter_map(id).map(Found::Tenant).collect())
}

fn count_of(target: &Target) -> &'static str {
    match target {
        Target::PostgreSql(_) => "SELECT COUNT(*) FROM pg_database WHERE datname = $1",
        _ => "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?",
    }
}

/// Refuses a server that lacks what Warren relies on.
pub(crate) async fn check_version(connection: &mut Connection, target: &Target) -> Result<(), StorageError> {
    let sql = match target {
        Target::File(_) => return Ok(()),
        Target::MariaDb(_) => "SELECT VERSION()",
        Target::PostgreSql(_) => "SELECT current_setting('server_version')",
    };
    let version: String =
        connection.ask_one(sql, Vec::new()).await.map_err(|error| target.means(error))?.unwrap_or_default();
    let numbers = numbers(&version);
    let (needed, is_enough) = match target {
        Target::PostgreSql(_) => (POSTGRESQL_NEEDED.0, numbers[0] >= POSTGRESQL_NEEDED.1),
        _ if version.contains("MariaDB") => (MARIADB_NEEDED.0, numbers >= MARIADB_NEEDED.1),
        _ => (MARIADB_NEEDED.0, numbers >= MYSQL_NEEDED),
    };
    if is_enough {
        return Ok(());
    }
    Err(StorageError::OldServer { place: target.place(), found: version, needed })
}

/// The first two numbers of a version, whatever else stands in it.
fn numbers(version: &str) -> [u32; 2] {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok());
    [parts.next().unwrap_or(0), parts.next().unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_all_their_forms() {
        assert_eq!(numbers("10.11.14-MariaDB-0+deb12u2"), [10, 11]);
        assert_eq!(numbers("15.18 (Debian 15.18-0+deb12u1)"), [15, 18]);
        assert_eq!(numbers("8.0.36"), [8, 0]);
        assert_eq!(numbers("17beta1"), [17, 1]);
        assert_eq!(numbers("odd"), [0, 0]);
    }
}
