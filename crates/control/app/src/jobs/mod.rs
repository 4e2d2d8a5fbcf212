//! Jobs: work that is done outside of the request that asked for it.
//!
//! A job is asked for within the transaction that makes it necessary, and stands or falls with it: in the system database it
//! goes straight into the queue, in an organisation's into an outbox from which it is carried over. Whatever happens to a
//! process, the row in the queue says what is left to do; a job may be begun twice, and is never lost.

mod ask;
mod dispatch;
mod door;
mod failure;
mod job;
mod kinds;
pub mod manage;
mod places;
mod relay;
mod rescue;
mod run;
mod schedules;
mod tally;
mod upkeep;

pub use ask::Asked;
pub(crate) use ask::Requester;
pub(crate) use dispatch::Workshop;
pub use failure::JobError;
pub use job::{Job, Outcome, Policy, Secrecy, Work};
pub use kinds::{Kind, kind};
pub(crate) use rescue::{rescue_all, retire};
pub use tally::QueueTallyView;

use std::{convert::Infallible, sync::Arc};

use tokio::task::JoinHandle;
use warren_runtime::Shutdown;

use crate::{App, ProcessRole};

/// Starts everything that works on jobs; each task ends soon after `shutdown`, and what runs then is let go of.
pub(crate) fn spawn(app: &App, shutdown: &Shutdown) -> Vec<JoinHandle<()>> {
    let mut tasks = vec![
        dispatch::spawn(app, shutdown),
        relay::spawn(app, shutdown),
        rescue::spawn(app, shutdown),
        schedules::spawn(app, shutdown),
    ];
    if app.config().role == ProcessRole::ControlPlane {
        tasks.push(upkeep::spawn(app, shutdown));
    }
    tasks.extend(carry_rings(app, shutdown));
    tasks
}

/// Rings for other processes and hears theirs, where there is a server for that.
fn carry_rings(app: &App, shutdown: &Shutdown) -> Option<JoinHandle<()>> {
    let (bells, workshop, stop) = (Arc::clone(app.workshop().bells()?), app.workshop().clone(), shutdown.clone());
    Some(app.tasks().supervise("carry rings", shutdown.clone(), move || {
        let (bells, workshop, stop) = (Arc::clone(&bells), workshop.clone(), stop.clone());
        async move {
            bells.run(&workshop, &stop).await;
            Ok::<(), Infallible>(())
        }
    }))
}
