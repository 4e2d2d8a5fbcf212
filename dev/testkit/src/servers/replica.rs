//! Servers that follow another one, and that tests hold back.

use super::{DatabaseServer, ServerKind, mariadb, plan::Plan, postgres};

impl DatabaseServer {
    /// Starts a read-only replica of this server that has what this one has by now, with the same accounts and settings.
    /// It outlives this server; a replica of a replica is not foreseen.
    ///
    /// # Errors
    /// As [`DatabaseServer::start`], or when this server does not answer.
    pub fn start_replica(&self) -> anyhow::Result<Self> {
        let replica = Self::started(&self.settings, || Plan::replica(&self.admin, &self.warren, &self.settings))?;
        if self.kind() == ServerKind::MariaDb {
            mariadb::follow(&replica.admin, &self.admin)?;
        }
        replica.catch_up_with(self)?;
        Ok(replica)
    }

    /// Makes this replica lag: it goes on receiving and changes nothing.
    ///
    /// # Errors
    /// When it does not answer or is no replica.
    pub fn pause_replay(&self) -> anyhow::Result<()> {
        match self.kind() {
            ServerKind::MariaDb => mariadb::pause(&self.admin),
            ServerKind::PostgreSql => postgres::pause(&self.admin),
        }
    }

    /// Has this replica go on.
    ///
    /// # Errors
    /// As [`DatabaseServer::pause_replay`].
    pub fn resume_replay(&self) -> anyhow::Result<()> {
        match self.kind() {
            ServerKind::MariaDb => mariadb::resume(&self.admin),
            ServerKind::PostgreSql => postgres::resume(&self.admin),
        }
    }

    /// Waits until this replica has what `primary` has committed by now.
    ///
    /// # Errors
    /// When it has not within 30 seconds, or one of them does not answer.
    pub fn catch_up_with(&self, primary: &Self) -> anyhow::Result<()> {
        match self.kind() {
            ServerKind::MariaDb => mariadb::catch_up(&self.admin, &primary.admin),
            ServerKind::PostgreSql => postgres::catch_up(&self.admin, &primary.admin),
        }
    }
}
