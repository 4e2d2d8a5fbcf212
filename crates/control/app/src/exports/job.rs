//! An export as a job: an archive to fetch comes out.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_auth::permission::Oversee;
use warren_model::{AccountId, JobId, JobPriority, Queue, audit::Action};
use warren_storage::FilePurpose;

use super::{Exported, organisation, person};
use crate::{
    AppError, Inside, Language,
    files::{NewFile, Scratch},
    jobs::{Job, JobError, Outcome, Policy, Requester, Secrecy, Work},
    people,
};

/// Starts an export: of the organisation (admins), or of one of its people (admins, and everybody of themselves).
///
/// # Errors
/// [`AppError::Forbidden`], or [`AppError::NotFound`] for the person.
pub async fn start(inside: &Inside<'_>, of: Option<AccountId>, language: Language) -> Result<JobId, AppError> {
    let (cx, organisation) = (inside.cx, &inside.organisation);
    let (subject, name) = match of {
        None => {
            inside.authorise(Oversee)?;
            (organisation.id.uuid(), organisation.name.to_string())
        }
        Some(person) => (person.uuid(), people::show(inside, person).await?.name.to_string()),
    };
    let file_name = match of {
        None => format!("{}.zip", organisation.slug),
        Some(_) => format!("{}-person.zip", organisation.slug),
    };
    let (requester, language) = (Requester::of(cx), language.tag().to_owned());
    let job = MakeExport { requester, person: of.map(AccountId::uuid), file_name, language };
    let entry = cx.entry_by(cx.subject.actor(), Action::ExportStarted, subject, name);
    inside.start(&job, &entry).await
}

/// An export, as a job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MakeExport {
    requester: Requester,
    /// None for the whole organisation.
    person: Option<Uuid>,
    file_name: String,
    language: String,
}

/// What a job that makes files came to: they can be fetched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MadeFiles {
    pub files: Vec<Uuid>,
}

impl Job for MakeExport {
    const KIND: &'static str = "export";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Records,
        priority: JobPriority::Normal,
        time_limit: Duration::from_secs(3600),
        attempts_max: 5,
        wait_first: Duration::from_secs(5),
        wait_cap: Duration::from_secs(300),
        deadline: Some(Duration::from_secs(24 * 3600)),
        secrecy: Secrecy::Plain,
    };

    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        let cx = work.context(&self.requester).await?;
        let inside = work.enter(&cx).await?;
        let language = Language::from_tag(&self.language).unwrap_or_default();
        let archive = Scratch::new(&work.app, work.job.id, "zip")?;
        let out = archive.create()?;
        let exported = match self.person {
            None => organisation(&inside, out, language, work).await?,
            Some(id) => person(&inside, AccountId::from_uuid(id), out, language, work).await?,
        };
        let Exported::Complete(_) = exported else { return Err(JobError::Stopped) };
        let new = NewFile {
            name: self.file_name,
            media_type: "application/zip".to_owned(),
            purpose: FilePurpose::Export,
            owner: inside.insider.account(),
            job: Some(work.job.id),
        };
        let stored = archive.store(&work.app, &inside.tenant, new).await?;
        Outcome::of(&MadeFiles { files: vec![stored.id.uuid()] })
    }
}
