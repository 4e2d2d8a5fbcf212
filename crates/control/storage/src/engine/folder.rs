//! Database files: made whole or not at all, found, and removed with what SQLite keeps beside them.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use warren_model::OrganisationId;
use warren_runtime::files::{self, FileError};

use super::site::Found;
use crate::{Place, StorageError};

/// What a database is called until it is whole.
const UNFINISHED: &str = ".new";

/// Makes the folder of the organisations' databases.
pub(super) fn prepare(tenants: &Path) -> Result<(), StorageError> {
    files::ensure_private_dir(tenants).map_err(|error| match error {
        FileError::Io { source, .. } => StorageError::of_file(source, tenants),
        error @ FileError::TooOpen { .. } => {
            StorageError::Unavailable { place: Place::file(tenants), source: std::sync::Arc::new(error) }
        }
    })
}

pub(super) fn exists(file: &Path) -> Result<bool, StorageError> {
    file.try_exists().map_err(|error| StorageError::of_file(error, file))
}

/// Makes an empty file under another name; [`publish`] gives it its own once it is whole.
pub(crate) fn begin(file: &Path) -> Result<PathBuf, StorageError> {
    let unfinished = beside(file, UNFINISHED);
    remove(&unfinished)?;
    // Of mode 0600, which SQLite's own files beside it take over.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
    made.map_err(|error| StorageError::of_file(error, file))?;
    Ok(unfinished)
}

/// Synchronises what [`begin`] made and gives it its name, so that a crash leaves either nothing or all of it.
pub(crate) fn publish(unfinished: &Path, file: &Path) -> Result<(), StorageError> {
    let steps = || {
        File::open(unfinished)?.sync_all()?;
        fs::rename(unfinished, file)?;
        File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    steps().map_err(|error| StorageError::of_file(error, file))
}

/// Whether the database was closed in order: its write-ahead log holds nothing.
pub(crate) fn was_closed_in_order(file: &Path) -> bool {
    !fs::metadata(beside(file, "-wal")).is_ok_and(|meta| meta.len() > 0)
}

/// Removes `file` and what SQLite keeps beside it.
pub(super) fn remove(file: &Path) -> Result<(), StorageError> {
    for path in [file.to_owned(), beside(file, "-wal"), beside(file, "-shm"), beside(file, "-journal")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StorageError::of_file(error, &path));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The databases in the folder, and what killed creations left there.
pub(super) fn found(tenants: &Path) -> Result<Vec<Found>, StorageError> {
    let entries: Vec<PathBuf> = fs::read_dir(tenants)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|error| StorageError::of_file(error, tenants))?;
    let found = entries.into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        if name.ends_with(UNFINISHED) {
            return Some(Found::Unfinished(path));
        }
        let id: OrganisationId = name.strip_suffix(".sqlite")?.parse().ok()?;
        Some(Found::Tenant(id))
    });
    Ok(found.collect())
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
