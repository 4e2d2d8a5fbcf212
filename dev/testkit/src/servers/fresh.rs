//! A prefix that the names of one test's databases begin with, and the removal of these databases.

use std::thread;

use super::{
    DatabaseServer, ServerKind, ServerOfThisRun, address::Address, mariadb, of_this_run, plan::word, postgres,
};

/// Names for databases that no other test uses. When the value is dropped, so is every database whose name begins with
/// the prefix, whoever is connected to it.
#[derive(Debug)]
pub struct FreshDatabases {
    prefix: String,
    warren: Address,
    _server: Option<ServerOfThisRun>,
}

impl FreshDatabases {
    /// On the server of this run.
    ///
    /// # Errors
    /// As [`of_this_run()`].
    pub fn of_this_run(kind: ServerKind) -> anyhow::Result<Self> {
        let server = of_this_run(kind)?;
        Ok(Self { prefix: prefix(), warren: server.warren.clone(), _server: Some(server) })
    }

    /// On a server of the test's own. To be dropped before it.
    pub fn on(server: &DatabaseServer) -> Self {
        Self { prefix: prefix(), warren: server.warren.clone(), _server: None }
    }

    /// What the names begin with: `warren_t` and eight hexadecimal digits.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The URL of the database that is named as the prefix is. It does not exist until somebody creates it.
    pub fn url(&self) -> String {
        self.warren.url(&self.prefix)
    }

    /// The databases that exist now, in order.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        let statement = match self.warren.kind {
            ServerKind::MariaDb => mariadb::list(&self.prefix),
            ServerKind::PostgreSql => postgres::list(&self.prefix),
        };
        Ok(self.warren.ask(&statement)?.lines().map(str::to_owned).collect())
    }
}

impl Drop for FreshDatabases {
    fn drop(&mut self) {
        let statements = match self.warren.kind {
            ServerKind::MariaDb => mariadb::remove(&self.prefix),
            ServerKind::PostgreSql => postgres::remove(&self.prefix),
        };
        // A runtime that waited here could not go on with connections it is just opening, for which the server waits in turn.
        let removed = if tokio::runtime::Handle::try_current().is_ok() {
            self.warren.tell(&statements)
        } else {
            self.warren.ask(&statements).map(drop)
        };
        // A test that fails already tells enough.
        if let Err(error) = removed
            && !thread::panicking()
        {
            panic!("the databases {}… stay: {error:#}", self.prefix);
        }
    }
}

fn prefix() -> String {
    format!("warren_t{}", &word()[..8])
}
