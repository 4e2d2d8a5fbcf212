//! The servers of an installation by their URLs: the one that takes writes, and those that follow it.

use std::str::FromStr;

use crate::engine::{DatabaseUrl, DatabaseUrlError};

/// The primary server and its replicas.
#[derive(Debug, Clone)]
pub struct Servers {
    primary: DatabaseUrl,
    replicas: Vec<DatabaseUrl>,
}

/// Why a URL is not that of a replica; `Display` says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplicaUrlError {
    #[error("{given} replicas are given; Warren reads from {} at most, so leave some out", Servers::REPLICAS_MAX)]
    TooMany { given: usize },
    #[error(
        "the replica {replica} is another kind of server than its primary {primary}; both are MariaDB, or both PostgreSQL"
    )]
    Engine { replica: String, primary: String },
    #[error(
        "the replica {replica} names another database than its primary {primary}; a replica has the database of its primary under the same name"
    )]
    Database { replica: String, primary: String },
    #[error("the replica {replica} is given twice, or is the primary itself; name each server once")]
    Twice { replica: String },
}

impl Servers {
    /// The most replicas that are read from.
    pub const REPLICAS_MAX: usize = 8;

    /// `primary` and the servers that follow it.
    ///
    /// # Errors
    /// When these are too many, are named twice, or cannot be copies of `primary`.
    pub fn new(primary: DatabaseUrl, replicas: Vec<DatabaseUrl>) -> Result<Self, ReplicaUrlError> {
        if replicas.len() > Self::REPLICAS_MAX {
            return Err(ReplicaUrlError::TooMany { given: replicas.len() });
        }
        let mut seen = vec![primary.to_string()];
        for url in &replicas {
            let (replica, primary_name) = (url.to_string(), primary.to_string());
            if url.engine() != primary.engine() {
                return Err(ReplicaUrlError::Engine { replica, primary: primary_name });
            }
            if url.database() != primary.database() {
                return Err(ReplicaUrlError::Database { replica, primary: primary_name });
            }
            if seen.contains(&replica) {
                return Err(ReplicaUrlError::Twice { replica });
            }
            seen.push(replica);
        }
        Ok(Self { primary, replicas })
    }

    /// The server that takes writes.
    pub const fn primary(&self) -> &DatabaseUrl {
        &self.primary
    }

    /// Those that follow it.
    pub fn replicas(&self) -> &[DatabaseUrl] {
        &self.replicas
    }
}

impl From<DatabaseUrl> for Servers {
    /// A server without replicas.
    fn from(primary: DatabaseUrl) -> Self {
        Self { primary, replicas: Vec::new() }
    }
}

impl FromStr for Servers {
    type Err = DatabaseUrlError;

    /// A server without replicas, by its URL.
    fn from_str(url: &str) -> Result<Self, DatabaseUrlError> {
        url.parse().map(DatabaseUrl::into)
    }
}

impl std::fmt::Display for Servers {
    /// The primary, without its password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.primary.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_that_cannot_be_of_a_replica_is_refused_with_what_to_do() {
        let primary = "postgresql://warren:s3cret@db1/warren";
        for (replicas, word) in [
            (vec!["mariadb://warren:s3cret@db2/warren"], "another kind of server"),
            (vec!["postgresql://warren:s3cret@db2/other"], "another database"),
            (vec!["postgresql://warren:s3cret@db1/warren"], "given twice, or is the primary itself"),
            (vec!["postgresql://db2/warren", "postgresql://x@db2:5432/warren"], "given twice"),
            (vec!["postgresql://db2/warren"; 9], "9 replicas are given; Warren reads from 8 at most"),
        ] {
            let error = Servers::new(url(primary), replicas.into_iter().map(url).collect()).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let two = vec![url("postgresql://db2/warren"), url("postgres://db1:5433/warren")];
        assert_eq!(Servers::new(url(primary), two).unwrap().replicas().len(), 2);
    }
}
