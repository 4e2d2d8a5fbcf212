//! The target of a move, claimed by its mark: what is done is noted there, and nobody starts on it while it stands.

use std::collections::BTreeMap;

use warren_model::OrganisationId;

use super::{
    MoveError,
    copy::End,
    database::{close, connect, table_names, writing},
    look::{found, means},
    mark::{self, Mark},
};
use crate::{
    Place, StorageError,
    engine::{Role, Site, Target, folder, server},
};

/// A target that is ours until the move is done.
#[derive(Debug)]
pub(super) struct Claim {
    target: Target,
    end: End,
    /// The databases that an earlier run moved, each with the hash of what it held.
    pub done: BTreeMap<OrganisationId, String>,
}

impl Claim {
    /// Claims an empty target, or one that `installation` had claimed before for a move from the same source.
    ///
    /// # Errors
    /// [`MoveError::Occupied`], [`MoveError::AnotherMove`], and what the database gives.
    pub async fn take(site: &Site, from: &Place, installation: &str) -> Result<Self, MoveError> {
        let target = site.system();
        site.prepare()?;
        let entries = [(mark::SOURCE, from.to_string()), (mark::INSTALLATION, installation.to_owned())];
        if !target.exists().await? {
            refuse_databases(site).await?;
            make(&target, &entries).await?;
        }
        let mut end = connect(&target, writing(&target), target.place()).await?;
        server::check_version(&mut end.connection, &target).await?;
        let found = Mark::Unfinished.read(&mut end.connection).await.map_err(|error| means(error, &end.place))?;
        let Some(found) = found.filter(|found| !found.is_empty()) else {
            let mut names = table_names(&mut end.connection).await.map_err(|error| means(error, &end.place))?;
            names.retain(|name| name != Mark::Unfinished.table());
            if !names.is_empty() {
                return Err(MoveError::Occupied { place: end.place, found: what(&names) });
            }
            refuse_databases(site).await?;
            Mark::Unfinished.make(&mut end.connection, &entries).await.map_err(|error| means(error, &end.place))?;
            return Ok(Self { target, end, done: BTreeMap::new() });
        };
        if entries.iter().any(|(name, value)| found.get(*name) != Some(value)) {
            let from = found.get(mark::SOURCE).cloned().unwrap_or_default();
            return Err(MoveError::AnotherMove { place: end.place, from });
        }
        let done = found.into_iter().filter_map(|(name, hash)| Some((name.parse().ok()?, hash))).collect();
        Ok(Self { target, end, done })
    }

    /// Notes that the database of an organisation is done. A connection that broke meanwhile is replaced.
    pub async fn note(&mut self, id: OrganisationId, hash: &str) -> Result<(), StorageError> {
        let name = id.to_string();
        if Mark::Unfinished.write(&mut self.end.connection, &name, hash).await.is_ok() {
            return Ok(());
        }
        self.end = connect(&self.target, writing(&self.target), self.target.place()).await?;
        let noted = Mark::Unfinished.write(&mut self.end.connection, &name, hash).await;
        noted.map_err(|error| means(error, &self.end.place))
    }

    /// Removes databases that an earlier run moved and that the source has no more.
    pub async fn keep_only(&mut self, tenants: &[OrganisationId], site: &Site) -> Result<(), StorageError> {
        for id in found(site).await?.into_iter().filter(|id| !tenants.contains(id)) {
            site.tenant(id).remove().await?;
            let forgotten = Mark::Unfinished.erase(&mut self.end.connection, &id.to_string()).await;
            forgotten.map_err(|error| means(error, &self.end.place))?;
        }
        Ok(())
    }

    /// Takes the mark away: from now on Warren may start there.
    pub async fn finish(self) -> Result<(), StorageError> {
        close(self.end).await;
        let mut end = connect(&self.target, writing(&self.target), self.target.place()).await?;
        Mark::Unfinished.remove(&mut end.connection).await.map_err(|error| means(error, &end.place))?;
        close(end).await;
        Ok(())
    }
}

/// Makes the system database with nothing in it but the mark.
async fn make(target: &Target, entries: &[(&str, String)]) -> Result<(), StorageError> {
    let Target::File(file) = target else { return target.make_on_server().await };
    let unfinished = folder::begin(file)?;
    let mut end = connect(&Target::File(unfinished.clone()), Role::Maker, target.place()).await?;
    Mark::Unfinished.make(&mut end.connection, entries).await.map_err(|error| means(error, &end.place))?;
    close(end).await;
    folder::publish(&unfinished, file)
}

/// Refuses databases of organisations that stand there without a mark.
async fn refuse_databases(site: &Site) -> Result<(), MoveError> {
    match found(site).await?.len() {
        0 => Ok(()),
        count => {
            let found = format!("{count} databases of organisations");
            Err(MoveError::Occupied { place: site.system().place(), found })
        }
    }
}

/// What the tables are of.
fn what(names: &[String]) -> String {
    if names.iter().any(|name| name == Mark::MovedAway.table()) {
        return "an installation that was itself moved away".to_owned();
    }
    if names.iter().any(|name| name == crate::migration::LEDGER) {
        return "an installation of Warren".to_owned();
    }
    format!("the tables {}", names.join(", "))
}
