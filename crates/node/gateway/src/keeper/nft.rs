//! Loading rules: one batch, one `nft -f -`, all of it or nothing.

use std::{io, path::PathBuf, process::Stdio, time::Duration};

use serde::Deserialize;
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
    run(&["-f", "-"], batch).await.map(drop)
}

/// The other chains of the calling thread's namespace that drop what they do not know when it is forwarded, as those of
/// container engines and host firewalls do. An `accept` in a table of ours does not reach them.
pub(crate) async fn forward_chains_that_drop() -> io::Result<Vec<ForeignChain>> {
    let listing = run(&["-j", "list", "chains"], "").await?;
    Ok(read_chains(&listing)?)
}

/// A chain that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ForeignChain {
    family: String,
    table: String,
    name: String,
    hook: Option<String>,
    policy: Option<String>,
}

impl ForeignChain {
    /// The commands that let `links` through.
    pub fn remedy(&self, links: &str) -> String {
        let Self { family, table, name, .. } = self;
        let insert = format!("nft insert rule {family} {table} {name}");
        format!("{insert} iifname '\"{links}*\"' accept; {insert} oifname '\"{links}*\"' accept")
    }
}

#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    chain: Option<ForeignChain>,
}

fn read_chains(listing: &[u8]) -> serde_json::Result<Vec<ForeignChain>> {
    let listing: Listing = serde_json::from_slice(listing)?;
    let chains = listing.nftables.into_iter().filter_map(|listed| listed.chain);
    let drops =
        |chain: &ForeignChain| chain.hook.as_deref() == Some("forward") && chain.policy.as_deref() == Some("drop");
    Ok(chains.filter(drops).collect())
}

async fn run(arguments: &[&str], batch: &str) -> io::Result<Vec<u8>> {
    let nft = find_nft().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "nft is not installed"))?;
    let mut child = Command::new(nft)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
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
            return written.map(|()| output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("nft refused the rules: {}", said.lines().next().unwrap_or("no reason given"))))
    };
    timeout(DEADLINE, run).await.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "nft did not end"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_chains_that_drop_are_found_with_their_remedy() {
        let listing = br#"{"nftables": [{"metainfo": {"version": "1.0.6"}},
            {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "handle": 1, "type": "filter",
                "hook": "forward", "prio": 0, "policy": "drop"}},
            {"chain": {"family": "ip", "table": "filter", "name": "DOCKER", "handle": 2}},
            {"chain": {"family": "inet", "table": "own", "name": "forward", "hook": "forward", "policy": "accept"}}]}"#;
        let chains = read_chains(listing).unwrap();
        assert_eq!(chains.len(), 1);
        assert_eq!(
            chains[0].remedy("w00"),
            "nft insert rule ip filter FORWARD iifname '\"w00*\"' accept; \
             nft insert rule ip filter FORWARD oifname '\"w00*\"' accept"
        );
    }
}
