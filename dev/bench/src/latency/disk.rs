//! What the disk alone takes: the least that an acknowledged change can cost.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::figures::Times;

/// A file that grows by 4 KiB at a time, each of them brought to the disk.
#[derive(Debug)]
pub struct Disk {
    file: File,
    taken: Vec<Duration>,
}

impl Disk {
    /// A file without a name on the file system of `folder`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn on_file_system_of(folder: &Path) -> anyhow::Result<Self> {
        let file = tempfile::tempfile_in(folder.parent().context("the folder has none around it")?)?;
        Ok(Self { file, taken: Vec::new() })
    }

    /// Writes and waits for the disk.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn measure(&mut self) -> anyhow::Result<()> {
        let begin = Instant::now();
        self.file.write_all(&[0x5a; 4096])?;
        self.file.sync_data()?;
        self.taken.push(begin.elapsed());
        Ok(())
    }

    /// All that was measured.
    pub fn times(self) -> Times {
        self.taken.into_iter().collect()
    }
}
