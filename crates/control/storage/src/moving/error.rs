//! Why databases were not moved, by what the operator can do about it.

use crate::{Place, StorageError};

/// Why a move stopped. `Display` says what to do. Until a move is done the source is as it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MoveError {
    /// A database could not be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Both places are one.
    #[error("{place} is where the databases are already; say another place")]
    SamePlace { place: Place },
    /// There is no installation to move.
    #[error("{place} holds no installation; say where the databases are now, as you do to warren up")]
    NothingThere { place: Place },
    /// The target is not empty.
    #[error(
        "{place} is not empty ({found}), and a move overwrites nothing; choose a place of another name, or first put away \
         what is there"
    )]
    Occupied { place: Place, found: String },
    /// Another move to this target is not finished.
    #[error(
        "{place} holds a move from {from} that is not finished, by an installation with another key or from another place; \
         finish that one, or choose a place of another name, or first drop what is there"
    )]
    AnotherMove { place: Place, from: String },
    /// The source lacks migrations of this version.
    #[error(
        "{place} is not at the schema of this version (it lacks `{lacks}`); bring it there first, with warren db migrate, \
         and then move"
    )]
    NotMigrated { place: Place, lacks: String },
    /// The source has a table that nobody would move.
    #[error(
        "{place} has the table `{table}`, which this version of Warren does not know and would leave behind; if it is yours, \
         put it into another database, and then move"
    )]
    UnknownTable { place: Place, table: String },
    /// The target does not take a row as it is.
    #[error("{place} does not take the rows of `{table}` after {after}: {source}")]
    RowRefused { place: Place, table: String, after: String, source: Box<StorageError> },
    /// What arrived differs from what was sent.
    #[error(
        "{place} differs from the source in `{table}`, {detail}; nothing else may write to either of them: see to that, and \
         run the same move again"
    )]
    Different { place: Place, table: String, detail: String },
    /// The databases were not moved away, so there is nothing to take back.
    #[error("{place} was not moved anywhere; warren up starts there as it is")]
    NotMoved { place: Place },
}
