//! A report as a job: its table and its page come out as files.

use std::{io::BufWriter, time::Duration};

use serde::{Deserialize, Serialize};
use warren_auth::permission::Oversee;
use warren_model::{JobId, JobPriority, Period, Queue, Timestamp, audit::Action};
use warren_storage::FilePurpose;

use super::{Request, audit, usage};
use crate::{
    AppError, Inside, Language,
    exports::MadeFiles,
    files::{NewFile, Scratch},
    jobs::{Job, JobError, Outcome, Policy, Requester, Secrecy, Work},
};

/// What a report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Usage,
    Audit,
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Audit => "audit",
        }
    }
    /// What `text` names.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Usage, Self::Audit].into_iter().find(|one| one.as_str() == text)
    }
}

/// Starts a report on the organisation. Admins.
///
/// # Errors
/// [`AppError::Forbidden`]
pub async fn start(inside: &Inside<'_>, kind: Kind, request: &Request) -> Result<JobId, AppError> {
    inside.authorise(Oversee)?;
    let cx = inside.cx;
    let job = MakeReport {
        requester: Requester::of(cx),
        kind: kind.as_str().to_owned(),
        from: request.period.from(),
        to: request.period.to(),
        zone: request.zone.to_string(),
        language: request.language.tag().to_owned(),
    };
    let entry = cx.entry_by(cx.subject.actor(), Action::ReportRequested, inside.organisation.id.uuid(), kind.as_str());
    inside.start(&job, &entry).await
}

/// A report, as a job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MakeReport {
    requester: Requester,
    kind: String,
    #[serde(with = "time::serde::rfc3339")]
    from: Timestamp,
    #[serde(with = "time::serde::rfc3339")]
    to: Timestamp,
    zone: String,
    language: String,
}

impl Job for MakeReport {
    const KIND: &'static str = "report";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Reports,
        priority: JobPriority::Normal,
        time_limit: Duration::from_secs(1800),
        attempts_max: 5,
        wait_first: Duration::from_secs(5),
        wait_cap: Duration::from_secs(300),
        deadline: Some(Duration::from_secs(24 * 3600)),
        secrecy: Secrecy::Plain,
    };

    async fn run(self, work: &Work) -> Result<Outcome, JobError> {
        let cx = work.context(&self.requester).await?;
        let inside = work.enter(&cx).await?;
        let request = Request {
            period: Period::new(self.from, self.to).map_err(|_| JobError::fatal("the period cannot be used"))?,
            zone: self.zone.parse().map_err(|_| JobError::fatal("the time zone is unknown"))?,
            language: Language::from_tag(&self.language).unwrap_or_default(),
        };
        let kind = Kind::from_text(&self.kind).ok_or_else(|| JobError::fatal("an unknown kind of report"))?;
        let (table, page) =
            (Scratch::new(&work.app, work.job.id, "csv")?, Scratch::new(&work.app, work.job.id, "html")?);
        let mut out = BufWriter::new(table.create()?);
        let html = match kind {
            Kind::Usage => usage(&inside, &request, None, &mut out, work).await?.map(|report| report.html()),
            Kind::Audit => audit(&inside, &request, &mut out, work).await?.map(|report| report.html()),
        };
        let Some(html) = html else { return Err(JobError::Stopped) };
        drop(out.into_inner().map_err(|error| JobError::retry(error.into_error()))?);
        std::fs::write(page.path(), html?).map_err(JobError::retry)?;
        let mut files = Vec::new();
        for (scratch, ending, media_type) in
            [(&table, "csv", "text/csv; charset=utf-8"), (&page, "html", "text/html; charset=utf-8")]
        {
            let new = NewFile {
                name: format!("{}-{}.{ending}", inside.organisation.slug, kind.as_str()),
                media_type: media_type.to_owned(),
                purpose: FilePurpose::Report,
                owner: inside.insider.account(),
                job: Some(work.job.id),
            };
            files.push(scratch.store(&work.app, &inside.tenant, new).await?.id.uuid());
        }
        Outcome::of(&MadeFiles { files })
    }
}
