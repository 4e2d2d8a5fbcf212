//! What the kernel says of a process's memory.

use std::fs;

use anyhow::{Context, ensure};

/// One process.
#[derive(Debug, Clone)]
pub struct Usage {
    pub process: &'static str,
    pub rss_bytes: u64,
    pub pss_bytes: u64,
}

/// The control plane, the gateway, and the keeper that the gateway has started.
///
/// # Errors
/// When one of them does not run, or without the right to look.
pub fn of(control: u32, gateway: i32) -> anyhow::Result<Vec<Usage>> {
    let gateway = u32::try_from(gateway)?;
    let keepers = children(gateway)?;
    ensure!(keepers.len() == 1, "the gateway has {} children and not its keeper alone", keepers.len());
    Ok(vec![
        usage("control plane", control)?,
        usage("gateway", gateway)?,
        usage("the gateway's keeper of namespaces", keepers[0])?,
    ])
}

fn usage(process: &'static str, id: u32) -> anyhow::Result<Usage> {
    let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).with_context(|| format!("the {process}"))?;
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).context("smaps_rollup lacks a line")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        anyhow::Ok(kibibytes * 1024)
    };
    Ok(Usage { process, rss_bytes: bytes("Rss:")?, pss_bytes: bytes("Pss:")? })
}

fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since.
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        let its_parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        if its_parent == Some(parent) {
            found.push(id);
        }
    }
    Ok(found)
}
