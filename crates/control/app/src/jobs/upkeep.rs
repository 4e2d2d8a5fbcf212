//! Removes what is over: jobs that ended long ago, keys, letters, decisions, and what organisations no longer need.

use std::time::Duration;

use tokio::task::JoinHandle;
use warren_model::OrganisationId;
use warren_runtime::Shutdown;

use crate::{App, AppError, worker::every};

const LOOK_EVERY: Duration = Duration::from_secs(600);
/// Rows that one transaction removes.
const BATCH_MAX: u64 = 500;
/// Jobs that were done or called off are kept this long, for who asks what came of them. Longer than any outbox waits, so
/// that a job that is carried over twice is known.
const ENDED_KEPT: time::Duration = time::Duration::days(7);
/// Dead letters are kept this long, for an operator to replay them.
const DEAD_KEPT: time::Duration = time::Duration::days(30);
const MAILS_KEPT: time::Duration = time::Duration::days(30);
const DECISIONS_KEPT: time::Duration = time::Duration::days(90);
const DELIVERIES_KEPT: time::Duration = time::Duration::days(30);

pub(super) fn spawn(app: &App, shutdown: &Shutdown) -> JoinHandle<()> {
    every(app, shutdown, "remove what is over", LOOK_EVERY, |app| Box::pin(async move { remove(&app).await }))
}

async fn remove(app: &App) {
    if let Err(cause) = installation(app).await {
        tracing::warn!(%cause, "jobs that are over could not be removed; it is tried again");
    }
    // Only those that are open anyway: an organisation that nobody uses makes nothing that has to go.
    for organisation in app.databases().open_organisations() {
        if let Err(cause) = organisation_of(app, organisation).await {
            tracing::warn!(%cause, %organisation, "what is over could not be removed; it is tried again");
        }
    }
}

async fn installation(app: &App) -> Result<(), AppError> {
    let now = app.clock().now();
    loop {
        let pruned = app
            .system()
            .transaction(async |tx| -> Result<u64, AppError> {
                Ok(tx.jobs().prune(now - ENDED_KEPT, now - DEAD_KEPT, BATCH_MAX).await?)
            })
            .await?;
        if pruned < BATCH_MAX {
            break;
        }
    }
    app.system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.jobs().forget_keys(now).await?;
            tx.mails().forget_before(now - MAILS_KEPT).await?;
            tx.scaling().forget_before(now - DECISIONS_KEPT).await?;
            Ok(())
        })
        .await
}

async fn organisation_of(app: &App, organisation: OrganisationId) -> Result<(), AppError> {
    let now = app.clock().now();
    let tenant = app.databases().tenant_models(organisation).await?;
    tenant
        .transaction(async |tx| -> Result<(), AppError> {
            tx.files().remove_expired(now, BATCH_MAX).await?;
            tx.deliveries().forget_before(now - DELIVERIES_KEPT, BATCH_MAX).await?;
            Ok(())
        })
        .await
}
