//! The names of the organisations that a report speaks of.

use std::collections::{HashMap, HashSet};

use warren_model::{Organisation, OrganisationId};
use warren_storage::StorageStatus;

use super::{
    Limits, Owner,
    reading::{latest_slow, owner_of},
};
use crate::App;

/// The names of the organisations that are shown.
pub(super) struct Names(HashMap<OrganisationId, Organisation>);

impl Names {
    /// Those that a report within `limits` speaks of.
    pub async fn of(app: &App, status: &StorageStatus, limits: Limits) -> Self {
        let busiest = status.busiest().into_iter().take(limits.organisations).filter_map(|one| one.organisation);
        let holding = status.databases.iter().filter(|one| one.active() > 0).filter_map(|one| one.organisation);
        let suspected = status.suspicions.iter().take(limits.suspicions).filter_map(|one| one.organisation);
        let slow = latest_slow(status, limits).into_iter().filter_map(|one| one.organisation);
        let short = status.shortages.iter().filter_map(|one| owner_of(&one.of));
        Self::read(app, busiest.chain(holding).chain(suspected).chain(slow).chain(short).collect()).await
    }

    /// Without an answer the figures stand beside identifiers: they are needed most when the database is not well.
    pub async fn read(app: &App, ids: HashSet<OrganisationId>) -> Self {
        if ids.is_empty() {
            return Self(HashMap::new());
        }
        let ids: Vec<OrganisationId> = ids.into_iter().collect();
        let found = app.system().organisations().by_ids(&ids).await.unwrap_or_else(|cause| {
            tracing::debug!(%cause, "the names of organisations cannot be read");
            Vec::new()
        });
        Self(found.into_iter().map(|organisation| (organisation.id, organisation)).collect())
    }

    pub fn owner(&self, id: OrganisationId) -> Owner {
        let known = self.0.get(&id);
        Owner { id, names: known.map(|organisation| (organisation.slug.clone(), organisation.name.clone())) }
    }
}
