//! Where a file's bytes are.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::PathBuf,
    sync::Arc,
};

/// A file's bytes, which are read more than once and do not change meanwhile.
#[derive(Debug, Clone)]
pub enum Content {
    Memory(Arc<[u8]>),
    File(PathBuf),
}

impl Content {
    /// The bytes from the beginning.
    pub(super) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Memory(bytes.into())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Memory(text.as_bytes().into())
    }
}
