//! Names that tell whose a namespace is, and the removal of those whose test is gone.

use std::{fs, io, path::Path};

use anyhow::Context;

use super::{FOLDER, remove};

const PREFIX: &str = "warren-test-";

/// What the names of this process's namespaces begin with: its id and, as ids are used again, the time of its start.
pub fn stem_of_this_process() -> anyhow::Result<String> {
    let id = std::process::id();
    let started = started_at(id).context("/proc does not tell when this process started")?;
    Ok(format!("{PREFIX}{id}-{started}-"))
}

/// Removes the namespaces of tests that no longer run.
///
/// # Errors
/// When the folder of names cannot be read.
pub fn sweep() -> anyhow::Result<()> {
    let entries = match fs::read_dir(FOLDER) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context(format!("cannot list {FOLDER}")),
    };
    for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        if owner(&name).is_some_and(|(id, started)| started_at(id) != Some(started)) {
            remove(&name);
        }
    }
    Ok(())
}

/// The process that a name tells of.
fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// When a process started, in clock ticks since boot: field 22 of proc_pid_stat(5), counted after the name's parenthesis.
fn started_at(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(19)?.parse().ok()
}
