//! One connection to one database, for the time of looking at it or changing its schema.

use std::sync::Arc;

use crate::{
    StorageError, database,
    engine::{Connection, Role, Target},
};

/// Opens a connection to a database that should be there.
///
/// # Errors
/// [`StorageError::Corrupt`] when it is not there, and what connecting gives.
pub(super) async fn enter(target: &Target, role: Role) -> Result<Connection, StorageError> {
    let missing = || StorageError::Corrupt { place: target.place(), detail: "it is missing".to_owned() };
    if let Target::File(_) = target
        && !target.exists().await?
    {
        return Err(missing());
    }
    match target.connect(role).await {
        Ok(connection) => Ok(connection),
        Err(error) => match StorageError::from_driver(&Arc::new(error), &target.place()) {
            StorageError::NotFound => Err(missing()),
            other => Err(other),
        },
    }
}

/// Opens a connection by which the schema may be changed: a file that was not closed in order is checked first.
///
/// # Errors
/// As [`enter`], and [`StorageError::Corrupt`].
pub(super) async fn enter_to_change(target: &Target) -> Result<Connection, StorageError> {
    let role = if target.engine().writes_alone() { Role::Migrator } else { Role::Both };
    let closed_in_order = database::was_closed_in_order(target);
    let mut connection = enter(target, role).await?;
    match database::check_before_use(&mut connection, target, closed_in_order).await {
        Ok(()) => Ok(connection),
        Err(error) => {
            let _ = connection.close().await;
            Err(error)
        }
    }
}

/// Closes the connection after a change, which has reached the disk then.
///
/// # Errors
/// `outcome`'s, or what keeps the change from the disk.
pub(super) async fn leave_changed(
    mut connection: Connection,
    target: &Target,
    outcome: Result<Vec<&'static str>, StorageError>,
) -> Result<Vec<&'static str>, StorageError> {
    let is_to_settle = target.engine().writes_alone() && outcome.as_ref().is_ok_and(|names| !names.is_empty());
    let settled = if is_to_settle { connection.run("PRAGMA wal_checkpoint(TRUNCATE)").await } else { Ok(()) };
    let closed = connection.close().await;
    let names = outcome?;
    settled.and(closed).map_err(|error| StorageError::from_driver(&Arc::new(error), &target.place()))?;
    Ok(names)
}
