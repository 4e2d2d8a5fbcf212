//! How a transaction is run.

use std::time::Duration;

use crate::engine::Engine;

/// How a transaction is run. The default suits what a request does: it reads and writes, sees the database as if it were
/// alone, and ends within half a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionOptions {
    pub isolation: Isolation,
    pub access: Access,
    /// How long all attempts together may take, waiting included.
    pub time_limit: Duration,
    /// How often it is attempted at most, when the database asks for another attempt.
    pub attempts_max: u32,
    pub repeatability: Repeatability,
    pub turn: Turn,
}

/// What a transaction may see of others (SQL:2016; each engine gives at least this much).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what is committed when it begins.
    ReadCommitted,
    /// All statements see one snapshot.
    RepeatableRead,
    /// As if transactions ran one after another. What cannot be put in such an order is attempted again.
    Serializable,
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    /// Reads one snapshot and holds no writer up.
    ReadOnly,
}

/// What may be done when nobody knows whether the commit was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeatability {
    /// Doing it twice would be wrong: [`crate::StorageError::CommitUnknown`] is reported.
    Once,
    /// Doing it twice is doing it once, as with an idempotency key: it is attempted again.
    Idempotent,
}

/// Whether a transaction waits for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It runs beside others; the order in which they seem to have run need not be the one in which they began.
    Any,
    /// It begins when the one before it that said so has ended, and sees what that did: for what has to be right together with
    /// something outside of this database. On SQLite every writing transaction does.
    InTurn,
}

impl Default for TransactionOptions {
    fn default() -> Self {
        Self {
            isolation: Isolation::Serializable,
            access: Access::ReadWrite,
            time_limit: Duration::from_secs(30),
            attempts_max: 25,
            repeatability: Repeatability::Once,
            turn: Turn::Any,
        }
    }
}

impl TransactionOptions {
    /// Reads one snapshot.
    pub fn read_only() -> Self {
        Self { access: Access::ReadOnly, isolation: Isolation::RepeatableRead, ..Self::default() }
    }

    /// Doing it twice is doing it once.
    pub fn idempotent() -> Self {
        Self { repeatability: Repeatability::Idempotent, ..Self::default() }
    }

    /// One after another.
    pub fn in_turn() -> Self {
        Self { turn: Turn::InTurn, ..Self::default() }
    }

    /// The statements that open it.
    pub(super) fn begin(&self, engine: Engine) -> String {
        // Before anything is read: what is seen of others is settled with the first look.
        let turn = match (self.turn, engine) {
            (Turn::Any, _) | (Turn::InTurn, Engine::Sqlite) => "",
            (Turn::InTurn, Engine::MariaDb) => "; SELECT name FROM schema_migrations ORDER BY name LIMIT 1 FOR UPDATE",
            (Turn::InTurn, Engine::PostgreSql) => "; LOCK TABLE schema_migrations IN SHARE ROW EXCLUSIVE MODE",
        };
        self.open(engine) + turn
    }

    fn open(&self, engine: Engine) -> String {
        let isolation = match self.isolation {
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::RepeatableRead => "REPEATABLE READ",
            Isolation::Serializable => "SERIALIZABLE",
        };
        let access = match self.access {
            Access::ReadWrite => "READ WRITE",
            Access::ReadOnly => "READ ONLY",
        };
        match (engine, self.access) {
            // A deferred one that reads and then writes would fail where another wrote in between.
            (Engine::Sqlite, Access::ReadWrite) => "BEGIN IMMEDIATE".to_owned(),
            (Engine::Sqlite, Access::ReadOnly) => "BEGIN DEFERRED".to_owned(),
            (Engine::PostgreSql, _) => format!("BEGIN ISOLATION LEVEL {isolation} {access}"),
            // Serialisable is how each session is set.
            (Engine::MariaDb, _) if self.isolation == Isolation::Serializable => format!("START TRANSACTION {access}"),
            (Engine::MariaDb, _) => {
                format!("SET TRANSACTION ISOLATION LEVEL {isolation}; START TRANSACTION {access}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_asked_in_its_own_words() {
        let (usual, reading) = (TransactionOptions::default(), TransactionOptions::read_only());
        assert_eq!(usual.begin(Engine::Sqlite), "BEGIN IMMEDIATE");
        assert_eq!(usual.begin(Engine::MariaDb), "START TRANSACTION READ WRITE");
        assert_eq!(usual.begin(Engine::PostgreSql), "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE");
        assert_eq!(reading.begin(Engine::PostgreSql), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        assert!(reading.begin(Engine::MariaDb).starts_with("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"));
    }
}
