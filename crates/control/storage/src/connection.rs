//! What repositories stand on: a pool of readers, or an open transaction.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{DatabaseConnection, DbErr};

use crate::{StorageError, stored::Undecodable};

/// Something that repositories can read from: a [`Reader`] or a [`crate::Writer`]. Nothing else implements it.
pub trait Source: sealed::Source {}

impl<S: sealed::Source> Source for S {}

pub(crate) mod sealed {
    //! The part of [`super::Source`] that only this crate sees.

    use std::path::Path;

    use sea_orm::ConnectionTrait;

    pub trait Source: Sync {
        type Connection: ConnectionTrait;
        fn connection(&self) -> &Self::Connection;
        fn file(&self) -> &Path;
    }
}

/// Connections that only read, shared by all who ask. Each statement takes one, and waits for it at most the configured time.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) connection: DatabaseConnection,
    pub(crate) file: Arc<PathBuf>,
}

impl sealed::Source for Reader {
    type Connection = DatabaseConnection;
    fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }
    fn file(&self) -> &Path {
        &self.file
    }
}

/// Gives a failure its place: which database it came from.
pub(crate) trait At<T> {
    fn at<S: sealed::Source>(self, source: &S) -> Result<T, StorageError>;
}

impl<T> At<T> for Result<T, DbErr> {
    fn at<S: sealed::Source>(self, source: &S) -> Result<T, StorageError> {
        self.map_err(|error| StorageError::from_database(&error, source.file()))
    }
}

impl<T> At<T> for Result<T, Undecodable> {
    fn at<S: sealed::Source>(self, source: &S) -> Result<T, StorageError> {
        self.map_err(|error| StorageError::Corrupt { file: source.file().to_owned(), detail: error.to_string() })
    }
}
