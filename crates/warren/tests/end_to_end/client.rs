//! The stock client: `wg-quick` with wireguard-go, in a namespace of its own.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use warren_testkit::namespaces::Namespace;

/// wireguard-go keeps its sockets in a folder that all namespaces share: each interface needs a name of its own.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A tunnel that is up until the value is dropped.
#[derive(Debug)]
pub struct StockClient<'n> {
    namespace: &'n Namespace,
    interface: String,
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl<'n> StockClient<'n> {
    /// Brings the tunnel up with `configuration`, unchanged.
    pub fn up(namespace: &'n Namespace, configuration: &str) -> anyhow::Result<Self> {
        let interface = format!("wt{}n{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir()?;
        let file = folder.path().join(format!("{interface}.conf"));
        fs::write(&file, configuration)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        let client = Self { namespace, interface, _folder: folder, file };
        client.wg_quick("up")?;
        Ok(client)
    }

    /// Bytes received and sent, as the client counts them.
    pub fn transfer(&self) -> anyhow::Result<(u64, u64)> {
        let shown = self.namespace.run(&format!("wg show {} transfer", self.interface))?;
        let numbers: Vec<u64> = shown.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        anyhow::ensure!(numbers.len() == 2, "wg shows {shown:?}");
        Ok((numbers[0], numbers[1]))
    }

    fn wg_quick(&self, what: &str) -> anyhow::Result<String> {
        let file = self.file.display();
        self.namespace.run(&format!("env WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go wg-quick {what} {file}"))
    }
}

impl Drop for StockClient<'_> {
    fn drop(&mut self) {
        // When the namespace went first, only the socket's file is left.
        let _ = self.wg_quick("down");
        let _ = fs::remove_file(format!("/var/run/wireguard/{}.sock", self.interface));
    }
}
