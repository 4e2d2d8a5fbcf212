//! What can go wrong with stored data, by what the caller can do about it.

use std::{path::Path, sync::Arc, time::Duration};

use sea_orm::{DbErr, RuntimeErr};

use crate::{Place, engine::Fault};

/// Why storage refused. `Display` names the part and says what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// No row, or none that this caller may know of.
    #[error("there is no such thing")]
    NotFound,
    /// Something else already holds what was asked for.
    #[error(transparent)]
    Conflict(Conflict),
    /// The row has changed since it was read; read it again.
    #[error("somebody else has changed it meanwhile; read it again")]
    Stale,
    /// More than one row may hold.
    #[error("it has {bytes} bytes, and {bytes_max} are the most")]
    TooLarge { bytes: usize, bytes_max: usize },
    /// Another row names it, or the row it names is gone.
    #[error("it is still in use by something else")]
    Referenced,
    /// The proof of permission was made for another organisation. A fault in the program, never in what people do.
    #[error("the permission was given for another organisation")]
    WrongTenant,
    /// No space left; nothing was changed.
    #[error("no space is left for {place}; free some on its disk, nothing was lost")]
    DiskFull { place: Place },
    /// The database or its disk cannot be written.
    #[error(
        "{place} cannot be written; check the owner and the mode of the file and its folder, how the disk is mounted, and whether a server takes writes"
    )]
    ReadOnly { place: Place },
    /// The database is damaged, or was changed by something else than Warren.
    #[error("{place} is damaged ({detail}); stop Warren, keep the database as it is and restore the last backup")]
    Corrupt { place: Place, detail: String },
    /// The database was written by a later version.
    #[error(
        "{place} was written by a later version of Warren (it has `{found}`, this one knows up to `{known}`); start that version instead"
    )]
    NewerSchema { place: Place, found: String, known: String },
    /// A migration that was applied reads otherwise in this program.
    #[error(
        "the migration `{name}` was applied to {place} in another form than this program has; start the version that applied it, or restore a backup"
    )]
    ChangedMigration { place: Place, name: String },
    /// A migration did not go through.
    #[error(
        "the migration `{name}` of {place} stopped at step {step}: {source}; mend the cause, and the next start goes on from there"
    )]
    MigrationFailed { place: Place, name: String, step: usize, source: Arc<dyn std::error::Error + Send + Sync> },
    /// A rollback did not go through.
    #[error(
        "rolling `{name}` of {place} back stopped at step {step}: {source}; mend the cause, and the next rollback goes on from there"
    )]
    RollbackFailed { place: Place, name: String, step: usize, source: Arc<dyn std::error::Error + Send + Sync> },
    /// A rollback would lose data, and nobody said that this is wanted.
    #[error(
        "rolling {place} back would lose data: {}; make a backup first, and then say that the loss is accepted", losses.join("; ")
    )]
    RollbackLoses { place: Place, losses: Vec<String> },
    /// Another process changes the schema of the database.
    #[error("another process has been migrating {place} for more than {} s; wait until it ends, then try again", waited.as_secs())]
    MigrationLocked { place: Place, waited: Duration },
    /// The databases were moved to another place.
    #[error(
        "{place} was moved to {to} and is not used any more; start Warren with that place, or say: warren db move --back-out"
    )]
    MovedAway { place: Place, to: String },
    /// Databases are being moved here, and not all have arrived.
    #[error(
        "the move from {from} to {place} is not finished; run the same warren db move again, or start Warren where the \
         databases were"
    )]
    MoveUnfinished { place: Place, from: String },
    /// A table or column that this program uses is not there.
    #[error(
        "{place} lacks what the model `{model}` needs ({detail}); it was changed by something else than Warren: restore the last backup"
    )]
    ModelMissing { place: Place, model: &'static str, detail: String },
    /// The server's version is too old.
    #[error("{place} runs version {found}; Warren needs {needed} or later")]
    OldServer { place: Place, found: String, needed: &'static str },
    /// The server refuses the user.
    #[error(
        "{place} refuses Warren's user ({detail}); check the user, the password and its rights in the database URL"
    )]
    AccessRefused { place: Place, detail: String },
    /// No connection came free within the limit, or storage is being closed.
    #[error("storage is busy; try again in a moment")]
    Busy,
    /// The transaction was undone because it took too long.
    #[error("the work took longer than {} s and was undone; try again, or do it in smaller parts", limit.as_secs())]
    TimedOut { limit: Duration },
    /// The connection broke during the commit: it may have been done or not.
    #[error(
        "the connection to {place} broke while a change was being committed; look whether it was made before trying again"
    )]
    CommitUnknown { place: Place },
    /// The server cannot be reached.
    #[error("{place} cannot be reached: {source}; see that it runs and that this machine reaches it")]
    Unreachable { place: Place, source: Arc<dyn std::error::Error + Send + Sync> },
    /// Anything else that keeps the database from answering.
    #[error("{place} does not answer: {source}")]
    Unavailable { place: Place, source: Arc<dyn std::error::Error + Send + Sync> },
}

/// What was already taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Conflict {
    #[error("an organisation has this slug already")]
    SlugTaken,
    #[error("an account has this e-mail address already")]
    EmailTaken,
    #[error("this person belongs to the organisation already")]
    MembershipExists,
    #[error("a gateway has this name already")]
    GatewayNameTaken,
    #[error("a network of this gateway has this port already")]
    PortTaken,
    #[error("this gateway has no port left for another network")]
    PortsExhausted,
    #[error("a network of this organisation has this name already")]
    NetworkNameTaken,
    #[error("a device of this network has this public key already")]
    PublicKeyTaken,
    #[error("a device of this network has this address already")]
    AddressTaken,
    #[error("this device is revoked for good; enrol it anew")]
    Revoked,
    #[error("every address of this network is leased")]
    AddressesExhausted,
    #[error("devices hold addresses that lie outside of this prefix")]
    AddressesOutside,
    #[error("this organisation has as many networks as it may have")]
    NetworksExhausted,
    #[error("it exists already")]
    Exists,
}

impl From<Conflict> for StorageError {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

/// Each unique key: the columns as SQLite names them, the index as the others do, and what its violation means.
const UNIQUE_KEYS: [(&str, &str, Conflict); 10] = [
    ("organisations.slug", "organisations_slug", Conflict::SlugTaken),
    ("accounts.email", "accounts_email", Conflict::EmailTaken),
    ("memberships.account_id, memberships.organisation_id", "memberships_pkey", Conflict::MembershipExists),
    ("gateways.name", "gateways_name", Conflict::GatewayNameTaken),
    ("gateway_networks.gateway_id, gateway_networks.port", "gateway_networks_gateway_id_port", Conflict::PortTaken),
    ("networks.name", "networks_name", Conflict::NetworkNameTaken),
    ("devices.network_id, devices.live_public_key", "devices_network_id_live_public_key", Conflict::PublicKeyTaken),
    ("devices.network_id, devices.host_index", "devices_network_id_host_index", Conflict::AddressTaken),
    ("released_addresses.", "released_addresses_", Conflict::AddressTaken),
    ("", "", Conflict::Exists),
];

impl StorageError {
    /// What `error` of the database at `place` means.
    pub(crate) fn from_database(error: &DbErr, place: &Place) -> Self {
        match error {
            DbErr::RecordNotUpdated | DbErr::RecordNotFound(_) => Self::NotFound,
            DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause))
            | DbErr::Conn(RuntimeErr::SqlxError(cause)) => Self::from_driver(cause, place),
            other => Self::Unavailable { place: place.clone(), source: Arc::new(other.clone()) },
        }
    }

    /// What the driver's `error` means.
    pub(crate) fn from_driver(error: &Arc<sqlx::Error>, place: &Place) -> Self {
        if let sqlx::Error::AnyDriverError(carried) = &**error
            && let Some(own) = carried.downcast_ref::<Self>()
        {
            return own.clone();
        }
        let (place, source) = (place.clone(), Arc::new(Arc::clone(error)));
        match Fault::of(error) {
            Fault::Unique(key) => Self::Conflict(conflict_of(&key)),
            Fault::ForeignKey => Self::Referenced,
            Fault::Retry(_) | Fault::TooManyConnections | Fault::StatementTimeout => Self::Busy,
            Fault::Disconnected | Fault::Unreachable => Self::Unreachable { place, source },
            Fault::DiskFull => Self::DiskFull { place },
            Fault::ReadOnly => Self::ReadOnly { place },
            Fault::Corrupt(detail) => Self::Corrupt { place, detail },
            Fault::NoSuchDatabase => Self::NotFound,
            Fault::DatabaseExists => Self::Conflict(Conflict::Exists),
            Fault::WrongPassword(detail) => Self::AccessRefused { place, detail },
            Fault::Missing(_) | Fault::Other => Self::Unavailable { place, source },
        }
    }

    /// Carries `self` through the library, whose functions give errors of their own; [`StorageError::from_driver`] takes it
    /// out again.
    pub(crate) fn carried(self) -> DbErr {
        through(sqlx::Error::AnyDriverError(Box::new(self)))
    }

    /// What an I/O error on `file` means.
    pub(crate) fn of_file(error: std::io::Error, file: &Path) -> Self {
        let place = Place::file(file);
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull { place },
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => Self::ReadOnly { place },
            _ => Self::Unavailable { place, source: Arc::new(error) },
        }
    }
}

/// The driver's `error` as the library's.
pub(crate) fn through(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

fn conflict_of(key: &str) -> Conflict {
    let found = UNIQUE_KEYS.iter().find(|(columns, index, _)| key.contains(columns) || key.contains(index));
    found.map_or(Conflict::Exists, |(_, _, conflict)| *conflict)
}
