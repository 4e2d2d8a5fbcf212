//! `/o/{organisation}/records/jobs/{job}`: how far a job is, and what came of it.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use warren_app::{
    imports::{DEVICES_TOGETHER_MAX, ImportLineError, ImportResult, PEOPLE_TOGETHER_MAX},
    jobs::manage::{self, StoredJob},
};
use warren_model::{FileId, JobId, JobState};

use super::super::{job::JobBar, page::Page, reader::Reader, shown};
use crate::{
    path::{Id, Slug},
    problem::Rejection,
};

#[derive(Template)]
#[template(path = "records/job.html")]
struct Shown {
    page: Page,
    id: JobId,
    /// The family of its words.
    kind: &'static str,
    job: JobBar,
    /// Why it failed for good, in Warren's own words.
    error: Option<String>,
    import: Option<ImportView>,
}

/// What came of an import.
struct ImportView {
    end: String,
    tone: &'static str,
    kind: &'static str,
    renews: bool,
    source: FileId,
    source_name: String,
    problem: Option<String>,
    lines: u64,
    created: u64,
    renewed: u64,
    there: u64,
    failed: u64,
    ignored_columns: String,
    errors: Vec<ImportLineError>,
    file: Option<FileId>,
    /// Whether something is left to be done.
    open: bool,
    /// Whether it is few enough lines to be done all or nothing.
    together: bool,
}

pub(super) async fn show(reader: Reader, Slug(slug): Slug, Id(id): Id<JobId>) -> Result<Response, Rejection> {
    let inside = reader.enter(&slug).await?;
    let job = manage::show_own(&inside, id).await?;
    shown(&Shown {
        page: reader.page(&inside, "records").await?,
        id,
        kind: kind_of(&job),
        error: job.error.clone().filter(|_| job.state == JobState::Dead),
        import: import_of(&job),
        job: JobBar::of_organisation(&slug, &job),
    })
}

/// Asks the job to stop, and shows it again.
pub(super) async fn cancel(reader: Reader, Slug(slug): Slug, Id(id): Id<JobId>) -> Result<Response, Rejection> {
    manage::cancel_own(&reader.enter(&slug).await?, id).await?;
    Ok(Redirect::to(&format!("/o/{slug}/records/jobs/{id}")).into_response())
}

fn kind_of(job: &StoredJob) -> &'static str {
    match job.kind.as_str() {
        "import" => "import",
        _ => "other",
    }
}

/// The result of an import that has come to its end. One that another version wrote differently is not shown.
fn import_of(job: &StoredJob) -> Option<ImportView> {
    let text = job.result.as_deref().filter(|_| job.kind == "import")?;
    let result: ImportResult = serde_json::from_str(text).ok()?;
    let (kind, most) = match result.kind.as_str() {
        "devices" => ("devices", DEVICES_TOGETHER_MAX),
        _ => ("people", PEOPLE_TOGETHER_MAX),
    };
    let tone = match result.end.as_str() {
        "done" if result.failed == 0 => "good",
        "planned" if result.failed == 0 => "",
        "unusable" => "bad",
        _ => "warn",
    };
    Some(ImportView {
        open: result.created + result.renewed > 0 && result.end != "done",
        together: result.lines <= most,
        end: result.end.replace('_', "-"),
        tone,
        kind,
        renews: result.renews,
        source: FileId::from_uuid(result.source),
        source_name: result.source_name,
        problem: result.problem,
        lines: result.lines,
        created: result.created,
        renewed: result.renewed,
        there: result.there,
        failed: result.failed,
        ignored_columns: result.ignored_columns.join(", "),
        errors: result.errors,
        file: result.file.map(FileId::from_uuid),
    })
}
