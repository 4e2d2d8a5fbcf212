//! Carries jobs from organisations' outboxes into the queue. A job is removed from its outbox only after it stands in the queue,
//! and putting it there twice is putting it there once.

use std::{collections::BTreeSet, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::Notify, task::JoinHandle};
use warren_model::{JobId, OrganisationId, Queue};
use warren_runtime::Shutdown;

use crate::{App, AppError};

/// Jobs that are carried in one go.
const BATCH_MAX: u64 = 500;
/// After something failed.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Organisations whose outbox may hold something.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    organisations: Mutex<BTreeSet<OrganisationId>>,
    added: Notify,
}

impl Waiting {
    pub(super) fn add(&self, organisation: OrganisationId) {
        self.organisations.lock().insert(organisation);
        self.added.notify_one();
    }

    fn take(&self) -> BTreeSet<OrganisationId> {
        std::mem::take(&mut *self.organisations.lock())
    }
}

pub(super) fn spawn(app: &App, shutdown: &Shutdown) -> JoinHandle<()> {
    let (tasks, app, stop) = (app.tasks(), app.clone(), shutdown.clone());
    tasks.supervise("carry jobs", shutdown.clone(), move || run(app.clone(), stop.clone()))
}

/// Looks into every outbox once, as the process before may have died between a commit and the carrying; then into those of
/// which it is told.
async fn run(app: App, shutdown: Shutdown) -> Result<(), AppError> {
    let mut unseen: Vec<OrganisationId> = app.system().organisations().all_ids().await?;
    loop {
        let told = app.workshop().waiting().take();
        let mut failed = false;
        for organisation in told.into_iter().chain(unseen.pop()) {
            if shutdown.is_requested() {
                return Ok(());
            }
            if let Err(cause) = carry(&app, organisation).await {
                tracing::warn!(%cause, %organisation, "jobs wait in an organisation's outbox; they are kept");
                app.workshop().waiting().add(organisation);
                failed = true;
            }
        }
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            () = tokio::time::sleep(TRY_AGAIN_AFTER), if failed => {}
            () = app.workshop().waiting().added.notified(), if !failed => {}
            () = tokio::task::yield_now(), if !failed && !unseen.is_empty() => {}
        }
    }
}

/// Empties the outbox of `organisation` into the queue.
pub(crate) async fn carry(app: &App, organisation: OrganisationId) -> Result<(), AppError> {
    let tenant = match app.databases().tenant_models(organisation).await {
        Ok(tenant) => tenant,
        // It was removed meanwhile, and its jobs with it.
        Err(warren_storage::StorageError::NotFound) => return Ok(()),
        Err(cause) => return Err(cause.into()),
    };
    loop {
        let jobs = tenant.job_outbox().take(organisation, BATCH_MAX).await?;
        if jobs.is_empty() {
            return Ok(());
        }
        app.system().transaction(async |tx| -> Result<(), AppError> { Ok(tx.jobs().take_over(&jobs).await?) }).await?;
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        tenant.transaction(async |tx| -> Result<(), AppError> { Ok(tx.job_outbox().remove(&ids).await?) }).await?;
        let queues: BTreeSet<Queue> = jobs.iter().map(|job| job.queue).collect();
        queues.into_iter().for_each(|queue| app.workshop().ring(queue));
    }
}
