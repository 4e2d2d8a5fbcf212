//! What repositories stand on: a [`Reader`], or the [`Writer`] of an open transaction.

use sea_orm::DbErr;

use crate::{Place, StorageError, stored::Undecodable};

/// Something that repositories can read from: a [`crate::Reader`] or a [`crate::Writer`]. Nothing else implements it.
pub trait Source: sealed::Source {}

impl<S: sealed::Source> Source for S {}

pub(crate) mod sealed {
    //! The part of [`super::Source`] that only this crate sees.

    use sea_orm::ConnectionTrait;

    use crate::Place;

    pub trait Source: Sync {
        type Connection: ConnectionTrait;
        fn connection(&self) -> &Self::Connection;
        fn place(&self) -> &Place;
    }
}

/// Gives a failure its place: which database it came from.
pub(crate) trait At<T> {
    fn at<S: sealed::Source>(self, source: &S) -> Result<T, StorageError>;
}

impl<T> At<T> for Result<T, DbErr> {
    fn at<S: sealed::Source>(self, source: &S) -> Result<T, StorageError> {
        self.map_err(|error| StorageError::from_database(&error, source.place()))
    }
}

impl<T> At<T> for Result<T, Undecodable> {
    fn at<S: sealed::Source>(self, source: &S) -> Result<T, StorageError> {
        self.map_err(|error| corrupt(source.place(), &error))
    }
}

fn corrupt(place: &Place, error: &Undecodable) -> StorageError {
    StorageError::Corrupt { place: place.clone(), detail: error.to_string() }
}
