//! Letters: asked for within the transaction that makes them necessary, sent by a job, and on record afterwards.

use std::time::Duration;

use serde::{Deserialize, Serialize};
pub use warren_courier::{Language, Letter, Rendered};
use warren_courier::{Mail, MailError, Mailbox, MessageId, Receipt, Retry};
use warren_model::{
    Email, JobId, JobPriority, MailId, Queue,
    audit::Action,
    page::{Page, PageRequest},
};
use warren_runtime::dependency::{Blame, Failure};
use warren_storage::SystemTransaction;
pub use warren_storage::{MailRecord, MailState};

use crate::{
    App, AppError, OpContext, Thing,
    jobs::{Asked, Job, JobError, Outcome, Policy, Secrecy, Work},
};

/// A letter to somebody, as a job. Letters hold one-time links: its payload is sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SendLetter {
    pub to: String,
    pub name: Option<String>,
    pub language: Language,
    pub letter: Letter,
}

/// What becomes of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailStanding {
    /// None are written.
    Off,
    /// They are kept to be looked at, and nobody receives them.
    Kept,
    /// They go to a mail server.
    Sent,
}

/// While the settings are wrong, mail is tried this often.
const MISCONFIGURED_WAITS: Duration = Duration::from_secs(600);
/// Without an answer to when the mail server is asked again.
const LEFT_ALONE_WAITS: Duration = Duration::from_secs(30);

impl Job for SendLetter {
    const KIND: &'static str = "letter";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Mail,
        priority: JobPriority::Normal,
        time_limit: Duration::from_secs(90),
        // With the waits between them, more than a day.
        attempts_max: 60,
        wait_first: Duration::from_secs(5),
        wait_cap: Duration::from_secs(1800),
        deadline: Some(Duration::from_secs(7 * 24 * 3600)),
        secrecy: Secrecy::Sealed,
    };

    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        let Some(mailer) = work.app.config().mailer.clone() else {
            return Err(JobError::fatal("mail is switched off; configure a mail server and replay it"));
        };
        let mail = self.mail(work)?;
        let call = work.app.smtp().once().judged_by(|error: &MailError| match error.retry() {
            Retry::Never => Blame::Caller,
            Retry::Soon => Blame::Transient,
            Retry::Slowly => Blame::Lasting,
        });
        let record = match call.run(|_| mailer.send(&mail)).await {
            Ok(Receipt::Taken { .. }) => self.record(work, &mail, MailState::Sent, None),
            Ok(Receipt::Kept(kept)) => MailRecord {
                subject: kept.rendered.subject.clone(),
                content: Some((kept.rendered.html, kept.rendered.text)),
                ..self.record(work, &mail, MailState::Kept, None)
            },
            Err(Failure::Refused(refused)) => {
                let after = refused.retry_after().unwrap_or(LEFT_ALONE_WAITS);
                return Err(JobError::Postponed { reason: refused.to_string(), after });
            }
            Err(Failure::Failed(error)) if error.retry() == Retry::Slowly => {
                return Err(JobError::Postponed { reason: in_full(&error), after: MISCONFIGURED_WAITS });
            }
            Err(Failure::Failed(error)) if error.retry() == Retry::Never => {
                self.record(work, &mail, MailState::Refused, Some(in_full(&error)))
            }
            Err(Failure::Failed(error)) => return Err(JobError::retry(in_full(&error))),
            Err(timed_out @ Failure::TimedOut { .. }) => return Err(JobError::retry(timed_out.to_string())),
        };
        let system = work.app.system();
        system.transaction(async |tx| -> Result<(), AppError> { Ok(tx.mails().append(&record).await?) }).await?;
        match record.error {
            Some(error) => Err(JobError::fatal(error)),
            None => Ok(Outcome::default()),
        }
    }
}

impl SendLetter {
    fn mail(&self, work: &Work) -> Result<Mail, JobError> {
        Ok(Mail {
            // The same over all attempts, so that a mailbox that gets it twice shows it once.
            id: work.job.id.to_string().parse::<MessageId>().map_err(JobError::fatal)?,
            to: Mailbox {
                name: self.name.as_deref().and_then(|name| name.parse().ok()),
                address: self.to.parse().map_err(JobError::fatal)?,
            },
            language: self.language,
            letter: self.letter.clone(),
            attachments: Vec::new(),
            written_at: work.job.created_at,
        })
    }

    fn record(&self, work: &Work, mail: &Mail, state: MailState, error: Option<String>) -> MailRecord {
        let subject = work
            .app
            .config()
            .mailer
            .as_ref()
            .and_then(|mailer| mailer.preview(&mail.letter, mail.language).ok().map(|rendered| rendered.subject));
        MailRecord {
            // One record a letter, however often it is tried.
            id: MailId::from_uuid(work.job.id.uuid()),
            at: work.app.clock().now(),
            recipient: self.to.clone(),
            subject: subject.unwrap_or_default(),
            letter: self.letter.name().to_owned(),
            state,
            error,
            content: None,
            organisation: work.job.organisation,
        }
    }
}

/// The error with what led to it.
fn in_full(error: &MailError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl App {
    /// What becomes of letters.
    pub fn mail_standing(&self) -> MailStanding {
        match &self.config().mailer {
            None => MailStanding::Off,
            Some(mailer) if mailer.sends() => MailStanding::Sent,
            Some(_) => MailStanding::Kept,
        }
    }

    /// Has `letter` sent to somebody once `tx` is committed. Nothing where mail is switched off.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) async fn send_with(
        &self,
        tx: &SystemTransaction,
        (to, name): (&Email, Option<String>),
        letter: Letter,
        asked: Asked,
    ) -> Result<Option<JobId>, AppError> {
        if self.mail_standing() == MailStanding::Off {
            return Ok(None);
        }
        let language = self.config().mail_language;
        let job = self.new_job(&SendLetter { to: to.to_string(), name, language, letter }, asked)?;
        Ok(Some(self.enqueue(tx, &job).await?))
    }
}

/// The record of mail, the newest first. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn page(cx: &OpContext, request: &PageRequest) -> Result<Page<MailRecord>, AppError> {
    cx.operate()?;
    Ok(cx.system().mails().page(request).await?)
}

/// One letter on record. Operators.
///
/// # Errors
/// [`AppError::Forbidden`] or [`AppError::NotFound`]
pub async fn show(cx: &OpContext, id: MailId) -> Result<MailRecord, AppError> {
    cx.operate()?;
    cx.system().mails().by_id(id).await?.ok_or(AppError::NotFound(Thing::Mail))
}

/// Every kind of letter with believable data, as it would look. Operators.
///
/// # Errors
/// [`AppError::Forbidden`]
pub fn previews(cx: &OpContext, language: Language) -> Result<Vec<(Letter, Rendered)>, AppError> {
    cx.operate()?;
    let Some(mailer) = &cx.app.config().mailer else { return Ok(Vec::new()) };
    let preview = |letter: Letter| {
        let rendered = mailer.preview(&letter, language).map_err(|error| AppError::Internal(Box::new(error)))?;
        Ok((letter, rendered))
    };
    Letter::samples().into_iter().map(preview).collect()
}

/// Has a letter sent that says that mail works. Operators.
///
/// # Errors
/// [`AppError::Forbidden`], or [`crate::Contradiction::MailIsOff`].
pub async fn send_test(cx: &OpContext, to: &Email) -> Result<JobId, AppError> {
    let proof = cx.operate()?;
    let letter = Letter::TestMail { sent: cx.app.clock().now() };
    let entry = cx.entry(&proof, Action::MailTested, uuid::Uuid::nil(), to);
    cx.system()
        .transaction(async |tx| -> Result<JobId, AppError> {
            let sent = cx.app.send_with(tx, (to, None), letter.clone(), Asked::by(cx, None)).await?;
            let job = sent.ok_or(crate::Contradiction::MailIsOff)?;
            tx.audit().append(&entry, None).await?;
            Ok(job)
        })
        .await
}
