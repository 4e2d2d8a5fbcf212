//! What stands where in the data folder.

use std::path::{Path, PathBuf};

use crate::Failure;

/// The folder when nothing is said.
pub const DEFAULT: &str = "./warren-data";
/// The longest path of a socket, in bytes (`sun_path` in unix(7), less its final zero).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Where the command line speaks with the server.
pub fn admin_socket(data: &Path) -> PathBuf {
    data.join("admin.sock")
}

/// Where the local gateway speaks with the server.
pub fn node_socket(data: &Path) -> PathBuf {
    data.join("node.sock")
}

/// Every socket in the folder.
pub fn sockets(data: &Path) -> [PathBuf; 2] {
    [admin_socket(data), node_socket(data)]
}

/// The local gateway's own folder.
pub fn gateway(data: &Path) -> PathBuf {
    data.join("gateway")
}

/// Refuses a folder whose sockets would have no room for their names.
///
/// # Errors
/// [`Failure::Usage`]
pub fn check_length(data: &Path) -> Result<(), Failure> {
    let length = admin_socket(data).as_os_str().len();
    if length <= SOCKET_PATH_BYTES_MAX {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "the path {} is too long: sockets in it would have {length} bytes of the {SOCKET_PATH_BYTES_MAX} that Linux \
         allows; choose a shorter one with --data",
        data.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_too_deep_for_sockets_is_refused() {
        assert!(check_length(Path::new("/var/lib/warren")).is_ok());
        let deep = format!("/{}", "a".repeat(100));
        assert!(check_length(Path::new(&deep)).unwrap_err().to_string().contains("shorter"));
    }
}
