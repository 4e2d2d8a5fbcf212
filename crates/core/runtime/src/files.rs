//! Private folders and files that are written whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Why a file or folder could not be used. `Display` says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refused.
    #[error("cannot {doing} {}: {source}{}", path.display(), hint(source))]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// Others than the owner can read it.
    #[error("{} may be read by others (mode {mode:04o}); run: chmod {wanted:04o} '{}'", path.display(), path.display())]
    TooOpen { path: PathBuf, mode: u32, wanted: u32 },
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "; free some space on this disk and start again, nothing was lost",
        io::ErrorKind::ReadOnlyFilesystem => {
            "; the disk is mounted read-only, mount it read-write or choose another folder with --data"
        }
        io::ErrorKind::PermissionDenied => {
            "; choose a folder of your own with --data, or run as the user it belongs to"
        }
        _ => "",
    }
}

/// Makes `path` with mode 0700, and its parents, if it is not there; refuses one that others can enter.
///
/// # Errors
/// [`FileError`]
pub fn ensure_private_dir(path: &Path) -> Result<(), FileError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| io_error("create the folder", path, source))?;
    let meta = fs::metadata(path).map_err(|source| io_error("read", path, source))?;
    if !meta.is_dir() {
        return Err(io_error("use", path, io::Error::from(io::ErrorKind::NotADirectory)));
    }
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 { Err(FileError::TooOpen { path: path.to_owned(), mode, wanted: 0o700 }) } else { Ok(()) }
}

/// Replaces `path` with `bytes`, mode 0600: a new file beside it is written, synchronised and renamed over it, and the
/// folder synchronised, so that a crash leaves either the old file or the new one.
///
/// # Errors
/// [`FileError::Io`]
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = parent.join(name);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(parent)?.sync_all()
    };
    write().map_err(|source| io_error("write", path, source))
}

/// Reads a file that only its owner may read; none when there is no such file.
///
/// # Errors
/// [`FileError::TooOpen`] when others can read it, [`FileError::Io`] otherwise.
pub fn read_private(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error("read", path, source)),
    };
    let mode = meta.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(FileError::TooOpen { path: path.to_owned(), mode, wanted: 0o600 });
    }
    fs::read(path).map(Some).map_err(|source| io_error("read", path, source))
}

fn io_error(doing: &'static str, path: &Path, source: io::Error) -> FileError {
    FileError::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_files_are_replaced_whole_and_readable_by_their_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        ensure_private_dir(&folder).unwrap();
        let path = folder.join("key");
        assert!(read_private(&path).unwrap().is_none());
        write_private(&path, b"one").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn what_others_can_read_is_refused_with_the_command_that_mends_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_private(&path, b"secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_private(&path).unwrap_err().to_string().contains("chmod 0600"));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(ensure_private_dir(dir.path()).unwrap_err().to_string().contains("chmod 0700"));
    }
}
