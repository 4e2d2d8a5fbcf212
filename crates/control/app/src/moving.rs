//! Moving an installation's databases to another place. Nothing else works on them meanwhile: the caller holds the lock of the
//! data folder. The sealing key stays there.

use std::path::Path;

pub use warren_storage::{MoveError, MoveProgress, MoveProgressView, Moved, Relocation, StorageError, back_out};

use crate::{BuildError, KEY_FILE, Standing, key_in};

/// The move of the installation in `data_folder`, whose databases stand at `source`.
///
/// # Errors
/// [`BuildError::KeyFileMissing`] without the key that the databases are sealed with, and those of reading it.
pub fn relocation(data_folder: &Path, source: Standing, target: Standing) -> Result<Relocation, BuildError> {
    let path = data_folder.join(KEY_FILE);
    let Some(key) = key_in(&path)? else { return Err(BuildError::KeyFileMissing { path }) };
    Ok(Relocation { source, target, installation: key.fingerprint() })
}
