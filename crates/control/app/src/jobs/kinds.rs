//! Every kind of job, and how a stored one is read and run.

use std::{pin::Pin, time::Duration};

use warren_storage::StoredJob;

use super::{Job, JobError, Outcome, Policy, Secrecy, Work, ask::sealing_context};
use crate::{
    App, context::BASE64, exports::job::MakeExport, imports::job::ImportRecords, mail::SendLetter,
    reports::job::MakeReport, scaling::NotifyOperator, webhooks::Deliver,
};

/// A job that was read and can be run.
pub(super) struct Runnable {
    pub policy: Policy,
    pub run: Run,
}

type Run = Box<dyn FnOnce(Work) -> Running + Send>;
type Running = Pin<Box<dyn Future<Output = Result<Outcome, JobError>> + Send>>;

/// One kind of job, made by [`kind`].
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub(super) name: &'static str,
    pub(super) policy: Policy,
    read: fn(&App, &StoredJob) -> Result<Runnable, JobError>,
}

/// A job that this program does not know may be a newer one's, which is being rolled out: it waits this long for that.
const UNKNOWN_WAITS: Duration = Duration::from_secs(60);
/// And is a dead letter in the end.
const UNKNOWN_WAITS_MAX: time::Duration = time::Duration::hours(1);

/// Warren's own kinds.
const KINDS: &[Kind] = &[
    kind::<SendLetter>(),
    kind::<ImportRecords>(),
    kind::<NotifyOperator>(),
    kind::<Deliver>(),
    kind::<MakeExport>(),
    kind::<MakeReport>(),
];

/// Reads a stored job.
///
/// # Errors
/// When this program does not know its kind or version, or its payload cannot be read.
pub(super) fn read(app: &App, job: &StoredJob) -> Result<Runnable, JobError> {
    match find(app, &job.kind) {
        Some(kind) => (kind.read)(app, job),
        None => Err(unknown(app, job)),
    }
}

/// The kind with this name.
pub(super) fn find(app: &App, name: &str) -> Option<Kind> {
    KINDS.iter().chain(&app.config().further_jobs).find(|kind| kind.name == name).copied()
}

/// The kind that jobs `J` are of.
pub const fn kind<J: Job>() -> Kind {
    Kind { name: J::KIND, policy: J::POLICY, read: read_as::<J> }
}

fn read_as<J: Job>(app: &App, job: &StoredJob) -> Result<Runnable, JobError> {
    let payload = match J::POLICY.secrecy {
        Secrecy::Plain => job.payload.clone(),
        Secrecy::Sealed => {
            let sealed = base64::Engine::decode(&BASE64, &job.payload).map_err(JobError::fatal)?;
            let opened = app.sealing().open(&sealing_context(job.id), &sealed).map_err(JobError::fatal)?;
            String::from_utf8(opened.to_vec()).map_err(JobError::fatal)?
        }
    };
    let read = match job.version {
        version if version == J::VERSION => serde_json::from_str(&payload),
        version if version < J::VERSION => {
            let gone = || JobError::fatal(format!("its payload is of version {version}, which nobody reads any more"));
            J::read_earlier(version, &payload).ok_or_else(gone)?
        }
        _ => return Err(unknown(app, job)),
    };
    let value: J = read.map_err(|cause| JobError::fatal(format!("its payload cannot be read: {cause}")))?;
    Ok(Runnable { policy: J::POLICY, run: Box::new(|work| Box::pin(async move { value.run(&work).await })) })
}

fn unknown(app: &App, job: &StoredJob) -> JobError {
    let what = format!("this version of Warren does not know jobs `{}` of version {}", job.kind, job.version);
    if app.clock().now() - job.created_at < UNKNOWN_WAITS_MAX {
        JobError::Postponed { reason: format!("{what}; a newer one may"), after: UNKNOWN_WAITS }
    } else {
        JobError::fatal(format!("{what}; start the version that does and replay it"))
    }
}
