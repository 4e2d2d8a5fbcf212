//! Asking for a job, within the transaction that makes it necessary.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_auth::Subject;
use warren_model::{
    AccountId, JobId, OrganisationId, RequestId, ScheduleId, Timestamp,
    audit::{AuditEntry, Source},
};
use warren_storage::{
    Enqueued, NewJob, PAYLOAD_BYTES_MAX, StorageError, StoredJob, SystemTransaction, TenantTransaction, Unique,
};

use super::{Job, JobError, Secrecy, Work};
use crate::{App, AppError, Inside, OpContext, context::BASE64};

/// What is said of a job beside its payload. The default is: of the installation, at once.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub organisation: Option<OrganisationId>,
    pub author: Option<AccountId>,
    pub request: Option<RequestId>,
    /// Not before then.
    pub run_at: Option<Timestamp>,
    /// Within the time, one job at most under the key.
    pub unique: Option<Unique>,
    pub schedule: Option<ScheduleId>,
}

impl Asked {
    /// What `cx` asks for, for `organisation` or for the installation.
    pub(crate) fn by(cx: &OpContext, organisation: Option<OrganisationId>) -> Self {
        Self { organisation, author: cx.subject.account(), request: Some(cx.request), ..Self::default() }
    }
}

/// On whose behalf a job acts. It is looked up again when the job begins: a right that was lost meanwhile is lost for the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requester {
    Account(Uuid),
    LocalOperator(String),
    /// A schedule, or Warren itself.
    System,
}

impl Requester {
    /// Who asks in `cx`.
    pub(crate) fn of(cx: &OpContext) -> Self {
        match &cx.subject {
            Subject::Account { id, .. } => Self::Account(id.uuid()),
            Subject::LocalOperator { user } => Self::LocalOperator(user.clone()),
            Subject::LinkHolder | Subject::System => Self::System,
        }
    }
}

impl Work {
    /// A context in which the job acts on behalf of `requester`.
    ///
    /// # Errors
    /// When there is no such account any more.
    pub(crate) async fn context(&self, requester: &Requester) -> Result<OpContext, JobError> {
        let subject = match requester {
            Requester::Account(id) => {
                let account = self.app.system().accounts().by_id(AccountId::from_uuid(*id)).await?;
                let account = account.ok_or_else(|| JobError::fatal("who asked for it has no account any more"))?;
                Subject::Account { id: account.id, name: account.name.to_string(), reach: account.reach }
            }
            Requester::LocalOperator(user) => Subject::LocalOperator { user: user.clone() },
            Requester::System => Subject::System,
        };
        let now = self.app.clock().now();
        let request = self.job.request.unwrap_or_else(|| RequestId::generate(now, self.app.random()));
        Ok(OpContext { app: self.app.clone(), subject, source: Source::Internal, request, idempotency: None })
    }

    /// The organisation whose job it is, entered on behalf of `cx`'s subject.
    ///
    /// # Errors
    /// What [`OpContext::enter`] gives.
    pub(crate) async fn enter<'c>(&self, cx: &'c OpContext) -> Result<Inside<'c>, JobError> {
        let id = self.job.organisation.ok_or_else(|| JobError::fatal("it belongs to no organisation"))?;
        let organisation = self.app.system().organisations().by_id(id).await?;
        let organisation = organisation.ok_or_else(|| JobError::fatal("its organisation is gone"))?;
        Ok(cx.enter(&organisation.slug).await?)
    }
}

impl Inside<'_> {
    /// Starts a job of the organisation's, with its entry in the trail, in one transaction.
    ///
    /// # Errors
    /// Those of the database, and of making it.
    pub(crate) async fn start<J: Job>(&self, job: &J, entry: &AuditEntry) -> Result<JobId, AppError> {
        let job = self.app().new_job(job, Asked::by(self.cx, Some(self.organisation.id)))?;
        self.tenant
            .transaction(async |tx| -> Result<JobId, AppError> {
                self.record(tx, entry).await?;
                self.app().leave(tx, &job).await
            })
            .await
    }
}

impl App {
    /// The job that `job` is, ready to be put into a queue or an outbox.
    ///
    /// # Errors
    /// [`AppError::Internal`] for a payload that is too large or cannot be written down: both are faults of the program.
    pub(crate) fn new_job<J: Job>(&self, job: &J, asked: Asked) -> Result<NewJob, AppError> {
        let (now, policy) = (self.clock().now(), J::POLICY);
        let id = JobId::generate(now, self.random());
        let plain = serde_json::to_string(job).map_err(|cause| AppError::Internal(Box::new(cause)))?;
        let payload = match policy.secrecy {
            Secrecy::Plain => plain,
            Secrecy::Sealed => {
                let sealed = self.sealing().seal(&sealing_context(id), plain.as_bytes(), self.random());
                base64::Engine::encode(&BASE64, sealed)
            }
        };
        if payload.len() > PAYLOAD_BYTES_MAX {
            let fault = StorageError::TooLarge { bytes: payload.len(), bytes_max: PAYLOAD_BYTES_MAX };
            return Err(AppError::Internal(Box::new(fault)));
        }
        Ok(NewJob {
            id,
            queue: policy.queue,
            priority: policy.priority,
            organisation: asked.organisation,
            kind: J::KIND.to_owned(),
            version: J::VERSION,
            payload,
            created_at: now,
            run_at: asked.run_at.unwrap_or(now),
            attempts_max: policy.attempts_max,
            deadline: policy.deadline.map(|span| now + span),
            unique: asked.unique,
            author: asked.author,
            request: asked.request,
            schedule: asked.schedule,
        })
    }

    /// Puts a job into the queue by itself, where it belongs to no other change.
    ///
    /// # Errors
    /// Those of the database, and of making it.
    pub async fn ask<J: Job>(&self, job: &J, asked: Asked) -> Result<JobId, AppError> {
        let job = self.new_job(job, asked)?;
        self.system().transaction(async |tx| self.enqueue(tx, &job).await).await
    }

    /// The job as it stands.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn job(&self, id: JobId) -> Result<Option<StoredJob>, AppError> {
        Ok(self.system().jobs().by_id(id).await?)
    }

    /// Puts a job into the queue; it begins soon after the commit.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn enqueue(&self, tx: &SystemTransaction, job: &NewJob) -> Result<JobId, AppError> {
        let enqueued = tx.jobs().insert(job).await?;
        if let Enqueued::New(_) = enqueued {
            let (workshop, queue) = (self.workshop().clone(), job.queue);
            tx.after_commit(move || workshop.ring(queue));
        }
        Ok(enqueued.id())
    }

    /// Leaves a job in the organisation's outbox; it is carried to the queue soon after the commit.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn leave(&self, tx: &TenantTransaction, job: &NewJob) -> Result<JobId, AppError> {
        tx.job_outbox().push(job).await?;
        if let Some(organisation) = job.organisation {
            let workshop = self.workshop().clone();
            tx.after_commit(move || workshop.relay_soon(organisation));
        }
        Ok(job.id)
    }
}

/// What a sealed payload is bound to.
pub(super) fn sealing_context(job: JobId) -> String {
    format!("job:{job}:payload")
}
