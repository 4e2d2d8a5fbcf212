//! What stands at an end of a move.

use std::sync::Arc;

use uuid::Uuid;
use warren_model::OrganisationId;

use super::{
    MoveError,
    database::{Family, close, connect, open_source, table_names},
    mark::{self, Mark},
};
use crate::{
    Place, StorageError,
    engine::{Found, Role, Site, Target},
};

/// The organisations whose databases are to be moved: all that have one, which are at least those that the system database
/// knows.
///
/// # Errors
/// [`MoveError::NothingThere`], [`StorageError::Corrupt`] when a database is missing, and what reading gives.
pub(super) async fn tenants(source: &Site) -> Result<Vec<OrganisationId>, MoveError> {
    let (system, place) = (source.system(), source.system().place());
    source.prepare()?;
    let mut end = open_source(&system, &Family::system()).await?;
    let rows = end.connection.ask("SELECT id FROM organisations", Vec::new()).await;
    let rows = rows.map_err(|error| means(error, &place))?;
    close(end).await;
    let there = found(source).await?;
    for row in rows {
        let id: Uuid = row.try_get_by_index(0).map_err(|error| StorageError::from_database(&error, &place))?;
        let id = OrganisationId::from_uuid(id);
        if there.binary_search(&id).is_err() {
            let place = source.tenant(id).place();
            return Err(StorageError::Corrupt { place, detail: "it is missing".to_owned() }.into());
        }
    }
    Ok(there)
}

/// The organisations that have a database there, in order.
pub(super) async fn found(site: &Site) -> Result<Vec<OrganisationId>, StorageError> {
    let found = site.found().await?.into_iter().filter_map(|found| match found {
        Found::Tenant(id) => Some(id),
        Found::Unfinished(_) => None,
    });
    let mut found: Vec<OrganisationId> = found.collect();
    found.sort_unstable();
    Ok(found)
}

/// Where the databases went whose system database this is, if they went anywhere.
///
/// # Errors
/// [`MoveError::NothingThere`], and [`StorageError::MoveUnfinished`] when it is itself the target of a move.
pub(super) async fn moved_to(system: &Target) -> Result<Option<String>, MoveError> {
    let place = system.place();
    if !system.exists().await? {
        return Err(MoveError::NothingThere { place });
    }
    let failed = |error| means(error, &place);
    let mut end = connect(system, Role::Reader, place.clone()).await?;
    if table_names(&mut end.connection).await.map_err(failed)?.is_empty() {
        return Err(MoveError::NothingThere { place });
    }
    if let Some(mut entries) = Mark::Unfinished.read(&mut end.connection).await.map_err(failed)? {
        let from = entries.remove(mark::SOURCE).unwrap_or_default();
        return Err(StorageError::MoveUnfinished { place, from }.into());
    }
    let gone = Mark::MovedAway.read(&mut end.connection).await.map_err(failed)?;
    close(end).await;
    Ok(gone.and_then(|mut entries| entries.remove(mark::TARGET)))
}

/// Whether a move to this system database is not finished.
pub(super) async fn is_unfinished(system: &Target) -> Result<bool, StorageError> {
    if !system.exists().await? {
        return Ok(false);
    }
    let mut end = connect(system, Role::Reader, system.place()).await?;
    let entries = Mark::Unfinished.read(&mut end.connection).await.map_err(|error| means(error, &end.place))?;
    close(end).await;
    Ok(entries.is_some())
}

pub(super) fn means(error: sqlx::Error, place: &Place) -> StorageError {
    StorageError::from_driver(&Arc::new(error), place)
}
