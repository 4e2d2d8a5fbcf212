//! `warren up`: the control plane on one data folder, and a gateway beside it.

mod admission;
mod carrier;
mod doors;
mod greeting;
pub mod limits;
mod mail;
mod options;
mod plan;
mod scaling;
mod tls;
mod webhooks;

use std::time::Duration;

use warren_portal::PortalState;
use warren_runtime::{Shutdown, files, lock::FolderLock, telemetry};

pub use mail::MailOptions;
pub use options::{LogFormat, Options};
pub use plan::origin;
pub use webhooks::WebhookOptions;

use self::{carrier::Carrier, doors::Doors, plan::Plan};
use crate::{Failure, building, folder};

/// How long requests may take to finish, and the gateway to end, once the process was asked to end.
const FINISH_WITHIN: Duration = Duration::from_secs(3);
/// How long the background work may take to end after that.
const SETTLE_WITHIN: Duration = Duration::from_secs(1);

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// [`Failure`] when it cannot start, in one sentence with what to do about it.
pub fn run(options: Options) -> Result<(), Failure> {
    let plan = Plan::of(options)?;
    limits::give_large_memory_back();
    limits::raise_open_files();
    limits::runtime()?.block_on(work(plan))
}

async fn work(plan: Plan) -> Result<(), Failure> {
    files::ensure_private_dir(&plan.data)?;
    let plan = plan.on_its_real_folder()?;
    let _lock = FolderLock::acquire(&plan.data)?;
    telemetry::init(&plan.log, plan.log_format);
    let shutdown = Shutdown::on_signals().map_err(|source| Failure::start("listen for signals", source))?;

    let doors = Doors::open(&plan)?;
    let plan = plan.reached_at(doors.address());
    let app = building::build(config(&plan)?, plan.database_wait, &shutdown).await?;

    let state = PortalState::new(app.clone(), plan.portal(), shutdown.clone());
    let worker = app.spawn_worker(&shutdown);
    let serving = doors.serve(&state, &shutdown);
    let carrier = Carrier::start(&app, &plan, &shutdown).await?;
    greeting::print(&app, &plan, &carrier).await?;

    shutdown.requested().await;
    tokio::join!(serving.finish(FINISH_WITHIN), carrier.finish(FINISH_WITHIN));
    // What is left of it has nothing to lose: each of its steps is one transaction.
    let _ = tokio::time::timeout(SETTLE_WITHIN, futures_util::future::join_all(worker)).await;
    app.close().await;
    doors::remove_sockets(&folder::sockets(&plan.data));
    Ok(())
}

/// What the control plane is built from.
fn config(plan: &Plan) -> Result<warren_app::Config, Failure> {
    Ok(warren_app::Config {
        host: building::host(),
        mailer: plan.mail.mailer(&plan.public_url)?,
        mail_language: plan.mail.language(),
        nats: plan.nats.clone(),
        replica_lag_max: plan.database.replica_lag_max(),
        job_places: 8.clamp(plan.scaling.places_min as usize, plan.scaling.places_max as usize),
        scaling: plan.scaling.clone(),
        webhooks: plan.webhooks.clone(),
        ..warren_app::Config::new(plan.data.clone(), plan.public_url.clone()).on(plan.database.standing(&plan.data)?)
    })
}
