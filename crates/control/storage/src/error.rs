//! What can go wrong with stored data, by what the caller can do about it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

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
    /// Another row names it, or the row it names is gone.
    #[error("it is still in use by something else")]
    Referenced,
    /// The proof of permission was made for another organisation. A fault in the program, never in what people do.
    #[error("the permission was given for another organisation")]
    WrongTenant,
    /// No space left; nothing was changed.
    #[error("no space is left for {}; free some on this disk, nothing was lost", file.display())]
    DiskFull { file: PathBuf },
    /// The file or its disk cannot be written.
    #[error("{} cannot be written; check the owner and the mode of the file and its folder, and how the disk is mounted", file.display())]
    ReadOnly { file: PathBuf },
    /// The file is damaged, or was changed by something else than Warren.
    #[error("{} is damaged ({detail}); stop Warren, keep the file and restore the last backup", file.display())]
    Corrupt { file: PathBuf, detail: String },
    /// The file was written by a later version.
    #[error("{} was written by a later version of Warren (it has `{found}`, this one knows up to `{known}`); start that version instead", file.display())]
    NewerSchema { file: PathBuf, found: String, known: String },
    /// No connection came free within the limit, or storage is being closed.
    #[error("storage is busy; try again in a moment")]
    Busy,
    /// Anything else that keeps the database from answering.
    #[error("{} does not answer: {source}", file.display())]
    Unavailable { file: PathBuf, source: Arc<dyn std::error::Error + Send + Sync> },
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
    /// What `error` of the database in `file` means.
    pub(crate) fn from_database(error: &DbErr, file: &Path) -> Self {
        match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => Self::Busy,
            DbErr::RecordNotUpdated | DbErr::RecordNotFound(_) => Self::NotFound,
            DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause))
            | DbErr::Conn(RuntimeErr::SqlxError(cause)) => Self::from_driver(cause, file),
            other => Self::Unavailable { file: file.to_owned(), source: Arc::new(other.clone()) },
        }
    }

    pub(crate) fn from_driver(error: &Arc<sqlx::Error>, file: &Path) -> Self {
        let owned = file.to_owned();
        let unavailable = || Self::Unavailable { file: file.to_owned(), source: Arc::new(Arc::clone(error)) };
        match &**error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::Busy,
            sqlx::Error::Io(cause) => Self::from_io(cause, file).unwrap_or_else(unavailable),
            sqlx::Error::Database(cause) => {
                let code = SqliteCode::of(cause.as_ref());
                match code.map(|code| code.primary()) {
                    _ if cause.is_unique_violation() => {
                        let message = cause.message();
                        let found = UNIQUE_KEYS
                            .iter()
                            .find(|(columns, index, _)| message.contains(columns) || message.contains(index));
                        Self::Conflict(found.map_or(Conflict::Exists, |(_, _, conflict)| *conflict))
                    }
                    _ if cause.is_foreign_key_violation() => Self::Referenced,
                    Some(SqliteCode::FULL) => Self::DiskFull { file: owned },
                    _ if code.is_some_and(|code| code.0 == SqliteCode::IOERR_SHMSIZE) => Self::DiskFull { file: owned },
                    Some(SqliteCode::READONLY | SqliteCode::PERM) => Self::ReadOnly { file: owned },
                    Some(SqliteCode::CANTOPEN) => Self::ReadOnly { file: owned },
                    Some(SqliteCode::CORRUPT | SqliteCode::NOTADB) => {
                        Self::Corrupt { file: owned, detail: cause.message().to_owned() }
                    }
                    Some(SqliteCode::BUSY | SqliteCode::LOCKED) => Self::Busy,
                    _ => unavailable(),
                }
            }
            _ => unavailable(),
        }
    }

    pub(crate) fn from_io(error: &std::io::Error, file: &Path) -> Option<Self> {
        let file = file.to_owned();
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Some(Self::DiskFull { file }),
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                Some(Self::ReadOnly { file })
            }
            _ => None,
        }
    }

    /// What an I/O error on `file` means.
    pub(crate) fn of_file(error: std::io::Error, file: &Path) -> Self {
        Self::from_io(&error, file)
            .unwrap_or_else(|| Self::Unavailable { file: file.to_owned(), source: Arc::new(error) })
    }
}

/// An extended result code of SQLite (<https://www.sqlite.org/rescode.html>).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqliteCode(i32);

impl SqliteCode {
    const PERM: i32 = 3;
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const NOMEM: i32 = 7;
    const READONLY: i32 = 8;
    const INTERRUPT: i32 = 9;
    const IOERR: i32 = 10;
    /// The index of the write-ahead log does not fit on the disk.
    const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const NOTADB: i32 = 26;

    fn of(error: &dyn sqlx::error::DatabaseError) -> Option<Self> {
        error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
        error.code()?.parse().ok().map(Self)
    }

    const fn primary(self) -> i32 {
        self.0 & 0xff
    }

    /// Whether SQLite may have rolled the whole transaction back (<https://www.sqlite.org/lang_transaction.html>, section 3),
    /// after which any further statement would stand alone.
    pub(crate) fn dooms(error: &DbErr) -> bool {
        let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
            return false;
        };
        match &**cause {
            sqlx::Error::Database(cause) => Self::of(cause.as_ref()).is_none_or(|code| {
                matches!(
                    code.primary(),
                    Self::BUSY | Self::NOMEM | Self::INTERRUPT | Self::IOERR | Self::CORRUPT | Self::FULL
                )
            }),
            sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => true,
            _ => false,
        }
    }
}
