//! Background work: storing usage, carrying audit entries to where they belong, ending what has expired.
//!
//! Each piece can be killed at any point and done again: it leaves either its result or its cause.

use std::{collections::HashSet, time::Duration};

use tokio::task::JoinHandle;
use warren_model::{AuditId, DeviceId, OrganisationId, audit::AuditEntry, device::UsageRecord};
use warren_runtime::Shutdown;

use crate::{App, AppError, IdempotencyKey, ProcessRole, context::work_of};

/// How often usage is stored; at most this much is lost to a crash of the whole host.
const STORE_USAGE_EVERY: Duration = Duration::from_secs(5);
const RELAY_EVERY: Duration = Duration::from_secs(5);
const CLEAN_UP_EVERY: Duration = Duration::from_secs(600);
/// The databases' watch counts on a look a second.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Entries carried, or rows removed, in one go.
const BATCH_MAX: u64 = 500;

pub(crate) fn spawn(app: &App, shutdown: &Shutdown) -> Vec<JoinHandle<()>> {
    let every = |name, period, work| every(app, shutdown, name, period, work);
    let mut tasks = vec![
        every("relay audit entries", RELAY_EVERY, |app| Box::pin(async move { relay_audit(&app).await })),
        every("watch databases", WATCH_EVERY, |app| Box::pin(async move { app.databases().watch_once() })),
    ];
    if app.config().role == ProcessRole::ControlPlane {
        tasks.extend([
            every("store usage", STORE_USAGE_EVERY, |app| Box::pin(async move { store_usage(&app).await })),
            every("clean up", CLEAN_UP_EVERY, |app| Box::pin(async move { clean_up(&app).await })),
        ]);
    }
    tasks
}

/// One turn of periodic work. It logs its own failures and is tried again with the next.
pub(crate) type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Does `work` at once and then each `period`, until `shutdown`; what takes longer is not made up for.
pub(crate) fn every(
    app: &App,
    shutdown: &Shutdown,
    name: &'static str,
    period: Duration,
    work: fn(App) -> Work,
) -> JoinHandle<()> {
    let (tasks, app, stop) = (app.tasks(), app.clone(), shutdown.clone());
    tasks.supervise(name, shutdown.clone(), move || repeat(app.clone(), stop.clone(), period, work))
}

async fn repeat(app: App, shutdown: Shutdown, period: Duration, work: fn(App) -> Work) -> Result<(), AppError> {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            _ = ticks.tick() => work(app.clone()).await,
        }
    }
}

impl App {
    /// Carries audit entries to their organisations without making the caller wait.
    pub(crate) fn relay_audit_soon(&self) {
        let app = self.clone();
        tokio::spawn(async move { relay_audit(&app).await });
    }
}

/// Moves audit entries that were written together with a system change into their organisation's database. An entry is
/// removed here only after it has been stored there, and storing it twice is storing it once.
pub(crate) async fn relay_audit(app: &App) {
    if let Err(cause) = try_relay_audit(app).await {
        tracing::warn!(%cause, "audit entries wait to be carried to their organisation; they are kept");
    }
}

async fn try_relay_audit(app: &App) -> Result<(), AppError> {
    let waiting = app.system().audit_outbox().take(BATCH_MAX).await?;
    let organisations: HashSet<OrganisationId> = waiting.iter().map(|(organisation, _)| *organisation).collect();
    for organisation in organisations {
        let entries: Vec<&AuditEntry> = waiting.iter().filter(|(of, _)| *of == organisation).map(|(_, e)| e).collect();
        let ids: Vec<AuditId> = entries.iter().map(|entry| entry.id).collect();
        let tenant = match app.databases().tenant_models(organisation).await {
            Ok(tenant) => tenant,
            // One damaged organisation does not hold up the others.
            Err(cause) => {
                tracing::warn!(%cause, %organisation, "an organisation's database cannot take its audit entries yet");
                continue;
            }
        };
        let Some(known) = app.system().organisations().by_id(organisation).await? else { continue };
        tenant
            .transaction(async |tx| -> Result<(), AppError> {
                for entry in &entries {
                    app.record_once(tx, &known.slug, entry).await?;
                }
                Ok(())
            })
            .await?;
        // Whose entries these are is to find them.
        for entry in &entries {
            app.databases().wrote_for(&work_of(entry.request, &entry.actor));
        }
        app.system()
            .transaction(async |tx| -> Result<(), AppError> { Ok(tx.audit_outbox().remove(&ids).await?) })
            .await?;
    }
    Ok(())
}

/// Stores what devices moved since the last time.
pub(crate) async fn store_usage(app: &App) {
    app.metrics().gateways_online.set(app.hub().online().try_into().unwrap_or(i64::MAX));
    app.metrics().open_organisations.set(app.databases().open_tenants().try_into().unwrap_or(i64::MAX));
    let unsaved = app.live().take_unsaved();
    app.metrics().usage_unsaved.set(unsaved.iter().map(|(_, rows)| rows.len() as u64).sum());
    for (organisation, rows) in unsaved {
        if let Err(cause) = store(app, organisation, &rows).await {
            tracing::warn!(%cause, %organisation, "usage could not be stored; it is kept in memory and tried again");
            app.live().put_back(organisation, rows.iter().map(|(device, _)| *device));
        }
    }
}

async fn store(app: &App, organisation: OrganisationId, rows: &[(DeviceId, UsageRecord)]) -> Result<(), AppError> {
    let tenant = app.databases().tenant_models(organisation).await?;
    tenant.transaction(async |tx| -> Result<(), AppError> { Ok(tx.usage().store_many(rows).await?) }).await
}

/// Removes what has ended: sessions, links, idempotency keys.
async fn clean_up(app: &App) {
    let now = app.clock().now();
    let forgotten = now - time::Duration::hours(IdempotencyKey::REMEMBERED_HOURS);
    let idle_max = app.config().session_idle;
    let cleaned = app
        .system()
        .transaction(async |tx| -> Result<(), AppError> {
            tx.sessions().remove_ended(now, idle_max, BATCH_MAX).await?;
            tx.links().remove_ended(now).await?;
            tx.idempotency().forget_before(forgotten).await?;
            Ok(())
        })
        .await;
    if let Err(cause) = cleaned {
        tracing::warn!(%cause, "what has ended could not be removed; it is tried again");
    }
}
