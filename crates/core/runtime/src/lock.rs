//! A lock file: at most one process works on a folder at a time. The kernel drops it with the process, also after `kill -9`.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Holds a folder for this process until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    // Held for its flock(2); the kernel releases it on close.
    _file: File,
}

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("{} is in use by process {pid}; stop that one first, or choose another folder with --data", folder.display())]
    Held { folder: PathBuf, pid: u32 },
    /// The lock file cannot be used.
    #[error("cannot lock {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl FolderLock {
    /// Locks `folder` by its file `lock`, into which the process id is written.
    ///
    /// # Errors
    /// [`LockError::Held`] at once when another process holds it; never waits.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join("lock");
        let attempt = || -> io::Result<Result<File, u32>> {
            let mut file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    file.read_to_string(&mut text)?;
                    return Ok(Err(text.trim().parse().unwrap_or(0)));
                }
            }
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())?;
            Ok(Ok(file))
        };
        match attempt() {
            Ok(Ok(file)) => Ok(Self { _file: file }),
            Ok(Err(pid)) => Err(LockError::Held { folder: folder.to_owned(), pid }),
            Err(source) => Err(LockError::Io { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let held = FolderLock::acquire(dir.path()).unwrap();
        let refused = FolderLock::acquire(dir.path()).unwrap_err();
        assert!(matches!(refused, LockError::Held { pid, .. } if pid == std::process::id()), "{refused}");
        drop(held);
        FolderLock::acquire(dir.path()).unwrap();
    }
}
