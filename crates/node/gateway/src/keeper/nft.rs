//! Loading rules: one batch, one `nft -f -`, all of it or nothing.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// How long nft may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where nft is: distributions put it where only administrators' search paths lead.
pub(crate) fn find_nft() -> Option<PathBuf> {
    ["/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft", "/usr/bin/nft"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
}

/// Loads `batch` into the calling thread's namespace.
pub(crate) async fn load(batch: &str) -> io::Result<()> {
    let nft = find_nft().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "nft is not installed"))?;
    let mut child = Command::new(nft)
        .args(["-f", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let run = async {
        // Should nft end early, what it printed says more than the broken pipe.
        let written = input.write_all(batch.as_bytes()).await;
        drop(input);
        let output = child.wait_with_output().await?;
        if output.status.success() {
            return written;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("nft refused the rules: {}", said.lines().next().unwrap_or("no reason given"))))
    };
    timeout(DEADLINE, run).await.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "nft did not end"))?
}
