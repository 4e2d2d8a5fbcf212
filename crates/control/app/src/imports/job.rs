//! An import as a job: what was uploaded goes in, and a table with what came of each line comes out.

use std::{io::BufWriter, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use warren_auth::permission::ManagePeople;
use warren_model::{FileId, JobId, JobPriority, Queue, audit::Action};
use warren_storage::FilePurpose;

use super::{End, Import, Kind, Mode, Outcome, PendingInvitations, carry_out, devices};
use crate::{
    AppError, Contradiction, Inside, Language,
    audit::Changes,
    files::{self, NewFile, Scratch},
    jobs::{Job, JobError, Outcome as JobOutcome, Policy, Requester, Secrecy, Work},
    records::csv::Content,
};

/// An import that somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub file: FileId,
    pub kind: Kind,
    pub mode: Mode,
    pub pending: PendingInvitations,
    pub language: Language,
}

/// Errors that stand in a job's result; the table of results has all of them.
const ERRORS_SHOWN_MAX: usize = 100;
/// How an import of a file ends that cannot be used as a whole.
const UNUSABLE: &str = "unusable";

/// Starts an import. Admins.
///
/// # Errors
/// [`AppError::Forbidden`], [`AppError::NotFound`] for the file, [`Contradiction::FileNotWhole`].
pub async fn start(inside: &Inside<'_>, start: Start) -> Result<JobId, AppError> {
    match start.kind {
        Kind::People => drop(inside.authorise(ManagePeople)?),
        Kind::Devices => drop(devices::Devices::permit(inside).await?),
    }
    let file = files::show(inside, start.file).await?;
    if file.whole.is_none() {
        return Err(Contradiction::FileNotWhole.into());
    }
    let cx = inside.cx;
    let job = ImportRecords {
        requester: Requester::of(cx),
        file: start.file.uuid(),
        file_name: file.name.clone(),
        kind: start.kind.as_str().to_owned(),
        mode: start.mode.as_str().to_owned(),
        renews: start.pending == PendingInvitations::Renew,
        language: start.language.tag().to_owned(),
    };
    let entry = cx.entry_by(cx.subject.actor(), Action::ImportStarted, start.file.uuid(), &file.name);
    let changes = Changes::default().first("kind", start.kind.as_str()).first("mode", start.mode.as_str());
    let entry = changes.into_entry(entry);
    inside.start(&job, &entry).await
}

/// An import, as a job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ImportRecords {
    requester: Requester,
    file: Uuid,
    file_name: String,
    kind: String,
    mode: String,
    renews: bool,
    language: String,
}

/// What an import came to, as it stands in the result of its job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportResult {
    /// `planned`, `done`, `nothing_done`, `stopped`, or `unusable` for a file that cannot be read.
    pub end: String,
    /// `people` or `devices`.
    pub kind: String,
    /// `dry_run`, `all_or_nothing` or `skip_bad`.
    pub mode: String,
    /// Whether those who are invited already get new links.
    pub renews: bool,
    /// What was imported: the uploaded file, which may be gone since, and its name.
    pub source: Uuid,
    pub source_name: String,
    /// Why the file as a whole cannot be used, in the words of who asked.
    pub problem: Option<String>,
    pub lines: u64,
    pub created: u64,
    pub renewed: u64,
    pub there: u64,
    pub failed: u64,
    pub ignored_columns: Vec<String>,
    /// The first of what is wrong.
    pub errors: Vec<ImportLineError>,
    /// The table with every line and what came of it.
    pub file: Option<Uuid>,
}

/// What is wrong with one line, in the words of who asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportLineError {
    pub line: u64,
    pub column: Option<String>,
    pub value: String,
    pub problem: String,
}

impl Job for ImportRecords {
    const KIND: &'static str = "import";
    const VERSION: u16 = 1;
    const POLICY: Policy = Policy {
        queue: Queue::Records,
        priority: JobPriority::Urgent,
        time_limit: Duration::from_secs(3600),
        attempts_max: 5,
        wait_first: Duration::from_secs(2),
        wait_cap: Duration::from_secs(60),
        deadline: Some(Duration::from_secs(12 * 3600)),
        secrecy: Secrecy::Plain,
    };

    async fn run(self, work: &Work) -> Result<JobOutcome, JobError> {
        let cx = work.context(&self.requester).await?;
        let inside = work.enter(&cx).await?;
        let language = Language::from_tag(&self.language).unwrap_or_default();
        let (source, results) =
            (Scratch::new(&work.app, work.job.id, "source")?, Scratch::new(&work.app, work.job.id, "results")?);
        source.fill(&inside.tenant, FileId::from_uuid(self.file)).await?;
        let import = Import {
            kind: Kind::from_text(&self.kind).ok_or_else(|| JobError::fatal("an unknown kind of import"))?,
            content: Content::File(source.path().to_owned()),
            mode: Mode::from_text(&self.mode).ok_or_else(|| JobError::fatal("an unknown mode of import"))?,
            pending: if self.renews { PendingInvitations::Renew } else { PendingInvitations::Keep },
            language,
        };
        let mut table = BufWriter::new(results.create()?);
        let outcome = match carry_out(&inside, &import, &mut table, work).await {
            // No fault of the job's: who asked is told what is wrong with the file.
            Err(AppError::Unusable(problem)) => return JobOutcome::of(&self.unusable(problem.text(language))),
            outcome => outcome?,
        };
        drop(table.into_inner().map_err(|error| JobError::retry(error.into_error()))?);
        let new = NewFile {
            name: format!("{}.results.csv", self.file_name.trim_end_matches(".csv")),
            media_type: "text/csv; charset=utf-8".to_owned(),
            purpose: FilePurpose::Outcome,
            owner: inside.insider.account(),
            job: Some(work.job.id),
        };
        let stored = results.store(&work.app, &inside.tenant, new).await?;
        if outcome.end == End::Stopped && work.is_stopped() {
            return Err(JobError::Stopped);
        }
        JobOutcome::of(&self.result(&outcome, language, stored.id))
    }
}

impl ImportRecords {
    fn result(&self, outcome: &Outcome, language: Language, file: FileId) -> ImportResult {
        let error = |error: &crate::records::LineError| ImportLineError {
            line: error.line,
            column: error.column.clone(),
            value: error.value.clone(),
            problem: error.problem.text(language),
        };
        ImportResult {
            end: outcome.end.as_str().to_owned(),
            lines: outcome.lines,
            created: outcome.created,
            renewed: outcome.renewed,
            there: outcome.there,
            failed: outcome.failed,
            ignored_columns: outcome.ignored_columns.iter().take(20).cloned().collect(),
            errors: outcome.errors.iter().take(ERRORS_SHOWN_MAX).map(error).collect(),
            file: Some(file.uuid()),
            ..self.nothing()
        }
    }

    fn unusable(&self, problem: String) -> ImportResult {
        ImportResult { problem: Some(problem), ..self.nothing() }
    }

    /// The result of a file of which no line was looked at.
    fn nothing(&self) -> ImportResult {
        ImportResult {
            end: UNUSABLE.to_owned(),
            kind: self.kind.clone(),
            mode: self.mode.clone(),
            renews: self.renews,
            source: self.file,
            source_name: self.file_name.clone(),
            problem: None,
            lines: 0,
            created: 0,
            renewed: 0,
            there: 0,
            failed: 0,
            ignored_columns: Vec::new(),
            errors: Vec::new(),
            file: None,
        }
    }
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Devices => "devices",
        }
    }
    /// What `text` names.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::People, Self::Devices].into_iter().find(|one| one.as_str() == text)
    }
}

impl Mode {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::AllOrNothing => "all_or_nothing",
            Self::SkipBad => "skip_bad",
        }
    }
    /// What `text` names.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::DryRun, Self::AllOrNothing, Self::SkipBad].into_iter().find(|one| one.as_str() == text)
    }
}

impl End {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Done => "done",
            Self::NothingDone => "nothing_done",
            Self::Stopped => "stopped",
        }
    }
}
