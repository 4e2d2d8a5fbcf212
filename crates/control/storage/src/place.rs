//! Which database something happened in, as an operator would name it.

use std::{fmt, path::Path, sync::Arc};

/// A database file, or a database on a server; never with a password. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Place(Arc<str>);

impl Place {
    /// The database, or folder of databases, at `path`.
    pub fn file(path: &Path) -> Self {
        Self(path.display().to_string().into())
    }

    /// A database of a server.
    pub(crate) fn server(engine: &str, host: &str, port: u16, database: &str) -> Self {
        Self(format!("{engine}://{host}:{port}/{database}").into())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({})", self.0)
    }
}
