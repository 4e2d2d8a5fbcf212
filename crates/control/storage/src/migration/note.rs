//! Notes in the system database what became of an organisation's database that was migrated when it was opened.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use warren_model::{Clock, OrganisationId};

use crate::{
    StorageError, SystemModels, TransactionOptions, WorkContext,
    system::{TenantMigration, TenantMigrationState},
};

/// Failures that are remembered as noted; past it they are noted again.
const REMEMBERED_MAX: usize = 10_000;

/// The notes of one process.
#[derive(Debug)]
pub(crate) struct Notes {
    system: SystemModels,
    version: &'static str,
    /// Those whose failure is noted: it is noted once, and not with each request that finds it again.
    failing: Mutex<HashSet<OrganisationId>>,
}

impl Notes {
    pub fn new(system: SystemModels, version: &'static str) -> Self {
        Self { system, version, failing: Mutex::default() }
    }

    /// Notes what opening the database of `organisation` came to, if it is news. Failing to note it is told and no more: the
    /// database's own ledger is what counts.
    pub async fn opened(
        &self,
        organisation: OrganisationId,
        outcome: Result<&[&'static str], &StorageError>,
        clock: &dyn Clock,
    ) {
        let error = match outcome {
            Ok([]) if !self.failing().remove(&organisation) => return,
            Ok(_) => {
                self.failing().remove(&organisation);
                None
            }
            Err(error) if concerns_migrations(error) && self.is_news(organisation) => Some(error.to_string()),
            Err(_) => return,
        };
        if let Err(error) = self.write(organisation, error, clock).await {
            self.failing().remove(&organisation);
            tracing::warn!(%organisation, %error, "what became of a migration could not be noted");
        }
    }

    async fn write(
        &self,
        organisation: OrganisationId,
        error: Option<String>,
        clock: &dyn Clock,
    ) -> Result<(), StorageError> {
        let now = clock.now();
        let state = if error.is_some() { TenantMigrationState::Failed } else { TenantMigrationState::Done };
        let options = TransactionOptions::idempotent();
        self.system
            .with_transaction(&WorkContext::BACKGROUND, options, async |tx| {
                let before = tx.tenant_migrations().of(organisation).await?;
                let before = before.filter(|row| row.version == self.version);
                let row = TenantMigration {
                    organisation,
                    version: self.version.to_owned(),
                    state,
                    error: error.clone(),
                    attempts: before.as_ref().map_or(0, |row| row.attempts) + 1,
                    started_at: before.and_then(|row| row.started_at).or(Some(now)),
                    finished_at: Some(now),
                };
                tx.tenant_migrations().store_many(&[row]).await
            })
            .await
    }

    fn is_news(&self, organisation: OrganisationId) -> bool {
        let mut failing = self.failing();
        if failing.len() >= REMEMBERED_MAX {
            failing.clear();
        }
        failing.insert(organisation)
    }

    fn failing(&self) -> std::sync::MutexGuard<'_, HashSet<OrganisationId>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the database stays shut because of its schema.
const fn concerns_migrations(error: &StorageError) -> bool {
    matches!(
        error,
        StorageError::MigrationFailed { .. }
            | StorageError::ChangedMigration { .. }
            | StorageError::NewerSchema { .. }
            | StorageError::MigrationLocked { .. }
            | StorageError::ModelMissing { .. }
    )
}
